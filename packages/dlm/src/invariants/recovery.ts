import { type Check, defineInvariant, type Invariant } from '@quorate/kernel';
import type { DlmFact } from '../facts.js';
import { STANDING_KINDS, Standings } from './standings.js';

// What recovery does on all members together.

export const barriers: Invariant = defineInvariant<DlmFact>({
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
