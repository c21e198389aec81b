// Histories as lock managers and daemons could tell them, and what the invariants find in them.
import { type ControldFact, type DlmFact, invariants, type ModeName } from '@quorate/dlm';
import {
  Checker,
  type Fact,
  type Invariant,
  type Nanos,
  type NodeStateFact,
  SECOND,
  type Stamped,
} from '@quorate/kernel';

/** What Totem tells a node. */
interface ConfigurationFact extends Fact {
  readonly kind: 'totem.configuration';
  readonly type: 'regular' | 'transitional';
  readonly members: readonly number[];
}
type Told = DlmFact | ControldFact | NodeStateFact | ConfigurationFact;
export type Untimed = Told extends infer F ? (F extends Told ? Omit<F, 'now' | 'lockspace'> : never) : never;
export type Tell = (node: number, told: Untimed, life?: number) => void;

/** What is found in a history that an hour without events follows; `step` is between two of its facts. */
export function checked(
  history: (tell: Tell) => void,
  rules: readonly Invariant[] = invariants,
  step: Nanos = 1,
): Checker {
  const checker = new Checker(rules);
  let at = 0;
  let seq = 0;
  history((node, told, life = 1) => {
    seq += 1;
    at += step;
    checker.observe({ lockspace: 'ls', ...told, now: at, node, life, seq, at } as Stamped<Told>);
  });
  at += 3600 * SECOND;
  checker.tick(at);
  checker.end(at);
  return checker;
}

/** Which invariants a history violates. */
export function violated(
  history: (tell: Tell) => void,
  rules: readonly Invariant[] = invariants,
  step: Nanos = 1,
): string[] {
  return [...new Set(checked(history, rules, step).violations.map(({ invariant }) => invariant))];
}

export const lock = { resource: 'r', lkid: 1 };
export const granted = (mode: ModeName, hasValueBlock = true): Untimed => {
  return { kind: 'dlm.lock-granted', ...lock, mode, master: 1, hasValueBlock };
};
export const unlocked: Untimed = { kind: 'dlm.unlocked', ...lock };
export const written = (digest: number, lvbseq = 1): Untimed => ({
  kind: 'dlm.lvb-written',
  resource: 'r',
  digest,
  lvbseq,
});
export const read = (mode: ModeName, digest: number, isValid = true): Untimed => {
  return { kind: 'dlm.lvb-read', ...lock, mode, digest, lvbseq: 1, isValid };
};
export const called = (call: 'request' | 'convert' | 'unlock' | 'cancel', lkid = 1): Untimed => {
  return { kind: 'dlm.called', resource: 'r', lkid, call };
};
export const cast = (status: number, mode: ModeName = 'PR', lkid = 1): Untimed => {
  return { kind: 'dlm.cast', resource: 'r', lkid, status, mode };
};
export const EUNLOCK = 0x10002;
export type QueueName = 'convert' | 'wait';
export const queued = (owner: number, queue: QueueName = 'wait', isFirst = false): Untimed => {
  return { kind: 'dlm.queued', resource: 'r', queue, owner, ownerLkid: 1, mode: 'EX', isFirst, mayDeadlock: false };
};
export const fromQueue = (owner: number, queue: QueueName = 'wait', how: object = {}): Untimed => {
  const plain = { isGranted: true, mayOvertake: false, isUnordered: false };
  return { kind: 'dlm.unqueued', resource: 'r', queue, owner, ownerLkid: 1, ...plain, ...how };
};
export const off: Untimed = { kind: 'node.state', state: 'off' };
export const configured = (...members: number[]): Untimed => ({
  kind: 'totem.configuration',
  type: 'regular',
  members,
});
export const mastered: Untimed = { kind: 'dlm.master', resource: 'r', generation: 1 };
export const recorded = (master: number): Untimed => ({ kind: 'dlm.directory', resource: 'r', master });
export const stopped: Untimed = { kind: 'dlm.stopped', recoverSeq: 1 };
export const starts = (...members: number[]): Untimed => ({
  kind: 'dlm.started',
  recoverSeq: 2,
  members,
  added: [],
  nodeArray: [],
  isNodir: false,
});
export const recovered: Untimed = { kind: 'dlm.recovered', recoverSeq: 2, generation: 1, members: [], slots: [] };
export const reached = (bit: number): Untimed => ({ kind: 'dlm.recover-status', recoverSeq: 2, bit });

/** The lockspace stops, and starts with these members. */
export function restart(tell: Tell, members: readonly number[], lives: { readonly [node: number]: number } = {}): void {
  const tellAll = (told: Untimed): void => {
    for (const node of members) tell(node, told, lives[node]);
  };
  tellAll(stopped);
  tellAll(starts(...members));
  for (const bit of [1, 4, 16, 64]) tellAll(reached(bit));
  tellAll(recovered);
}

/** Three nodes run; node 1 masters `r`, and node 2 is its directory node. */
export function running(tell: Tell): void {
  restart(tell, [1, 2, 3]);
  tell(2, recorded(1));
  tell(1, mastered);
}
