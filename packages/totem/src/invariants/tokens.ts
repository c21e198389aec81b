import { defineInvariant, type Invariant } from '@quorate/kernel';
import type { RingStoredFact, SentFact, TokenFact } from '../fact.js';
import type { NodeId } from '../ring-id.js';
import { isSerialLess, isSerialLessOrEqual } from '../serial.js';
import { check, Rings } from './positions.js';

// Tokens are told only where `tokenFacts` asks for it.

export const singleToken: Invariant = defineInvariant<TokenFact>({
  id: 'totem.V18',
  name: 'single token',
  statement: 'A ring has one token: each time it is accepted, by whatever node, its token_seq is higher than ever.',
  kinds: ['totem.token'],
  start() {
    const rings = new Rings<{ node: NodeId; tokenSeq: number }>();
    return check(({ node, ring, tokenSeq }, verdict) => {
      let isFirst = false;
      const last = rings.get(ring, () => {
        isFirst = true;
        return { node, tokenSeq };
      });
      if (!isFirst && !isSerialLess(last.tokenSeq, tokenSeq)) {
        verdict.violate(`token ${tokenSeq} of ring ${ring} was accepted after ${last.tokenSeq} at node ${last.node}`, [
          last.node,
          node,
        ]);
      }
      last.node = node;
      last.tokenSeq = tokenSeq;
    });
  },
});

export const tokenConservation: Invariant = defineInvariant<TokenFact>({
  id: 'totem.V19',
  name: 'token conservation',
  statement:
    "A token's aru does not pass its seq, and a node forgets a message only when the token went and came back with an aru of it or more.",
  kinds: ['totem.token'],
  start() {
    const rings = new Rings<Map<NodeId, { readonly aru: number; readonly released: number }>>();
    return check((fact, verdict) => {
      const { node, ring, tokenSeq, highSeq, aru, arrivedAru, released } = fact;
      if (!isSerialLessOrEqual(aru, highSeq)) {
        verdict.violate(`token ${tokenSeq} of ring ${ring} has aru ${aru} and seq ${highSeq}`, [node]);
      }
      const visits = rings.get(ring, () => new Map());
      const before = visits.get(node);
      visits.set(node, { aru, released });
      if (before === undefined || released === before.released) return;
      const lower = isSerialLess(before.aru, arrivedAru) ? before.aru : arrivedAru;
      if (isSerialLessOrEqual(released, lower)) return;
      verdict.violate(
        `ring ${ring} is released to ${released} by a token that went with aru ${before.aru} and came back with ${arrivedAru}`,
        [node],
      );
    });
  },
});

export const window: Invariant = defineInvariant<TokenFact>({
  id: 'totem.V20',
  name: 'window',
  statement:
    "A token's fcc is the sum of what each node sent with it last, and no node sends more than max_messages with it.",
  kinds: ['totem.token'],
  start() {
    const rings = new Rings<Map<NodeId, number>>();
    return check(({ node, ring, tokenSeq, fcc, sent, resent, maxMessages }, verdict) => {
      const count = sent + resent;
      if (count > maxMessages) {
        verdict.violate(`${count} packets sent with token ${tokenSeq} of ring ${ring}, at most ${maxMessages}`, [node]);
      }
      const counts = rings.get(ring, () => new Map());
      counts.set(node, count);
      let sum = 0;
      for (const each of counts.values()) sum += each;
      if (fcc === sum) return;
      verdict.violate(`token ${tokenSeq} of ring ${ring} has fcc ${fcc}, the nodes sent ${sum}`, [node]);
    });
  },
});

export const stableStorage: Invariant = defineInvariant<SentFact | TokenFact | RingStoredFact>({
  id: 'totem.V22',
  name: 'stable storage',
  statement: 'A ring sequence is stored before any token or message of that ring is sent.',
  kinds: ['totem.ring-stored', 'totem.token', 'totem.sent'],
  start() {
    const stored = new Map<number, string>();
    return check((fact, verdict) => {
      if (fact.kind === 'totem.ring-stored') {
        stored.set(fact.node, fact.ring);
        return;
      }
      const last = stored.get(fact.node);
      if (last === fact.ring) return;
      const what = fact.kind === 'totem.token' ? 'a token' : 'a message';
      verdict.violate(`${what} of ring ${fact.ring} was sent while ring ${last ?? 'none'} was stored`, [fact.node]);
    });
  },
});
