import { type Check, defineInvariant, type Invariant, type Verdict } from '@quorate/kernel';
import type { DlmFact } from '../facts.js';
import { isCompatible, Mode } from '../mode.js';
import { HELD_KINDS, HeldLocks } from './held-locks.js';
import { resourceKey, type StampedDlm } from './keys.js';
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
