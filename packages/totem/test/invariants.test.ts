import { Checker, type Fact, SECOND, type Stamped } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import type { CpgFact } from '../src/cpg/index.js';
import { corosync31, invariants, type NodeId, type TotemFact } from '../src/index.js';
import { Cluster } from './cluster.js';

/** Builds a history of facts, one second after the other. */
class History {
  readonly facts: Stamped[] = [];

  /** The transitional and the regular configuration that lead a node into a ring. */
  enter(node: NodeId, ring: string, members: readonly NodeId[], trans: readonly NodeId[] = [], life = 1): this {
    return this.transitional(node, ring, trans, life).regular(node, ring, members, life);
  }

  transitional(node: NodeId, ring: string, members: readonly NodeId[], life = 1): this {
    return this.#configuration(node, 'transitional', ring, members, life);
  }

  regular(node: NodeId, ring: string, members: readonly NodeId[], life = 1): this {
    return this.#configuration(node, 'regular', ring, members, life);
  }

  stored(node: NodeId, ring: string): this {
    return this.#add(node, { kind: 'totem.ring-stored', now: 0, ring, ringSeq: 1 });
  }

  sent(node: NodeId, ring: string, msgSeq: number): this {
    return this.#add(node, { kind: 'totem.sent', now: 0, ring, msgSeq, sender: node });
  }

  delivered(node: NodeId, ring: string, msgSeq: number, sender: NodeId): this {
    return this.#add(node, { kind: 'totem.delivered', now: 0, ring, msgSeq, sender });
  }

  sync(node: NodeId, kind: 'cpg.sync' | 'cpg.synced', ring: string): this {
    return this.#add(node, { kind, now: 0, ring });
  }

  members(node: NodeId, ring: string, place: number, members: readonly string[]): this {
    return this.#add(node, { kind: 'cpg.members', now: 0, ring, place, group: 'g', members });
  }

  message(node: NodeId, ring: string, place: number, from: string): this {
    return this.#add(node, { kind: 'cpg.message', now: 0, ring, place, group: 'g', pid: 1, from });
  }

  #configuration(node: NodeId, type: 'transitional' | 'regular', ring: string, members: readonly NodeId[], life = 1) {
    return this.#add(node, { kind: 'totem.configuration', now: 0, type, ring, members, joined: [], left: [] }, life);
  }

  #add(node: NodeId, fact: TotemFact | CpgFact, life = 1): this {
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
  history.members(1, '1.9', 1, ['1/1']).members(2, '1.9', 1, ['1/1']).message(2, '1.9', 2, '1/1');
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

it('a good history has no violation', () => {
  expect(violationsOf(good())).toEqual([]);
});

it.each([
  [
    'S1: a message is missing',
    pair().delivered(1, '1.9', 4, 1).delivered(1, '1.9', 6, 1),
    ['S1 [1] 6 of ring 1.9 was delivered where 5 was due'],
  ],
  [
    'S1: another message stands at the same place elsewhere',
    pair().delivered(1, '1.9', 4, 1).delivered(2, '1.9', 4, 2),
    ['S1 [2] 4 of ring 1.9 is of node 2 here and of node 1 elsewhere'],
  ],
  [
    'S2: a message is delivered twice',
    pair().delivered(1, '1.9', 4, 1).delivered(1, '1.9', 4, 1),
    ['S1 [1] 4 of ring 1.9 was delivered where 5 was due', 'S2 [1] 4 of ring 1.9 was delivered again'],
  ],
  [
    'S2: a message comes after the next ring was installed',
    pair().enter(1, '1.d', [1, 2], [1, 2]).delivered(1, '1.9', 4, 1),
    ['S2 [1] 4 of ring 1.9 was delivered in ring 1.d'],
  ],
  [
    'S3: one of two that move together lacks a message',
    pair().delivered(1, '1.9', 4, 1).enter(1, '1.d', [1, 2], [1, 2]).enter(2, '1.d', [1, 2], [1, 2]),
    [expect.stringMatching(/^S3 \[1 2\] from ring 1\.9 to 1\.d node 2 delivered 0 messages .*, node 1 1 /)],
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
    'V11: a message of one that is gone comes behind the transitional configuration',
    pair().transitional(1, '1.d', [1]).delivered(1, '1.9', 4, 2),
    ['totem.V11 [1] 4 of node 2 delivered in transitional 1.d'],
  ],
  [
    'V22: a message goes out in a ring that was not stored',
    pair().sent(1, '1.d', 1),
    ['totem.V22 [1] sent in ring 1.d while ring 1.9 was stored'],
  ],
  [
    'V23: two nodes know different members at one place',
    pair().members(1, '1.9', 1, ['1/1']).members(2, '1.9', 1, []),
    ['totem.V23 [1 2] g at place 1 of ring 1.9: nobody, at node 1: 1/1'],
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
