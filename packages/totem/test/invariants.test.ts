import { Checker, type Fact, SECOND, type Stamped } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import type { CpgFact } from '../src/cpg/index.js';
import {
  type CalmFact,
  corosync31,
  invariants,
  type NodeId,
  type Suspicion,
  type TokenFact,
  type TotemFact,
} from '../src/index.js';
import { Cluster } from './cluster.js';

/** Builds a history of facts, one second after the other. */
class History {
  readonly facts: Stamped[] = [];

  /** The transitional and the regular configuration that lead a node into a ring. */
  enter(node: NodeId, ring: string, members: readonly NodeId[], trans: readonly NodeId[] = [], life = 1): this {
    return this.transitional(node, ring, trans, life).regular(node, ring, members, life);
  }

  transitional(node: NodeId, ring: string, members: readonly NodeId[], life = 1, left: readonly NodeId[] = []): this {
    return this.#configuration(node, 'transitional', ring, members, life, left);
  }

  regular(node: NodeId, ring: string, members: readonly NodeId[], life = 1): this {
    return this.#configuration(node, 'regular', ring, members, life);
  }

  started(node: NodeId): this {
    return this.#add(node, { kind: 'totem.started', now: 0 });
  }

  stored(node: NodeId, ring: string): this {
    return this.#add(node, { kind: 'totem.ring-stored', now: 0, ring, ringSeq: 1 });
  }

  sent(node: NodeId, ring: string, msgSeq: number): this {
    return this.#add(node, { kind: 'totem.sent', now: 0, ring, msgSeq, sender: node, digest: 7, isSafe: false });
  }

  delivered(node: NodeId, ring: string, msgSeq: number, sender: NodeId, isSafe = false, digest = 7): this {
    return this.#add(node, { kind: 'totem.delivered', now: 0, ring, msgSeq, sender, digest, isSafe });
  }

  sync(node: NodeId, kind: 'cpg.sync' | 'cpg.synced', ring: string): this {
    return this.#add(node, { kind, now: 0, ring });
  }

  members(node: NodeId, ring: string, place: number, members: readonly string[]): this {
    return this.#add(node, { kind: 'cpg.members', now: 0, ring, place, group: 'g', members });
  }

  /** A process is told that it has joined. */
  confchg(node: NodeId, ring: string, place: number, pid: number): this {
    const joined = [`${node}/${pid}`];
    return this.#add(node, {
      ...{ kind: 'cpg.confchg', now: 0, ring, place, group: 'g', pid, members: joined, joined, left: [] },
    });
  }

  message(node: NodeId, ring: string, place: number, from: string): this {
    return this.#add(node, { kind: 'cpg.message', now: 0, ring, place, group: 'g', pid: 1, from });
  }

  token(node: NodeId, ring: string, more: Partial<TokenFact>): this {
    const counts = { tokenSeq: 1, arrivedAru: 0, highSeq: 0, aru: 0, fcc: 0, backlog: 0, sent: 0, resent: 0 };
    return this.#add(node, { kind: 'totem.token', now: 0, ring, ...counts, maxMessages: 17, released: 0, ...more });
  }

  /** With 10 ns of patience. */
  suspected(node: NodeId, suspect: NodeId, why: Suspicion, waited: number): this {
    return this.#add(node, { kind: 'totem.suspected', now: 0, suspect, why, waited, patience: 10 });
  }

  calm(nodes: readonly NodeId[], within: number): this {
    return this.#add(0, { kind: 'totem.calm', now: 0, nodes, within });
  }

  #configuration(
    node: NodeId,
    type: 'transitional' | 'regular',
    ring: string,
    members: readonly NodeId[],
    life = 1,
    left: readonly NodeId[] = [],
  ): this {
    return this.#add(node, { kind: 'totem.configuration', now: 0, type, ring, members, joined: [], left }, life);
  }

  #add(node: NodeId, fact: TotemFact | CpgFact | CalmFact, life = 1): this {
    const seq = this.facts.length;
    this.facts.push({ ...fact, node, life, seq, at: seq * SECOND });
    return this;
  }
}

