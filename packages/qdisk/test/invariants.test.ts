import { Checker, SECOND, type Stamped } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { DiskState, invariants, type QdiskFact } from '../src/index.js';
import { DiskCluster, VirtualDisk } from './disk-cluster.js';

type Told = QdiskFact extends infer F ? (F extends QdiskFact ? Omit<F, 'now'> : never) : never;

let at = 0;
/** A fact of a node, one second after the one before it. */
function fact(node: number, told: Told, life = 1): Stamped<QdiskFact> {
  at += SECOND;
  return { ...told, now: at, node, life, seq: at, at } as Stamped<QdiskFact>;
}

function violated(facts: readonly Stamped<QdiskFact>[]): string[] {
  const checker = new Checker(invariants);
  for (const each of facts) checker.observe(each);
  checker.end(at);
  return checker.violations.map(({ invariant, message }) => `${invariant}: ${message}`);
}

const { NONE, INIT, RUN, MASTER } = DiskState;
const state = (node: number, value: number, life = 1) =>
  fact(node, { kind: 'qdisk.state', state: value, score: 1, scoreRequired: 1 }, life);
const master = (node: number, of: number, life = 1) => fact(node, { kind: 'qdisk.master', master: of }, life);
const evicted = (node: number, peer: number, changes = {}) =>
  fact(node, { kind: 'qdisk.evicted', peer, state: MASTER, isUndead: false, isWritten: true, ...changes });
/** What a driver tells of the node's power. */
const power = (node: number, state: string) => fact(node, { kind: 'node.state', state } as never);
const grant = (node: number, nodes: number[], members = [1, 2, 3]) =>
  fact(node, { kind: 'qdisk.grant', nodes, members });
const poll = (node: number, of: number, changes = {}) =>
  fact(node, { kind: 'qdisk.poll', isUp: true, master: of, state: RUN, score: 1, scoreRequired: 1, ...changes });
const up = (node: number, peer: number) => fact(node, { kind: 'qdisk.node-up', peer });
const gone = (node: number, peer: number) => fact(node, { kind: 'qdisk.node-gone', peer });
const down = (node: number, peer: number) => fact(node, { kind: 'qdisk.node-down', peer, misses: 5 });

describe('S10: one un-evicted master', () => {
  it.each([
    ['the master stops, another takes over', [master(1, 1), state(1, NONE), master(2, 2)]],
    ['the master dies and is evicted first', [master(1, 1), evicted(2, 1), master(2, 2)]],
    ['the master resets itself', [master(1, 1), fact(1, { kind: 'qdisk.reboot', reason: 'score' }), master(2, 2)]],
    ['the master loses its power, and who takes over has never seen it', [master(1, 1), power(1, 'off'), master(2, 2)]],
    ['the master is back in another life', [master(1, 1), state(1, INIT, 2), master(2, 2)]],
    [
      'an evicted master that was paused goes on for a moment',
      [master(1, 1), evicted(2, 1), master(2, 2), master(1, 1)],
    ],
    ['followers see a master', [master(1, 1), master(2, 1), master(3, 1)]],
    ['a node bids while another one becomes master', [state(2, RUN), up(2, 1), master(1, 1), state(2, MASTER)]],
    ['the higher one ends the cycle in which it sees the lower one up', [master(2, 2), master(1, 1), up(2, 1)]],
    [
      'a node whose disk hangs goes on with an old bid, and has last seen the new master shut down',
      [state(1, RUN), up(1, 2), gone(1, 2), master(2, 2), state(1, MASTER)],
    ],
    ['the lower one stays', [master(1, 1), master(2, 2), up(1, 2), master(1, 1)]],
    [
      'who starts anew has to be seen up again',
      [up(2, 1), state(1, INIT, 2), master(1, 1, 2), master(2, 2), poll(2, 2, { state: MASTER })],
    ],
    // Found by storm 26 (swarm): a hung disk, and the one who follows has never seen the old master.
    ['the master stands still, and another one follows', [master(1, 1), master(2, 2), poll(2, 2, { state: MASTER })]],
  ])('holds: %s', (_, facts) => {
    expect(violated(facts)).toEqual([]);
  });

  it.each([
    ['that never see each other', Array.from({ length: 27 }, (_, i) => master(1 + (i % 2), 1 + (i % 2)))],
    ['of which the higher one sees the lower', [master(1, 1), up(2, 1), master(2, 2), poll(2, 2, { state: MASTER })]],
    [
      'of which the second had seen the first, and does not evict it',
      [
        ...[master(1, 1), up(2, 1), down(2, 1), master(2, 2)],
        ...[1, 2].map((node) => poll(node, node, { state: MASTER })),
      ],
    ],
    [
      'of which one goes on though it was evicted',
      [
        ...[master(1, 1), evicted(2, 1), master(2, 2)],
        ...Array.from({ length: 6 }, (_, i) => poll(1 + (i % 2), 1 + (i % 2), { state: MASTER })),
      ],
    ],
    [
      'and the second one gives up to evict the first',
      [
        ...[master(1, 1), up(2, 1), down(2, 1), master(2, 2), evicted(2, 1, { isWritten: false })],
        ...[2, 1, 2].map((node) => poll(node, node, { state: MASTER })),
      ],
    ],
    ['as one takes the role of another that it sees', [master(2, 2), up(1, 2), state(1, RUN), state(1, MASTER)]],
    ['as one loses sight of its master, and not of the node', [master(2, 2), up(1, 2), master(1, 0), state(1, MASTER)]],
  ])('is violated by two masters, %s', (_, facts) => {
    expect(violated(facts)).toEqual(['S10: nodes 1 and 2 are both master, expected one']);
  });

  // Found by storm 107 (swarm): its disk hung for 25 s in the middle of a cycle.
  it('counts a master that goes on when another one has followed it', () => {
    const checker = new Checker(invariants);
    for (const each of [master(1, 1), master(2, 2), poll(1, 1, { state: MASTER }), state(1, NONE)])
      checker.observe(each);
    expect(checker.violations).toEqual([]);
    expect(checker.counts.get('qdisk-stale-master')?.times).toBe(1);
  });

  // Found by storms: the disk of the follower hung again before it could see the old master up.
  it('counts a real master whose disk hung while another node started, until that one sees it up', () => {
    const cluster = new DiskCluster({ nodes: [1, 3] });
    for (const node of [1, 3]) cluster.view(node, [1, 3]);
    cluster.delayOf = (node) => {
      const ends = node === 1 && cluster.now > 15 * SECOND ? 30 : node === 3 && cluster.now > 31 * SECOND ? 45 : 0;
      return Math.max(0, ends * SECOND - cluster.now);
    };
    cluster.start(1);
    cluster.at(16 * SECOND, () => cluster.start(3));
    cluster.run(60 * SECOND);
    const checker = new Checker(invariants);
    for (const each of cluster.facts) checker.observe(each);
    expect(checker.violations).toEqual([]);
    expect(checker.counts.get('qdisk-stale-master')?.times).toBe(1);
    const masters = cluster.facts.filter((each) => each.kind === 'qdisk.poll' && each.state === MASTER && each.isUp);
    expect(new Set(masters.filter(({ at }) => at > 30 * SECOND && at < 46 * SECOND).map(({ node }) => node)).size).toBe(
      2,
    );
    expect(new Set(masters.filter(({ at }) => at > 50 * SECOND).map(({ node }) => node))).toEqual(new Set([1]));
  });

  it('counts an eviction that could not be written', () => {
    const checker = new Checker(invariants);
    for (const each of [master(1, 1), evicted(2, 1, { isWritten: false }), master(2, 2)]) checker.observe(each);
    expect(checker.violations).toEqual([]);
    expect(checker.counts.get('qdisk-eviction-unwritten')?.times).toBe(1);
  });

  it('is violated by real daemons of which one found another disk under the same label', () => {
    const cluster = new DiskCluster({ nodes: [1, 2, 3] });
    const other = new VirtualDisk();
    other.bytes.set(cluster.disk.bytes);
    cluster.diskOf = (node) => (node === 3 ? other : cluster.disk);
    for (const node of [1, 2, 3]) cluster.start(node);
    cluster.run(40 * SECOND);
    expect(violated(cluster.facts)).toEqual(['S10: nodes 1 and 3 are both master, expected one']);
  });
});

