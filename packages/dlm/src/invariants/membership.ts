import { type Check, defineInvariant, type Invariant, type Nanos } from '@quorate/kernel';
import type { ControldFact } from '../facts.js';
import { resourceKey } from './keys.js';
import { STANDING_KINDS, Standings, type Watched } from './standings.js';

// When a lockspace may start.

export const fencedFirst: Invariant = defineInvariant<ControldFact>({
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

export const stopFirst: Invariant = defineInvariant<Watched | StartSentFact>({
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