/** Nodes 1 and 2 in ring 1.9, two messages, then 3 joins them in ring 1.d, and 2 goes. */
function good(): History {
  const history = new History();
  for (const node of [1, 2]) {
    history.enter(node, `${node}.5`, [node]).stored(node, '1.9').enter(node, '1.9', [1, 2], [node]);
    history.sync(node, 'cpg.sync', '1.9').sync(node, 'cpg.synced', '1.9');
  }
  history.sent(1, '1.9', 4).delivered(1, '1.9', 4, 1).delivered(2, '1.9', 4, 1);
  history.members(1, '1.9', 1, ['1/1']).members(2, '1.9', 1, ['1/1']);
  history.confchg(2, '1.9', 1, 1).message(2, '1.9', 2, '1/1');
  history.sent(2, '1.9', 5).delivered(2, '1.9', 5, 2).transitional(1, '1.d', [1, 2]).delivered(1, '1.9', 5, 2);
  history.regular(1, '1.d', [1, 2, 3]).enter(2, '1.d', [1, 2, 3], [1, 2]).enter(3, '1.d', [1, 2, 3], []);
  return history.stored(1, '1.d').sent(1, '1.d', 1).delivered(1, '1.d', 1, 1).enter(1, '1.11', [1, 3], [1, 3]);
}

function violationsOf({ facts }: History): readonly string[] {
  const checker = new Checker(invariants);
  for (const fact of facts) checker.observe(fact);
  checker.end(facts.length * SECOND);
  return checker.violations.map(({ invariant, nodes, message }) => `${invariant} [${nodes.join(' ')}] ${message}`);
}

/** Both nodes in ring 1.9. */
function pair(): History {
  const history = new History();
  for (const node of [1, 2])
    history.enter(node, `${node}.5`, [node]).stored(node, '1.9').enter(node, '1.9', [1, 2], [node]);
  return history;
}

/** Both nodes in ring 1.9, where node 1 has sent 4 to 7. */
function spoken(): History {
  const history = pair();
  for (let seq = 4; seq <= 7; seq++) history.sent(1, '1.9', seq);
  return history;
}

/** Both have delivered them, and one has sent 8. */
function heard(sender: NodeId = 2): History {
  const history = spoken();
  for (const node of [1, 2]) for (let seq = 4; seq <= 7; seq++) history.delivered(node, '1.9', seq, 1);
  return history.sent(sender, '1.9', 8);
}

it('a good history has no violation, nor has a machine that is started again while its node lives on', () => {
  expect(violationsOf(good())).toEqual([]);
  expect(violationsOf(new History().started(1).enter(1, '1.5', [1]).started(1).enter(1, '1.9', [1]))).toEqual([]);
});

