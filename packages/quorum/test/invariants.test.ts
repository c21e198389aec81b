import { Checker, type Nanos, type NodeStateFact, type PowerState, Prng, SECOND, type Stamped } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { type CmanConfig, invariants, type NodeId, type QuorumCause, type QuorumFact } from '../src/index.js';
import { Cluster } from './cluster.js';

type Changed = Extract<QuorumFact, { kind: 'quorum.changed' }>;

/** Builds a history of facts, one second after the other. */
class History {
  readonly facts: Stamped[] = [];

  changed(node: NodeId, ids: readonly NodeId[], rest: Partial<Changed> = {}): this {
    const members = ids.map((id) => ({ node: id, votes: 1 }));
    const deviceVotes = rest.deviceVotes ?? 0;
    const total = members.length + deviceVotes;
    const expected = rest.expected ?? 5;
    const isTwoNode = rest.isTwoNode ?? false;
    const quorum = isTwoNode ? 1 : Math.floor((Math.max(expected, total) + 2) / 2);
    return this.add(node, {
      kind: 'quorum.changed',
      now: 0,
      cause: 'member-up',
      isQuorate: quorum <= total,
      quorum,
      total,
      expected,
      members,
      deviceVotes,
      ring: { representative: ids[0] ?? 0, seq: 4 },
      isTwoNode,
      hasConfigError: false,
      ...rest,
    });
  }

  device(node: NodeId, votes: number, isUp: boolean): this {
    return this.add(node, { kind: 'quorum.device', now: 0, event: isUp ? 'up' : 'lapsed', name: 'q', votes, isUp });
  }

  state(node: NodeId, state: PowerState, life = 1): this {
    return this.add(node, { kind: 'node.state', now: 0, state }, life);
  }

  add(node: NodeId, fact: QuorumFact | NodeStateFact, life = 1): this {
    const seq = this.facts.length;
    this.facts.push({ ...fact, node, life, seq, at: seq * SECOND });
    return this;
  }
}

function check(facts: readonly Stamped[]): Checker {
  const checker = new Checker(invariants);
  for (const fact of facts) checker.observe(fact);
  checker.end(facts.length * SECOND);
  return checker;
}

function violationsOf(facts: readonly Stamped[]): readonly string[] {
  return check(facts).violations.map(({ invariant, nodes, message }) => `${invariant} [${nodes.join(' ')}] ${message}`);
}

function countsOf(facts: readonly Stamped[]): readonly (readonly [string, number, Nanos])[] {
  const checker = check(facts);
  expect(checker.violations).toEqual([]);
  return [...checker.counts].map(([name, { times, largest }]) => [name, times, largest]);
}

const causes: readonly QuorumCause[] = ['removed', 'expected', 'votes', 'config'];

