import { type Check, defineInvariant, type Invariant, type Verdict } from '@quorate/kernel';
import type { DlmFact } from '../facts.js';
import { isCompatible, isMiddleConversion, Mode, type ModeName } from '../mode.js';
import { HELD_KINDS, HeldLocks } from './held-locks.js';
import { type FactOf, resourceKey, type StampedDlm } from './keys.js';
import { STANDING_KINDS, Standings } from './standings.js';

// What owners count on.

export const compat: Invariant = defineInvariant<DlmFact>({
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

export const stopped: Invariant = defineInvariant<DlmFact>({
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

/** What an owner knows of the mode of a lock. */
interface KnownMode {
  /** Undefined before the first grant. */
  mode: ModeName | undefined;
  from: ModeName;
  /** The mode that a conversion asks for; undefined while there is none. */
  to: ModeName | undefined;
}

type ConvertFact = FactOf<'dlm.lock-granted' | 'dlm.converting' | 'dlm.converted' | 'dlm.unlocked' | 'dlm.cast'>;

export const keepsMode: Invariant = defineInvariant<DlmFact>({
  id: 'dlm.S12',
  name: 'dlm-conversion-keeps-mode',
  statement:
    'A conversion that is granted gives the mode that it asked for, or PR or CW by ALTPR or ALTCW; one that fails leaves the mode as it was, or NL by CONVDEADLK.',
  kinds: [...STANDING_KINDS, ...HELD_KINDS],
  start(): Check<DlmFact> {
    const locks = new Map<string, KnownMode>();
    const standings = new Standings((lockspace, node) => {
      for (const key of locks.keys()) if (key.startsWith(`${lockspace}\0${node}/`)) locks.delete(key);
    });
    return {
      observe(fact, verdict) {
        if (!standings.accepts(fact)) return;
        if (!HELD_KINDS.some((kind) => kind === fact.kind)) return;
        const { lockspace, resource, node, lkid } = fact as ConvertFact;
        const key = `${lockspace}\0${node}/${lkid}`;
        switch (fact.kind) {
          case 'dlm.lock-granted':
            locks.set(key, { mode: fact.mode, from: fact.mode, to: undefined });
            return;
          case 'dlm.converting':
            locks.set(key, { mode: fact.from, from: fact.from, to: fact.to });
            return;
          case 'dlm.cast':
            if (fact.mode === 'IV') locks.delete(key);
            return;
          case 'dlm.converted': {
            const known = locks.get(key);
            if (known === undefined) return;
            if (!isFitting(known, fact)) {
              const asked = known.to === undefined ? '' : ` after a conversion to ${known.to}`;
              verdict.violate(
                `${lockspace}/${resource}: node ${node}'s lock ${lkid} had ${known.mode}, and has ${fact.mode}${asked}`,
                [node],
              );
            }
            locks.set(key, { mode: fact.mode, from: fact.mode, to: undefined });
          }
        }
      },
    };
  },
});

function isFitting({ from, to }: KnownMode, fact: FactOf<'dlm.converted'>): boolean {
  const { mode, isGranted, isAlternate, wasDemoted } = fact;
  if (isGranted) return mode === to || (isAlternate && (mode === 'PR' || mode === 'CW'));
  if (mode === from || (wasDemoted && mode === 'NL')) return true;
  // Which of the two a new master grants is seen by the other locks on it.
  return to !== undefined && mode === to && isMiddleConversion(Mode[from], Mode[to]);
}
