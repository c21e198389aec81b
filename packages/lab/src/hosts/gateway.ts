import type { Nanos } from '@quorate/kernel';
import { type IpConfig, IpStack } from '@quorate/network';
import type { Host, HostInput, HostOutput } from './host.js';

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
