import type { Machine, Nanos } from '@quorate/kernel';
import { type IpConfig, IpStack } from '@quorate/network';
import type { Fetched } from '../lab.js';
import type { PageRequest } from './browser.js';

export type HostInput =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  | { readonly kind: 'carrier'; readonly isUp: boolean }
  /** Somebody at that host asks for a page; a host without a browser does not answer. */
  | { readonly kind: 'fetch'; readonly id: number; readonly request: PageRequest }
  | { readonly kind: 'wake' };

export type HostOutput =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  | { readonly kind: 'fetched'; readonly id: number; readonly result: Fetched };

/** A machine on the network that is no cluster node. */
export type Host = Machine<HostInput, HostOutput>;

/** A router's address on the segment: it answers ARP and pings, and nothing else is behind it. */
export class Gateway implements Host {
  readonly #stack: IpStack;

  constructor(config: IpConfig) {
    this.#stack = new IpStack(config);
  }

  step(now: Nanos, input: HostInput, emit: (output: HostOutput) => void): void {
    if (input.kind === 'fetch') return;
    const toStack = input.kind === 'wake' ? input : { ...input, interface: 0 };
    this.#stack.step(now, toStack, (output) => {
      if (output.kind === 'frame') emit({ kind: 'frame', bytes: output.bytes });
    });
  }

  deadline(): Nanos {
    return this.#stack.deadline();
  }
}
