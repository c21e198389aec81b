import type { Nanos } from '@quorate/kernel';
import { type IpConfig, type IpOutput, IpStack } from '@quorate/network';
import { type Host, type HostInput, type HostOutput, toStack } from './host.js';

/** A router's address on the segment: it answers ARP and pings, and nothing else is behind it. */
export class Gateway implements Host {
  readonly #stack: IpStack;
  #emit: (output: HostOutput) => void = () => {};

  constructor(config: IpConfig) {
    this.#stack = new IpStack(config);
  }

  step(now: Nanos, input: HostInput, emit: (output: HostOutput) => void): void {
    if (input.kind === 'fetch' || input.kind === 'impair') return;
    this.#emit = emit;
    this.#stack.step(now, input.kind === 'wake' ? input : toStack(input), this.#onStack);
  }

  deadline(): Nanos {
    return this.#stack.deadline();
  }

  readonly #onStack = (output: IpOutput): void => {
    if (output.kind === 'frame') this.#emit({ kind: 'frame', bytes: output.bytes });
  };
}