it.each([
  [
    'S1: a message is missing',
    spoken().delivered(2, '1.9', 4, 1).delivered(2, '1.9', 6, 1),
    ['S1 [2] 6 of ring 1.9 was delivered where 5 was due'],
  ],
  [
    'S1: another message stands at the same place elsewhere',
    spoken().delivered(1, '1.9', 4, 1).delivered(2, '1.9', 4, 2),
    [
      'S1 [2] 4 of ring 1.9 is of node 2 here and of node 1 elsewhere',
      'totem.V1 [2] 4 of ring 1.9 was delivered as of node 2, node 1 sent it',
    ],
  ],
  [
    'S2: a message is delivered twice',
    spoken().delivered(2, '1.9', 4, 1).delivered(2, '1.9', 4, 1),
    ['S1 [2] 4 of ring 1.9 was delivered where 5 was due', 'S2 [2] 4 of ring 1.9 was delivered again'],
  ],
  [
    'S2: a message comes after the next ring was installed',
    heard().enter(1, '1.d', [1, 2], [1, 2]).delivered(1, '1.9', 8, 2),
    ['S2 [1] 8 of ring 1.9 was delivered in ring 1.d'],
  ],
  [
    'S3: one of two that move together lacks a message',
    heard(1).delivered(1, '1.9', 8, 1).enter(1, '1.d', [1, 2], [1, 2]).enter(2, '1.d', [1, 2], [1, 2]),
    [expect.stringMatching(/^S3 \[1 2\] from ring 1\.9 to 1\.d node 2 delivered 4 messages .*, node 1 5 /)],
  ],
  [
    'S4: there is no transitional configuration',
    pair().regular(1, '1.d', [1, 2]),
    ['S4 [1] regular 1.d follows transitional none'],
  ],
  [
    'S4: the transitional configuration has a newcomer',
    pair().enter(1, '1.d', [1, 2, 3], [1, 2, 3]),
    ['S4 [1] transitional 1.d has 3, which regular 1.9 has not'],
  ],
  [
    'S6: an own message is never delivered',
    pair().sent(1, '1.9', 4).enter(1, '1.d', [1, 2], [1, 2]),
    ['S6 [1] own 4 of ring 1.9 never delivered'],
  ],
  [
    'S7: a restarted node begins with an old ring',
    new History().enter(1, '1.9', [1]).enter(1, '1.5', [1], [], 2),
    ['S7 [1] ring 1.5 installed after sequence 9'],
  ],
  [
    'S7: one ring has two lists of members',
    new History().enter(1, '1.9', [1, 2]).enter(2, '1.9', [2, 3]),
    ['S7 [1 2] ring 1.9 has members 2 3 here, 1 2 at node 1'],
  ],
  [
    'V3: a node is not in its own configuration',
    new History().enter(1, '2.9', [2]),
    ['totem.V3 [1] regular 2.9 has members 2'],
  ],
  [
    'V3: a node has an empty configuration again, and was not started',
    new History().started(1).enter(1, '1.5', [1]).enter(1, '1.9', [1]),
    ['totem.V3 [1] transitional 1.9 has members '],
  ],
  [
    'V11: a message of one that is gone comes behind the transitional configuration',
    heard().transitional(1, '1.d', [1]).delivered(1, '1.9', 8, 2),
    ['totem.V11 [1] 8 of node 2 delivered in transitional 1.d'],
  ],
  [
    'V11: a message of a member is passed over behind the transitional configuration',
    heard().sent(1, '1.9', 9).sent(1, '1.9', 10).transitional(1, '1.d', [1]).delivered(1, '1.9', 10, 1),
    ['S6 [1] own 10 delivered where own 9 was due', 'totem.V11 [1] 9 of member 1 was passed over in transitional 1.d'],
  ],
  [
    'V11 lets safe messages that not everybody had come first, whoever sent them',
    heard().transitional(1, '1.d', [1]).delivered(1, '1.9', 8, 2, true),
    [],
  ],
  [
    'S5: a member delivers a safe message that another one does not',
    heard(1).delivered(1, '1.9', 8, 1, true).enter(2, '2.d', [2], [2]),
    ['S5 [2 1] safe 8 of ring 1.9, which node 1 delivered, was not delivered by node 2'],
  ],
  [
    'S5: a member had gone without it before',
    heard(1).enter(2, '2.d', [2], [2]).delivered(1, '1.9', 8, 1, true),
    ['S5 [2 1] safe 8 of ring 1.9, which node 1 delivered, was not delivered by node 2'],
  ],
  ['S5 lets a member fail', heard(1).delivered(1, '1.9', 8, 1, true).enter(2, '2.d', [2], [], 2), []],
  [
    'V1: nobody sent what is delivered',
    pair().delivered(1, '1.9', 4, 2),
    ['totem.V1 [1] 4 of ring 1.9 was delivered as of node 2, nobody sent it'],
  ],
  [
    'V2: two nodes give one place',
    pair().sent(1, '1.9', 4).sent(2, '1.9', 4),
    ['totem.V2 [1 2] 4 of ring 1.9 was sent by node 1 and by node 2'],
  ],
  [
    'V2: a copy carries something else',
    pair().sent(1, '1.9', 4).delivered(2, '1.9', 4, 1, false, 8),
    ['totem.V2 [1 2] 4 of ring 1.9 was sent as 00000007 and delivered as 00000008'],
  ],
  [
    'V7: two that come together see different lists',
    pair().enter(1, '1.d', [1, 2], [1, 2]).enter(2, '1.d', [1, 2], [2]),
    ['totem.V7 [1 2] transitional 1.d has members 2 here, 1 2 at node 1'],
  ],
  [
    'V7: one that came another way is named',
    pair().enter(2, '2.d', [2], [2]).enter(2, '1.11', [1, 2], [2]).enter(1, '1.11', [1, 2], [1, 2]),
    ['totem.V7 [2 1] transitional 1.11 has node 2, which comes from ring 2.d'],
  ],
  [
    'V12: an answer has an earlier place than its question',
    pair().sent(1, '1.9', 5).delivered(2, '1.9', 5, 1).sent(2, '1.9', 4),
    ['totem.V12 [2] 4 of ring 1.9 was sent after 5'],
  ],
  [
    'V15: two that take each other along enter different rings',
    pair().enter(1, '1.d', [1, 2], [1, 2]).enter(2, '2.d', [1, 2], [1, 2]),
    ['totem.V15 [1 2] node 1 goes from ring 1.9 to 1.d, node 2 with it to 2.d'],
  ],
  [
    'V17: quiet does not bring everybody together',
    pair().enter(3, '3.5', [3]).calm([1, 2, 3], SECOND),
    [
      'totem.V17 [1] node 1 is off in ring 1.9 of 1 2, expected one ring of 1 2 3',
      'totem.V17 [2] node 2 is off in ring 1.9 of 1 2, expected one ring of 1 2 3',
      'totem.V17 [3] node 3 is off in ring 3.5 of 3, expected one ring of 1 2 3',
    ],
  ],
  [
    'V18: a token is accepted twice',
    pair().token(1, '1.9', { tokenSeq: 4 }).token(2, '1.9', { tokenSeq: 5 }).token(1, '1.9', { tokenSeq: 5 }),
    ['totem.V18 [2 1] token 5 of ring 1.9 was accepted after 5 at node 2'],
  ],
  [
    'V19: the aru passes the seq',
    pair().token(1, '1.9', { highSeq: 3, aru: 4 }),
    ['totem.V19 [1] token 1 of ring 1.9 has aru 4 and seq 3'],
  ],
  [
    'V19: a node forgets after one token what another one may lack',
    pair()
      .token(1, '1.9', { highSeq: 3, aru: 2 })
      .token(1, '1.9', { tokenSeq: 2, highSeq: 3, arrivedAru: 3, released: 3 }),
    ['totem.V19 [1] ring 1.9 is released to 3 by a token that went with aru 2 and came back with 3'],
  ],
  [
    'V20: a node sends more than it may',
    pair().token(1, '1.9', { sent: 16, resent: 2, fcc: 18 }),
    ['totem.V20 [1] 18 packets sent with token 1 of ring 1.9, at most 17'],
  ],
  [
    'V20: fcc is not what was sent',
    pair().token(1, '1.9', { sent: 3, fcc: 3 }).token(2, '1.9', { tokenSeq: 2, sent: 2, fcc: 3 }),
    ['totem.V20 [2] token 2 of ring 1.9 has fcc 3, the nodes sent 5'],
  ],
  [
    'V21: a node is left behind for no reason',
    pair().transitional(1, '1.d', [1], 1, [2]).regular(1, '1.d', [1]),
    ['totem.V21 [1 2] node 2 was left behind on the way to ring 1.d for no reason'],
  ],
  [
    'V21: a node counts as silent too early',
    pair().suspected(1, 2, 'silent', 5).transitional(1, '1.d', [1], 1, [2]).regular(1, '1.d', [1]),
    ['totem.V21 [1] node 2 counts as silent after 5 ns, expected 10'],
  ],
  [
    'V22: a token goes out in a ring that was not stored',
    pair().token(1, '1.d', {}),
    ['totem.V22 [1] a token of ring 1.d was sent while ring 1.9 was stored'],
  ],
  [
    'V22: a message goes out in a ring that was not stored',
    pair().sent(1, '1.d', 1),
    ['totem.V22 [1] a message of ring 1.d was sent while ring 1.9 was stored'],
  ],
  [
    'V23: two nodes know different members at one place',
    pair().members(1, '1.9', 1, ['1/1']).members(2, '1.9', 1, []),
    ['totem.V23 [1 2] g at place 1 of ring 1.9: nobody, at node 1: 1/1'],
  ],
  [
    'V23: a message goes to a process that is not in its group',
    pair().message(1, '1.9', 1, '2/1').members(1, '1.9', 2, []),
    ['totem.V23 [1] the message at g at place 1 of ring 1.9 went to 1, expected nobody'],
  ],
  [
    'V23: a process in the group is passed over',
    pair()
      .confchg(1, '1.9', 1, 1)
      .confchg(1, '1.9', 2, 2)
      .message(1, '1.9', 3, '2/1')
      .members(1, '1.9', 4, ['1/1', '1/2']),
    ['totem.V23 [1] the message at g at place 3 of ring 1.9 went to 1, expected 1 2'],
  ],
  [
    'V24: a message reaches a process in the middle of a synchronisation',
    pair().sync(1, 'cpg.sync', '1.9').message(1, '1.9', 1, '2/1'),
    ['totem.V24 [1] g got a message of 2/1 before ring 1.9 was synchronised'],
  ],
])('%s', (_, history, expected) => {
  expect(violationsOf(history)).toEqual(expected);
});

describe('in a running cluster', () => {
  it('a ring sequence that the embedder does not store trips S7 at the next start', () => {
    const cluster = new Cluster({ nodes: 1, timings: corosync31(2, { tokenMs: 1000 }) });
    cluster.boot(1);
    cluster.run(SECOND);
    expect(cluster.checker.violations).toEqual([]);
    cluster.crash(1);
    cluster.station(1).ringSeq = 0;
    cluster.boot(1);
    cluster.run(SECOND);
    expect(cluster.checker.violations.map(({ invariant }) => invariant)).toContain('S7');
  });

  it('facts are plain data', () => {
    const cluster = new Cluster({ nodes: 2, cpg: true });
    const facts: Fact[] = [];
    cluster.onFact = (fact) => facts.push(fact);
    for (const id of cluster.ids) cluster.boot(id);
    cluster.run(SECOND);
    cluster.cpgInput(1, { kind: 'join', group: 'g', pid: 1 });
    cluster.run(SECOND);
    expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
    expect(new Set(facts.map(({ kind }) => kind))).toContain('cpg.confchg');
  });
});
