import type { Machine, Nanos } from '@quorate/kernel';

/** Copies what an input lends, so that it can wait. */
function keep<In extends { readonly kind: string }>(input: In): In {
  const copy: Record<string, unknown> = { ...input };
  for (const name in copy) {
    const value = copy[name];
    if (value instanceof Uint8Array) copy[name] = value.slice();
  }
  return copy as In;
}

/**
 * A machine inside another one. What is sent to it while it is on the stack waits, copied, until its step is done.
 *
 * So a chain of children may answer each other freely, and no machine is ever stepped from inside its own emit.
 */
export class Child<In extends { readonly kind: string }, Out> {
  readonly machine: Machine<In, Out>;
  readonly #clock: () => Nanos;
  readonly #onOutput: (output: Out) => void;
  readonly #waiting: In[] = [];
  #isOnStack = false;
  /** Asked once after each step: a machine's deadline moves in its steps only. */
  #deadline: Nanos = Infinity;
  #isDeadlineKnown = false;
  #hasEnded = false;

  constructor(machine: Machine<In, Out>, clock: () => Nanos, onOutput: (output: Out) => void) {
    this.machine = machine;
    this.#clock = clock;
    this.#onOutput = onOutput;
  }

  /** Whether its process is gone. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Its process is killed: nothing reaches it any more, and it wants nothing. */
  end(): void {
    this.#hasEnded = true;
    this.#waiting.length = 0;
  }

  send(input: In): void {
    if (this.#hasEnded) return;
    if (this.#isOnStack) {
      this.#waiting.push(keep(input));
      return;
    }
    this.#isOnStack = true;
    this.#isDeadlineKnown = false;
    try {
      this.machine.step(this.#clock(), input, this.#onOutput);
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.machine.step(this.#clock(), next, this.#onOutput);
      }
    } finally {
      this.#isOnStack = false;
    }
  }

  deadline(): Nanos {
    if (this.#hasEnded) return Infinity;
    if (this.#isOnStack) return this.machine.deadline();
    if (!this.#isDeadlineKnown) {
      this.#deadline = this.machine.deadline();
      this.#isDeadlineKnown = true;
    }
    return this.#deadline;
  }

  /** Sends `wake` if it is due; every machine of the stack takes one. */
  wakeIfDue(now: Nanos): void {
    if (this.deadline() <= now) this.send({ kind: 'wake' } as In);
  }
}