describe('S8 quorum-unique', () => {
  it('has nothing against one side, nor against views that overlap', () => {
    const facts = new History().changed(1, [1, 2, 3]).changed(2, [2, 3, 4]).changed(4, [4, 5]).changed(5, [5]).facts;
    expect(violationsOf(facts)).toEqual([]);
  });

  it('trips over two sides that share no node', () => {
    const facts = new History()
      .changed(1, [1, 2, 3])
      .changed(4, [4, 5], { quorum: 2, isQuorate: true, expected: 2 })
      .changed(5, [4, 5], { quorum: 2, isQuorate: true, expected: 2 }).facts;
    expect(violationsOf(facts)).toEqual([
      'S8 [1 4] node 1 with {1 2 3} (3 of 5 votes, quorum 3) and node 4 with {4 5} (2 of 2 votes, quorum 2) are quorate, ' +
        'and no node is in both',
    ]);
  });

  it.each([
    ['is off', (history: History) => history.state(1, 'off')],
    ['is paused', (history: History) => history.state(1, 'paused')],
    ['left', (history: History) => history.add(1, { kind: 'quorum.left', now: 0, isRemoved: false })],
    ['was killed', (history: History) => history.add(1, { kind: 'quorum.killed', now: 0, by: 2, reason: 'cmantool' })],
    ['has rebooted', (history: History) => history.state(1, 'up', 2)],
    ['has started cman again', (history: History) => history.add(1, { kind: 'quorum.started', now: 0 })],
  ])('does not count a node that %s', (_, gone) => {
    const history = new History().device(1, 4, true).changed(1, [1], { deviceVotes: 4, expected: 9 });
    expect(violationsOf(gone(history).changed(2, [2, 3, 4, 5]).facts)).toEqual([]);
  });

  it('counts a node again that was paused', () => {
    const split = { quorum: 2, isQuorate: true, expected: 2 };
    const facts = new History().changed(1, [1, 2, 3]).state(1, 'paused').changed(4, [4, 5], split).state(1, 'up').facts;
    expect(violationsOf(facts)).toHaveLength(1);
  });

  it('counts the double-quorum window with its length', () => {
    const device = { deviceVotes: 4, expected: 9 };
    const facts = new History()
      .device(1, 4, true)
      .device(2, 4, true)
      .changed(1, [1], device)
      .changed(2, [2, 3, 4, 5], device)
      .state(9, 'up')
      .device(2, 4, false)
      .changed(2, [2, 3, 4, 5], { expected: 9 }).facts;
    expect(countsOf(facts)).toEqual([['quorum-double-window', 1, 3 * SECOND]]);
  });

  it('counts two nodes that are enough alone', () => {
    const facts = new History().changed(1, [1], { isTwoNode: true }).changed(2, [2], { isTwoNode: true }).facts;
    expect(countsOf(facts)).toEqual([['quorum-two-node', 1, SECOND]]);
  });

  it.each(causes)('counts a side that an administrator let do with less (%s)', (cause) => {
    const facts = new History()
      .changed(4, [4, 5])
      .changed(4, [4, 5], { cause, expected: 2 })
      .changed(1, [1, 2, 3]).facts;
    expect(countsOf(facts)).toEqual([['quorum-lowered', 1, SECOND]]);
  });

  it('counts sides with more votes than anybody expects', () => {
    const facts = new History().changed(1, [1, 2], { expected: 2 }).changed(3, [3, 4], { expected: 2 }).facts;
    expect(countsOf(facts)).toEqual([['quorum-expected-too-low', 1, SECOND]]);
  });
});

describe('S9 quorum-sum', () => {
  it('has nothing against votes of members and device that add up, even above the expected votes', () => {
    const facts = new History()
      .device(1, 4, true)
      .changed(1, [1, 2, 3, 4, 5], { deviceVotes: 4 })
      .device(1, 4, false)
      .changed(1, [1, 2])
      .changed(1, [1], { isTwoNode: true })
      .changed(2, [1, 2, 3, 4, 5], { hasConfigError: true, isQuorate: false }).facts;
    expect(violationsOf(facts)).toEqual([]);
  });

  it.each<[string, Partial<Changed>, string]>([
    ['a member counted twice', { total: 4 }, '4 votes in all, members and device have 3'],
    ['half of the votes', { quorum: 2 }, 'quorum 2 of 5 expected and 3 present votes, at least 3'],
    ['a quorum without votes', { quorum: 4 }, 'quorate with 3 votes and quorum 4'],
    ['votes without a quorum', { isQuorate: false }, 'inquorate with 3 votes and quorum 3'],
    ['a configuration that nobody could read', { hasConfigError: true }, 'quorate with 3 votes and quorum 3'],
    ['a device that is down', { deviceVotes: 4, total: 7, quorum: 4 }, '4 device votes counted, the device has 0'],
  ])('trips over %s', (_, planted, message) => {
    const facts = new History().changed(1, [1, 2, 3], { isQuorate: true, ...planted }).facts;
    expect(violationsOf(facts)).toEqual([`S9 [1] node 1: ${message}`]);
  });

  it('knows nothing of the device when cman is started again', () => {
    const history = new History().device(1, 4, true).add(1, { kind: 'quorum.started', now: 0 });
    expect(violationsOf(history.changed(1, [1, 2, 3]).facts)).toEqual([]);
  });

  it('trips over the votes of a device that has lapsed, or was up in an earlier life', () => {
    const lapsed = new History().device(1, 4, true).device(1, 4, false).changed(1, [1, 2, 3], { deviceVotes: 4 }).facts;
    expect(violationsOf(lapsed)).toEqual(['S9 [1] node 1: 4 device votes counted, the device has 0']);
    const [up, changed] = new History().device(1, 4, true).changed(1, [1, 2, 3], { deviceVotes: 4 }).facts;
    expect(violationsOf([up!, { ...changed!, life: 2 }])).toHaveLength(1);
  });
});

