import { type Check, defineInvariant, type Invariant, SECOND, type Verdict } from '@quorate/kernel';
import type { DlmFact } from '../facts.js';
import { MessageType } from '../message.js';
import { RecoverStatus } from '../recover-status.js';
import { CALM_KINDS, Calm, type Calming, LONGEST } from './calm.js';
import { type FactOf, resourceKey } from './keys.js';
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

export const noEchoes: Invariant = defineInvariant<DlmFact>({
  id: 'dlm.S8',
  name: 'dlm-no-echo-of-recovery',
  statement:
    'A reply to a question of an earlier recovery has no effect, and neither has a LOOKUP, LOOKUP_REPLY or REMOVE from before a recovery.',
  kinds: [...STANDING_KINDS, 'dlm.rcom-reply', 'dlm.message-resumed'],
  start(): Check<DlmFact> {
    const standings = new Standings();
    /** By lockspace and node. */
    const recoverSeqs = new Map<string, number>();
    return {
      observe(fact, verdict) {
        if (!standings.accepts(fact)) return;
        const { lockspace, node } = fact;
        switch (fact.kind) {
          case 'dlm.started':
          case 'dlm.stopped':
            recoverSeqs.set(resourceKey(lockspace, `${node}`), fact.recoverSeq);
            return;
          case 'dlm.rcom-reply': {
            const current = recoverSeqs.get(resourceKey(lockspace, `${node}`));
            if (current === undefined || fact.seqReply === current) return;
            verdict.violate(
              `${lockspace}: node ${node} heeds a reply of node ${fact.from} to recovery ${fact.seqReply} in recovery ${current}`,
              [node, fact.from],
            );
            return;
          }
          case 'dlm.message-resumed':
            if (!OF_DIRECTORY.includes(fact.type) || (fact.statusWhenSaved & RecoverStatus.DONE) !== 0) return;
            verdict.violate(
              `${lockspace}: node ${node} heeds a message of type ${fact.type} of node ${fact.from} about the directory before recovery`,
              [node, fact.from],
            );
        }
      },
    };
  },
});

const OF_DIRECTORY: readonly number[] = [MessageType.LOOKUP, MessageType.LOOKUP_REPLY, MessageType.REMOVE];

/** What a node said when its recovery was over. */
type Recovered = FactOf<'dlm.recovered'>;

export const converges: Invariant = defineInvariant<Calming>({
  id: 'dlm.F6',
  name: 'dlm-converges',
  statement: 'Members of a lockspace that all run have the same members, slots and generation.',
  kinds: CALM_KINDS,
  start(): Check<Calming> {
    const calm = new Calm();
    const recovered = new Map<string, Recovered>();
    /** Lockspaces in which something has changed. */
    const changed = new Set<string>();
    return {
      observe(fact) {
        if (!calm.accepts(fact) || fact.kind !== 'dlm.recovered') return;
        recovered.set(resourceKey(fact.lockspace, `${fact.node}`), fact);
        changed.add(fact.lockspace);
      },
      tick(_at, verdict) {
        for (const lockspace of changed) {
          changed.delete(lockspace);
          for (const first of recovered.values()) {
            if (first.lockspace === lockspace && calm.isRunning(lockspace, first.node))
              agree(first, recovered, verdict);
          }
        }
      },
    };
  },
});

/** Compares what a node said with what the others of its members did. */
function agree(first: Recovered, all: ReadonlyMap<string, Recovered>, verdict: Verdict): void {
  const { lockspace, node } = first;
  for (const member of first.members) {
    const other = all.get(resourceKey(lockspace, `${member}`));
    if (member <= node || other === undefined || stateOf(first) === stateOf(other)) continue;
    verdict.violate(`${lockspace}: node ${node} has ${stateOf(first)}, node ${member} has ${stateOf(other)}`, [
      node,
      member,
    ]);
  }
}

function stateOf({ generation, members, slots }: Recovered): string {
  return `generation ${generation}, slots ${members.map((member, i) => `${slots[i]}:${member}`).join(' ')}`;
}

export const recoveryEnds: Invariant = defineInvariant<Calming>({
  id: 'dlm.F8',
  name: 'dlm-recovery-ends',
  statement: `A recovery that all members have begun, and of whom none stops or dies meanwhile, is over within ${LONGEST / SECOND} s.`,
  kinds: CALM_KINDS,
  start(): Check<Calming> {
    const calm = new Calm();
    /** By lockspace and node: recoveries that are under way. */
    const begun = new Map<string, FactOf<'dlm.started'>>();
    const isBegun = (lockspace: string, node: number): boolean =>
      calm.standings.of(lockspace, node)?.isRunning === true || begun.has(resourceKey(lockspace, `${node}`));
    return {
      observe(fact) {
        if (!calm.accepts(fact)) return;
        const key = resourceKey(fact.lockspace, `${fact.node}`);
        if (fact.kind === 'dlm.started') begun.set(key, fact);
        else begun.delete(key);
      },
      tick(at, verdict) {
        for (const [key, { lockspace, node, life, members }] of begun) {
          const standing = calm.standings.of(lockspace, node);
          if (standing === undefined || standing.life !== life || standing.isExcluded || standing.isOff)
            begun.delete(key);
          else if (!calm.isOver(at, lockspace) || !members.every((member) => isBegun(lockspace, member))) continue;
          else if (!calm.hasUnnoticedDeath(at, lockspace, node)) {
            begun.delete(key);
            verdict.violate(`${lockspace}: recovery of node ${node} has not ended for ${LONGEST / SECOND} s`, [node]);
          }
        }
      },
    };
  },
});