describe('Q1: polls by grant', () => {
  it.each([
    ['the master itself', [poll(1, 1, { state: MASTER })]],
    ['a node that was granted the votes', [grant(1, [1, 2]), poll(2, 1)]],
    ['a paused node that acts on an older grant', [grant(1, [1, 2]), grant(1, [1]), poll(2, 1)]],
    ['telling that it is down needs no grant', [poll(2, 0, { isUp: false, state: NONE, score: 0 })]],
  ])('holds: %s', (_, facts) => {
    expect(violated(facts)).toEqual([]);
  });

  it.each([
    [
      'without a grant',
      [grant(1, [1]), poll(2, 1)],
      'qdisk.Q1: node 2 polls by the grant of node 1, which granted it nothing',
    ],
    ['with a low score', [grant(1, [2]), poll(2, 1, { score: 0 })], 'qdisk.Q1: node 2 polls with score 0, needs 1'],
    [
      'in another state',
      [grant(1, [2]), poll(2, 1, { state: INIT })],
      'qdisk.Q1: node 2 polls in state 2, expected running or master',
    ],
  ])('is violated %s', (_, facts, message) => {
    expect(violated(facts)).toEqual([message]);
  });
});

describe('Q2: only the silent are evicted', () => {
  it.each([
    ['a dead node', [up(1, 2), down(1, 2), evicted(1, 2)]],
    ['an undead one, by anybody', [up(3, 2), evicted(3, 2, { state: RUN, isUndead: true })]],
  ])('holds: %s', (_, facts) => {
    expect(violated(facts)).toEqual([]);
  });

  it.each([
    ['itself', [evicted(1, 1)], 'qdisk.Q2: node 1 evicted itself'],
    ['a node that is up', [up(1, 2), evicted(1, 2)], 'qdisk.Q2: node 1 evicted node 2, which it sees up'],
    [
      'without being master',
      [down(1, 2), evicted(1, 2, { state: RUN })],
      'qdisk.Q2: node 1 evicted node 2 in state 5, expected master',
    ],
  ])('is violated by evicting %s', (_, facts, message) => {
    expect(violated(facts)).toEqual([message]);
  });
});

describe('Q3: grants to members', () => {
  it('holds for members', () => {
    expect(violated([grant(1, [1, 2])])).toEqual([]);
  });

  it('is violated by a grant to the other side', () => {
    expect(violated([grant(1, [1, 4])])).toEqual(['qdisk.Q3: master 1 grants to 4, not in {1,2,3}']);
  });
});
