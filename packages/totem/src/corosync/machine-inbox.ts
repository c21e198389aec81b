import type { Machine, Nanos } from '@quorate/kernel';

/** A machine that others step in their outputs: what comes while it is on the stack waits, copied, until its step is done. */
export class MachineInbox<In extends { readonly kind: string }, Out> {
  readonly #machine: Machine<In, Out>;
  readonly #onOutput: (output: Out) => void;
  readonly #waiting: In[] = [];
  #isOnStack = false;

  constructor(machine: Machine<In, Out>, onOutput: (output: Out) => void) {
    this.#machine = machine;
    this.#onOutput = onOutput;
  }

  step(now: Nanos, input: In): void {
    if (this.#isOnStack) {
      this.#waiting.push(keep(input));
      return;
    }
    this.#isOnStack = true;
    this.#machine.step(now, input, this.#onOutput);
    if (this.#waiting.length > 0) {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#machine.step(now, next, this.#onOutput);
      }
    }
    this.#isOnStack = false;
  }

  deadline(): Nanos {
    return this.#machine.deadline();
  }
}

function keep<In extends { readonly kind: string }>(input: In): In {
  const { payload } = input as { readonly payload?: unknown };
  return payload instanceof Uint8Array ? { ...input, payload: payload.slice() } : { ...input };
}
