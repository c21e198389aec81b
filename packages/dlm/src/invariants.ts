import { type Check, defineInvariant, type Invariant, type Nanos, type Stamped, type Verdict } from '@quorate/kernel';
import type { ControldFact, DlmFact } from './facts.js';
import { isCompatible, Mode, type ModeName } from './mode.js';
import { plockInvariants } from './plock-invariants.js';
import { queue } from './queue-invariant.js';
import { STANDING_KINDS, Standings, type Watched } from './standings.js';

type StampedDlm = Stamped<DlmFact>;
type FactOf<K extends DlmFact['kind']> = Stamped<Extract<DlmFact, { kind: K }>>;

interface Held {
  readonly node: number;
  readonly lkid: number;
  mode: ModeName;
  hasValueBlock: boolean;
}

function resourceKey(lockspace: string, resource: string): string {
  return `${lockspace}\0${resource}`;
}

function isIn(key: string, lockspace: string): boolean {
  return key.startsWith(`${lockspace}\0`);
}

/** The locks that owners count on, by resource. */
class HeldLocks {
  readonly #resources = new Map<string, Map<string, Held>>();
  /** Locks whose unlock is under way: what their owner is told until it has ended changes nothing. */
  readonly #leaving = new Set<string>();

  at(key: string): readonly Held[] {
    return [...(this.#resources.get(key)?.values() ?? [])];
  }

  isLeaving(fact: FactOf<'dlm.lvb-read'>): boolean {
    return this.#leaving.has(lockKey(fact));
  }

  set(lockspace: string, resource: string, held: Held): void {
    const key = resourceKey(lockspace, resource);
    let locks = this.#resources.get(key);
    if (locks === undefined) {
      locks = new Map();
      this.#resources.set(key, locks);
    }
    locks.set(`${held.node}/${held.lkid}`, held);
  }

  delete(lockspace: string, resource: string, node: number, lkid: number): void {
    const key = resourceKey(lockspace, resource);
    const locks = this.#resources.get(key);
    locks?.delete(`${node}/${lkid}`);
    if (locks?.size === 0) this.#resources.delete(key);
  }

  /** Takes all locks of a node away; tells of each, with those that are left on its resource. */
  deleteNode(lockspace: string, node: number, tell: (key: string, held: Held, left: readonly Held[]) => void): void {
    for (const [key, locks] of this.#resources) {
      if (!isIn(key, lockspace)) continue;
      const gone = [...locks.values()].filter((held) => held.node === node);
      for (const held of gone) locks.delete(`${held.node}/${held.lkid}`);
      for (const held of gone) tell(key, held, [...locks.values()]);
      if (locks.size === 0) this.#resources.delete(key);
    }
  }

  /** What a fact does to them. Gives the lock whose mode it raised, if it did. */
  follow(fact: StampedDlm): Held | undefined {
    if (!('lkid' in fact) || fact.kind === 'dlm.called') return undefined;
    const lock = lockKey(fact);
    if (fact.kind === 'dlm.unlocked') this.#leaving.add(lock);
    else if (fact.kind === 'dlm.cast' && fact.mode === 'IV') this.#leaving.delete(lock);
    else if (this.#leaving.has(lock)) return undefined;
    switch (fact.kind) {
      case 'dlm.lock-granted':
      case 'dlm.converted': {
        const { node, lkid, mode, hasValueBlock } = fact;
        const held = { node, lkid, mode, hasValueBlock };
        this.set(fact.lockspace, fact.resource, held);
        return held;
      }
      case 'dlm.converting': {
        const { node, lkid, keeps } = fact;
        this.set(fact.lockspace, fact.resource, { node, lkid, mode: keeps, hasValueBlock: false });
        return undefined;
      }
      case 'dlm.unlocked':
        this.delete(fact.lockspace, fact.resource, fact.node, fact.lkid);
        return undefined;
      case 'dlm.cast':
        if (fact.mode === 'IV') this.delete(fact.lockspace, fact.resource, fact.node, fact.lkid);
        return undefined;
    }
    return undefined;
  }
}

function lockKey({
  lockspace,
  node,
  life,
  lkid,
}: FactOf<'dlm.cast' | 'dlm.lvb-read' | (typeof HELD_KINDS)[number]>): string {
  return `${lockspace}/${node}.${life}/${lkid}`;
}

const HELD_KINDS = ['dlm.lock-granted', 'dlm.converting', 'dlm.converted', 'dlm.unlocked', 'dlm.cast'] as const;

const compat: Invariant = defineInvariant<DlmFact>({
  id: 'S18',
  name: 'dlm-compat',
  statement: 'Granted modes of a resource over all nodes are pairwise compatible, as their owners were told.',
  kinds: [...STANDING_KINDS, ...HELD_KINDS],
  start(): Check<DlmFact> {
    const locks = new HeldLocks();
    const standings = new Standings((lockspace, node) => locks.deleteNode(lockspace, node, () => {}));
    return {
      observe(fact, verdict) {
        if (!standings.accepts(fact)) return countZombie(fact, verdict);
        const raised = locks.follow(fact);
        if (raised === undefined || !('resource' in fact)) return;
        for (const held of locks.at(resourceKey(fact.lockspace, fact.resource))) {
          if (held === raised || isCompatible(Mode[held.mode], Mode[raised.mode])) continue;
          verdict.violate(
            `${fact.lockspace}/${fact.resource}: node ${raised.node} got ${raised.mode} while node ${held.node} holds ${held.mode}`,
            [raised.node, held.node],
          );
        }
      },
    };
  },
});

/** A node that was paused goes on believing until it is told; its disk writes are refused, its grants harm nobody. */
function countZombie(fact: StampedDlm, verdict: Verdict): void {
  const isGrant = fact.kind === 'dlm.lock-granted' || (fact.kind === 'dlm.converted' && fact.isGranted);
  if (isGrant) verdict.count('dlm-zombie-grant');
}

const master: Invariant = defineInvariant<DlmFact>({
  id: 'S19',
  name: 'dlm-master',
  statement: 'A resource has one master at a time, and the record of its directory node names that one.',
  kinds: [...STANDING_KINDS, 'dlm.master', 'dlm.master-released', 'dlm.directory', 'dlm.directory-removed'],
  start(): Check<DlmFact> {
    const masters = new Map<string, number>();
    const records = new Map<string, { dir: number; master: number }>();
    const standings = new Standings((lockspace, node) => {
      for (const [key, known] of masters) if (known === node && isIn(key, lockspace)) masters.delete(key);
      for (const [key, record] of records) {
        if (isIn(key, lockspace) && (record.dir === node || record.master === node)) records.delete(key);
      }
    });
    return {
      observe(fact, verdict) {
        if (!standings.accepts(fact)) return;
        if (fact.kind === 'dlm.started') {
          // The directory is spread anew, and each node asks for its part.
          for (const [key, { dir }] of records) if (dir === fact.node && isIn(key, fact.lockspace)) records.delete(key);
        }
        if (!('resource' in fact)) return;
        const key = resourceKey(fact.lockspace, fact.resource);
        const name = `${fact.lockspace}/${fact.resource}`;
        const known = masters.get(key);
        const record = records.get(key);
        switch (fact.kind) {
          case 'dlm.master':
            if (known !== undefined && known !== fact.node) {
              verdict.violate(`${name}: nodes ${known} and ${fact.node} are both master`, [known, fact.node]);
            }
            if (record !== undefined && record.master !== fact.node) {
              verdict.violate(
                `${name}: node ${fact.node} is master, but its directory node ${record.dir} says ${record.master}`,
                [fact.node, record.dir],
              );
            }
            masters.set(key, fact.node);
            break;
          case 'dlm.master-released':
            if (known === fact.node) masters.delete(key);
            break;
          case 'dlm.directory':
            if (known !== undefined && known !== fact.master) {
              verdict.violate(`${name}: directory node ${fact.node} says ${fact.master}, but node ${known} is master`, [
                fact.node,
                known,
              ]);
            }
            records.set(key, { dir: fact.node, master: fact.master });
            break;
          case 'dlm.directory-removed':
            if (record?.dir === fact.node) records.delete(key);
            break;
        }
      },
    };
  },
});

/** What may be read from a value block. */
interface Value {
  /** Digest of the last write; undefined if it was lost. */
  readonly digest: number | undefined;
  readonly lvbseq: number;
  readonly isInvalid: boolean;
}

const LOST: Value = { digest: undefined, lvbseq: 0, isInvalid: true };

const lvb: Invariant = defineInvariant<DlmFact>({
  id: 'S20',
  name: 'dlm-lvb',
  statement: 'A value block that is read is the one written last by a PW or EX holder, or it is reported as not valid.',
  kinds: [
    ...STANDING_KINDS,
    ...HELD_KINDS,
    'dlm.master',
    'dlm.lvb-written',
    'dlm.lvb-invalid',
    'dlm.lvb-dropped',
    'dlm.lvb-read',
  ],
  judges: ['dlm.lvb-read'],
  start(): Check<DlmFact> {
    const values = new Map<string, Value>();
    const masters = new Map<string, number>();
    const locks = new HeldLocks();
    const standings = new Standings((lockspace, node) => {
      locks.deleteNode(lockspace, node, (key, held, left) => {
        if (!held.hasValueBlock || Mode[held.mode] < Mode.PW) return;
        // A new master knows that there was a value if another user of it is left; the old one, if there was one.
        const isKnown = masters.get(key) === node ? left.some((other) => other.hasValueBlock) : values.has(key);
        if (isKnown) values.set(key, LOST);
      });
      for (const [key, known] of masters) if (known === node && isIn(key, lockspace)) masters.delete(key);
      // With the master goes the value; the new one says what it took over.
      for (const [key, value] of values) {
        if (!isIn(key, lockspace) || masters.has(key)) continue;
        if (!value.isInvalid || !locks.at(key).some((held) => held.hasValueBlock)) values.delete(key);
      }
    });
    return {
      observe(fact, verdict) {
        if (!standings.accepts(fact)) return;
        locks.follow(fact);
        if (!('resource' in fact)) return;
        const key = resourceKey(fact.lockspace, fact.resource);
        switch (fact.kind) {
          case 'dlm.master':
            masters.set(key, fact.node);
            break;
          case 'dlm.lvb-written':
            values.set(key, { digest: fact.digest, lvbseq: fact.lvbseq, isInvalid: false });
            break;
          case 'dlm.lvb-invalid': {
            // Without a value there is nothing to report.
            const value = values.get(key);
            if (value !== undefined) values.set(key, { ...value, isInvalid: true });
            break;
          }
          case 'dlm.lvb-dropped':
            values.delete(key);
            break;
          case 'dlm.lvb-read':
            if (!locks.isLeaving(fact)) checkRead(fact, values.get(key), verdict);
            break;
        }
      },
    };
  },
});

function checkRead(fact: FactOf<'dlm.lvb-read'>, value: Value | undefined, verdict: Verdict): void {
  if (value === undefined || !fact.isValid) return;
  const where = `${fact.lockspace}/${fact.resource}`;
  // Beside NL and CR a PW or EX holder may write, or be lost, while the reply is under way.
  const isExact = Mode[fact.mode] >= Mode.CW;
  if (!isExact && fact.lvbseq !== value.lvbseq) return;
  if (value.isInvalid && isExact) {
    return verdict.violate(`${where}: node ${fact.node} read a value as valid that was lost with its writer`, [
      fact.node,
    ]);
  }
  if (value.digest === undefined || value.digest === fact.digest) return;
  const [found, expected] = [fact.digest, value.digest].map((digest) => digest.toString(16));
  verdict.violate(`${where}: node ${fact.node} read value ${found}, last written was ${expected}`, [fact.node]);
}

const stopped: Invariant = defineInvariant<DlmFact>({
  id: 'S21',
  name: 'dlm-stopped',
  statement: 'No lock is granted on a node while its lockspace is stopped.',
  kinds: [...STANDING_KINDS, 'dlm.lock-granted', 'dlm.converted'],
  start(): Check<DlmFact> {
    const standings = new Standings();
    return {
      observe(fact, verdict) {
        if (!standings.accepts(fact)) return;
        const isGrant = fact.kind === 'dlm.lock-granted' || (fact.kind === 'dlm.converted' && fact.isGranted);
        if (!isGrant || standings.of(fact.lockspace, fact.node)?.isRunning === true) return;
        verdict.violate(
          `${fact.lockspace}/${fact.resource}: node ${fact.node} granted ${fact.mode} while the lockspace was stopped`,
          [fact.node],
        );
      },
    };
  },
});

const fencedFirst: Invariant = defineInvariant<ControldFact>({
  id: 'dlm.S5',
  name: 'fenced-and-quorate-before-start',
  statement:
    'A lockspace starts after a failure only when every node that failed with state in it is fenced, ' +
    'and, with enable_quorum, in a quorate cluster. ' +
    'A start of the kernel whose START was sent with quorum is counted as start-outlives-quorum.',
  kinds: ['dlm.node-failed', 'dlm.node-fenced', 'dlm.start-sent', 'dlm.starting'],
  start(): Check<ControldFact> {
    /** By node and life: lockspaces and failed nodes that wait for fencing. */
    const waiting = new Map<string, Set<string>>();
    /** By node and life: lockspaces and changes whose START was sent with quorum. */
    const sent = new Map<string, Set<string>>();
    return {
      observe(fact, verdict) {
        const key = `${fact.node}/${fact.life}`;
        const open = waiting.get(key) ?? new Set<string>();
        waiting.set(key, open);
        const quorate = sent.get(key) ?? new Set<string>();
        sent.set(key, quorate);
        switch (fact.kind) {
          case 'dlm.node-failed':
            open.add(`${fact.lockspace}\0${fact.failed}`);
            break;
          case 'dlm.node-fenced':
            for (const entry of open) if (entry.endsWith(`\0${fact.fenced}`)) open.delete(entry);
            break;
          case 'dlm.start-sent':
            if (fact.isQuorate) quorate.add(`${fact.lockspace}\0${fact.change}`);
            else verdict.violate(`${fact.lockspace}: node ${fact.node} sends its START without quorum`, [fact.node]);
            break;
          case 'dlm.starting':
            for (const entry of open) {
              const [lockspace, failed] = entry.split('\0');
              if (lockspace !== fact.lockspace) continue;
              verdict.violate(`${lockspace}: node ${fact.node} starts, but node ${failed} is not fenced`, [fact.node]);
            }
            // The others' STARTs were waited for, and nobody asks again.
            if (fact.isQuorate) break;
            if (quorate.has(`${fact.lockspace}\0${fact.change}`)) verdict.count('start-outlives-quorum');
            else verdict.violate(`${fact.lockspace}: node ${fact.node} starts without quorum`, [fact.node]);
            break;
        }
      },
    };
  },
});

type StartSentFact = Extract<ControldFact, { kind: 'dlm.start-sent' }>;

const stopFirst: Invariant = defineInvariant<Watched | StartSentFact>({
  id: 'dlm.S6',
  name: 'stop-before-start',
  statement: 'A lockspace has stopped on all members before it starts on any of them.',
  kinds: [...STANDING_KINDS, 'node.state', 'dlm.start-sent'],
  start(): Check<Watched | StartSentFact> {
    const standings = new Standings();
    /** By lockspace and node: when its daemon has sent the last START. */
    const sentAt = new Map<string, Nanos>();
    const offAt = new Map<number, Nanos>();
    return {
      observe(fact, verdict) {
        if (fact.kind === 'node.state') {
          if (fact.state !== 'off') return;
          standings.powerOff(fact.node);
          offAt.set(fact.node, fact.at);
          return;
        }
        if (fact.kind === 'dlm.start-sent') {
          sentAt.set(resourceKey(fact.lockspace, `${fact.node}`), fact.at);
          return;
        }
        standings.accepts(fact);
        if (fact.kind !== 'dlm.started') return;
        for (const member of fact.members) {
          const standing = standings.of(fact.lockspace, member);
          // One that was given up, or was off meanwhile, comes back in a new life, which has not said anything yet.
          if (standing === undefined || standing.isExcluded || standing.isOff || !standing.isRunning) continue;
          // Totem hands over what its old ring had before it tells that a member has left: meant is the life that has ended.
          const sent = sentAt.get(resourceKey(fact.lockspace, `${fact.node}`));
          if (sent !== undefined && (offAt.get(member) ?? 0) > sent) continue;
          verdict.violate(`${fact.lockspace}: node ${fact.node} starts while node ${member} runs`, [fact.node, member]);
        }
      },
    };
  },
});

const barriers: Invariant = defineInvariant<DlmFact>({
  id: 'dlm.S7',
  name: 'barriers',
  statement: 'No member ends a step of recovery before every other member has ended the step before.',
  kinds: [...STANDING_KINDS, 'dlm.recover-status'],
  start(): Check<DlmFact> {
    const standings = new Standings();
    return {
      observe(fact, verdict) {
        if (!standings.accepts(fact) || fact.kind !== 'dlm.recover-status') return;
        // Own bits are two apart; the bits between say that all have them.
        const before = fact.bit >> 2;
        if ((fact.bit & OWN_BITS) === 0 || before === 0) return;
        for (const [member, life] of standings.of(fact.lockspace, fact.node)?.members ?? []) {
          const standing = standings.of(fact.lockspace, member);
          const bits = standing?.bits ?? 0;
          // One that was reset since is out of this recovery, and what it had done is forgotten.
          if (member === fact.node || standing?.life !== life || (bits & before) !== 0) continue;
          verdict.violate(
            `${fact.lockspace}: node ${fact.node} set bit ${fact.bit}, but node ${member} is at ${bits}`,
            [fact.node, member],
          );
        }
      },
    };
  },
});

const OWN_BITS = 0x55;

/** What must never be observed of lock managers and their daemons. */
export const invariants: readonly Invariant[] = [
  compat,
  master,
  lvb,
  stopped,
  queue,
  fencedFirst,
  stopFirst,
  barriers,
  ...plockInvariants,
];