describe('the machine itself', () => {
  const nodes = [1, 2, 3, 4, 5].map((nodeId) => ({ nodeId, name: `n${nodeId}` }));

  function configOf(nodeId: NodeId, rest: Partial<CmanConfig> = {}): CmanConfig {
    return { nodeId, clusterName: 'c', clusterId: 1, configVersion: 1, nodes, quorumDevPoll: 10 * SECOND, ...rest };
  }

  it('splits the brain of a cluster whose nodes were told different expected votes and never met', () => {
    const cluster = new Cluster();
    for (const node of [1, 2, 3]) cluster.boot(configOf(node));
    for (const node of [4, 5]) cluster.boot(configOf(node, { expectedVotes: 2 }));
    cluster.ring([1, 2, 3]);
    cluster.ring([4, 5]);
    expect(violationsOf(cluster.facts)).toHaveLength(1);
    // Once they have met, the highest expected votes count on both sides.
    const met = new Cluster();
    for (const node of [1, 2, 3]) met.boot(configOf(node));
    for (const node of [4, 5]) met.boot(configOf(node, { expectedVotes: 2 }));
    met.ring([1, 2, 3, 4, 5]);
    met.ring([1, 2, 3]);
    met.ring([4, 5]);
    expect(violationsOf(met.facts)).toEqual([]);
  });

  it('is caught when it does not tell that the device lapsed', () => {
    const cluster = new Cluster();
    cluster.boot(configOf(1));
    cluster.ring([1]);
    cluster.step(1, { kind: 'register-device', name: 'q', votes: 4 });
    cluster.step(1, { kind: 'poll-device', isUp: true });
    cluster.run(10 * SECOND);
    expect(violationsOf(cluster.facts)).toEqual([]);
    const silent = cluster.facts.filter((fact) => fact.kind !== 'quorum.device' || fact.event !== 'lapsed');
    expect(violationsOf(silent)).toEqual(['S9 [1] node 1: 0 device votes counted, the device has 4']);
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'keeps both through partitions, crashes and votes, seed %i',
    (seed) => {
      const prng = Prng.derive({ hi: 0, lo: seed }, 'quorum');
      const cluster = new Cluster();
      const up = new Set<NodeId>();
      const config = { expectedVotes: prng.below(2) === 0 ? 5 : 9 };
      const hasDevice = config.expectedVotes === 9;
      for (let i = 0; i < 60; i++) {
        const node = 1 + prng.below(5);
        if (!up.has(node)) {
          up.add(node);
          cluster.boot(configOf(node, config));
          cluster.ring([node]);
          if (hasDevice) cluster.step(node, { kind: 'register-device', name: 'q', votes: 4 });
        } else if (prng.below(6) === 0) {
          up.delete(node);
          cluster.off(node);
        }
        // Totem's rings, and the quorum disk's votes for those whom the lowest node sees.
        const side = [...up].sort((a, b) => a - b).filter(() => prng.below(3) > 0);
        const rest = [...up].sort((a, b) => a - b).filter((other) => !side.includes(other));
        for (const members of [side, rest]) if (members.length > 0) cluster.ring(members);
        const winners = side.length > 0 && (rest.length === 0 || side[0]! < rest[0]!) ? side : rest;
        if (hasDevice) for (const winner of winners) cluster.step(winner, { kind: 'poll-device', isUp: true });
        cluster.run(prng.below(4) * SECOND);
        for (const members of [side, rest]) expectAgreement(cluster, members);
      }
      const checker = check(cluster.facts);
      expect(checker.violations).toEqual([]);
      for (const name of checker.counts.keys()) expect(name).toBe('quorum-double-window');
    },
  );
});

/** All nodes of a ring see the same members. */
function expectAgreement(cluster: Cluster, ring: readonly NodeId[]): void {
  for (const node of ring) {
    const members = cluster
      .cman(node)
      .nodes()
      .filter(({ nodeId, state }) => nodeId !== 0 && state === 'member');
    expect(members.map(({ nodeId }) => nodeId)).toEqual(ring);
  }
}
