import type { DlmFact } from '@quorate/dlm';
import {
  type Check,
  defineInvariant,
  type Fact,
  type Invariant,
  type NodeStateFact,
  type Stamped,
} from '@quorate/kernel';
import { type RegisterFact, RegisterHistory } from './register-history.js';

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

/** What the lock manager tells of the locks behind registers. */
type LockFact = Extract<DlmFact, { readonly kind: (typeof LOCK_KINDS)[number] }>;

const LOCK_KINDS = ['dlm.started', 'dlm.released', 'dlm.abandoned', 'dlm.lvb-invalid'] as const;

function hearLock(histories: ReadonlyMap<string, RegisterHistory>, fact: Stamped<LockFact>): void {
  const { node, at } = fact;
  switch (fact.kind) {
    case 'dlm.started':
      if (fact.isNodir) for (const history of histories.values()) history.moved(at);
      break;
    case 'dlm.released':
      for (const history of histories.values()) history.off(node, at);
      break;
    case 'dlm.abandoned':
      histories.get(fact.resource)?.abandoned(node, fact.process, at);
      break;
    case 'dlm.lvb-invalid':
      histories.get(fact.resource)?.invalidated(at);
      break;
  }
}

function isLockFact(fact: Stamped<RegisterFact | LockFact>): fact is Stamped<LockFact> {
  return (LOCK_KINDS as readonly string[]).includes(fact.kind);
}

const registers: Invariant = defineInvariant<RegisterFact | NodeStateFact | LockFact>({
  id: 'lab.R1',
  name: 'register',
  statement:
    'Registers that are kept in the value blocks of locks are linearizable; a value that is lost with a machine or a process, or without a directory with any change of members, is reported as not valid.',
  kinds: [
    'node.state',
    ...LOCK_KINDS,
    'register.invoked',
    'register.read',
    'register.writing',
    'register.ended',
    'register.kept',
  ],
  judges: ['register.read', 'register.writing'],
  start(): Check<RegisterFact | NodeStateFact | LockFact> {
    const lockspaces = new Map<string, Map<string, RegisterHistory>>();
    return {
      observe(fact, verdict) {
        const { node, at } = fact;
        if (fact.kind === 'node.state') {
          if (fact.state !== 'off') return;
          for (const histories of lockspaces.values()) for (const history of histories.values()) history.off(node, at);
          return;
        }
        const histories = lockspaces.get(fact.lockspace) ?? new Map<string, RegisterHistory>();
        lockspaces.set(fact.lockspace, histories);
        if (isLockFact(fact)) return hearLock(histories, fact);
        const history = histories.get(fact.register) ?? new RegisterHistory();
        histories.set(fact.register, history);
        if (fact.kind === 'register.kept') return history.kept(node, fact.process, at);
        const key = `${node}.${fact.life}.${fact.operation}`;
        let wrong: string | undefined;
        switch (fact.kind) {
          case 'register.invoked':
            history.invoked(key, at);
            break;
          case 'register.read':
            verdict.count(`register-${fact.outcome}`);
            wrong = history.read(key, fact.outcome, fact.value, at);
            if (wrong !== undefined && history.acceptInDoubt(key, fact.outcome, fact.value)) {
              verdict.count('register-in-doubt');
              wrong = undefined;
            }
            break;
          case 'register.writing':
            wrong = history.writing(key, fact.value);
            break;
          case 'register.ended':
            history.ended(key);
            break;
        }
        if (wrong !== undefined) verdict.violate(`${fact.register}: process ${key} ${wrong}`, [node]);
      },
    };
  },
});

/** What must never be observed of machines, whatever is in them, and of the registers that programs on them keep. */
export const invariants: readonly Invariant[] = [
  thrownRule('S34', 'parser-total', 'no bytes from the network or a disk make a machine throw', (input) =>
    BYTES.includes(input),
  ),
  thrownRule('S32', 'exception', 'no machine throws', () => true),
  registers,
];
