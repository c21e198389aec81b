import { defineInvariant, type Fact, type Invariant } from '@quorate/kernel';

/**
 * A machine has thrown, which it never may. Told by the driver, whose run ends with it.
 */
export interface ThrownFact extends Fact {
  readonly kind: 'machine.thrown';
  /** Its host name, and its node id. */
  readonly machine: string;
  readonly id: number;
  /** Kind of the input that it was stepped with. */
  readonly input: string;
  /** Message of the exception. */
  readonly message: string;
}

/** Inputs that carry bytes from outside. */
const BYTES: readonly string[] = ['frame', 'io-done'];

function thrownRule(id: string, name: string, statement: string, isMeant: (input: string) => boolean): Invariant {
  return defineInvariant<ThrownFact>({
    id,
    name,
    statement,
    kinds: ['machine.thrown'],
    start: () => ({
      observe({ machine, id: node, input, message }, verdict) {
        if (isMeant(input)) verdict.violate(`${machine} threw on ${input}: ${message}`, [node]);
      },
    }),
  });
}

/** What must never be observed of machines, whatever is in them. */
export const invariants: readonly Invariant[] = [
  thrownRule('S34', 'parser-total', 'no bytes from the network or a disk make a machine throw', (input) =>
    BYTES.includes(input),
  ),
  thrownRule('S32', 'exception', 'no machine throws', () => true),
];
