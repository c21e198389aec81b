import { ByteWriter, MICROSECOND, MILLISECOND, type Nanos, Prng, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { cman, corosync14, corosync31, type NodeId, Totem, type TotemOutput, type TotemTimings } from '../src/index.js';
import { encodeJoin } from '../src/wire/join.js';
import { Cluster, type ClusterOptions, FAIR } from './cluster.js';

const FAST = corosync31(2, { tokenMs: 1000 });
const TOKEN_1000 = corosync31(5, { tokenMs: 1000, tokenCoefficientMs: 0 });
const TOKEN_10000 = corosync31(5, { tokenMs: 10_000, tokenCoefficientMs: 0 });

function formed(options: ClusterOptions): Cluster {
  const cluster = new Cluster(options);
  for (const id of cluster.ids) cluster.boot(id);
  expect(cluster.runUntil(() => cluster.isRingOf(cluster.ids), 2 * SECOND)).toBe(true);
  cluster.run(2 * SECOND);
  return cluster;
}

/** A node's configurations, as `t` or `r`, the ring, members, and who joined and left. */
function configurations(cluster: Cluster, node: NodeId): string[] {
  return cluster.said.flatMap(({ node: speaker, output }) => {
    if (speaker !== node || output.kind !== 'configuration') return [];
    const { type, ring, members, joined, left } = output;
    const changes = `${joined.map((id) => ` +${id}`).join('')}${left.map((id) => ` -${id}`).join('')}`;
    return [`${type[0]} ${ring.representative} [${members.join(' ')}]${changes}`];
  });
}

function logs(cluster: Cluster, node: NodeId): string[] {
  return cluster.said.flatMap(({ node: speaker, output }) =>
    speaker === node && output.kind === 'log' && output.priority !== 'debug' ? [output.text] : [],
  );
}

describe('who is representative, and whom the token goes to', () => {
  it.each([
    ['modern', 1],
    ['rhel6', 3],
  ] as const)('in era %s node %i', (era, representative) => {
    const cluster = new Cluster({ nodes: 3, era, timings: FAST, addresses: ['10.0.0.30', '10.0.0.200', '10.0.0.4'] });
    const way: string[] = [];
    cluster.filter = (from, to, bytes) => {
      if (bytes[3] === 0) way.push(`${from}>${to}`);
      return true;
    };
    for (const id of cluster.ids) cluster.boot(id);
    cluster.run(SECOND);
    expect(cluster.totem(1).inspect().ring).toMatch(new RegExp(`^${representative}\\.`));
    const order = era === 'modern' ? ['1>2', '2>3', '3>1'] : ['3>1', '1>2', '2>3'];
    const start = way.lastIndexOf(order[0]!);
    expect(way.slice(start - 3, start)).toEqual(order);
  });
});

describe('configurations', () => {
  it('come in pairs, the first of a node from nobody', () => {
    const cluster = new Cluster({ nodes: 2, timings: FAST });
    cluster.boot(1);
    cluster.run(SECOND);
    cluster.boot(2);
    cluster.run(SECOND);
    expect(configurations(cluster, 1)).toEqual(['t 1 []', 'r 1 [1] +1', 't 1 [1]', 'r 1 [1 2] +2']);
    expect(configurations(cluster, 2)).toEqual(['t 2 []', 'r 2 [2] +2', 't 1 [2]', 'r 1 [1 2] +1']);
    expect(logs(cluster, 2)).toEqual([
      'The network interface [10.0.0.2] is now up.',
      'A new membership (2.5) was formed. Members joined: 2',
      'A new membership (1.9) was formed. Members joined: 1',
    ]);
  });

  it('tell both sides of a partition, and both of the merge', () => {
    const cluster = formed({ nodes: 5, timings: FAST });
    cluster.said.length = 0;
    cluster.partition([1, 2]);
    cluster.run(4 * SECOND);
    expect([cluster.isRingOf([1, 2]), cluster.isRingOf([3, 4, 5])]).toEqual([true, true]);
    expect(configurations(cluster, 2)).toEqual(['t 1 [1 2] -3 -4 -5', 'r 1 [1 2]']);
    expect(configurations(cluster, 4)).toEqual(['t 3 [3 4 5] -1 -2', 'r 3 [3 4 5]']);
    // As in the recording of a partition: both sides go on with the same sequence.
    expect(cluster.totem(1).inspect().ring.slice(2)).toBe(cluster.totem(3).inspect().ring.slice(2));

    cluster.said.length = 0;
    cluster.heal();
    expect(cluster.runUntil(() => cluster.isRingOf(cluster.ids), 2 * SECOND)).toBe(true);
    expect(configurations(cluster, 2)).toEqual(['t 1 [1 2]', 'r 1 [1 2 3 4 5] +3 +4 +5']);
    expect(configurations(cluster, 4)).toEqual(['t 1 [3 4 5]', 'r 1 [1 2 3 4 5] +1 +2']);
    expect(cluster.checker.violations).toEqual([]);
  });

  it('of a leave come within milliseconds', () => {
    const cluster = formed({ nodes: 3, timings: FAST });
    cluster.said.length = 0;
    cluster.leave(3);
    cluster.run(5 * MILLISECOND);
    expect(configurations(cluster, 1)).toEqual(['t 1 [1 2] -3', 'r 1 [1 2]']);
    expect(logs(cluster, 1)).toEqual([
      expect.stringMatching(/^A new membership \(1\.[0-9a-f]+\) was formed\. Members left: 3$/),
    ]);
    expect(cluster.said.some(({ node, output }) => node === 3 && output.kind === 'left')).toBe(true);
  });

  it('ask for the ring sequence to be stored, which only grows', () => {
    const cluster = formed({ nodes: 3, timings: FAST });
    cluster.crash(1);
    cluster.boot(1);
    cluster.run(5 * SECOND);
    const stored = cluster.said.flatMap(({ node, output }) =>
      node === 1 && output.kind === 'store-ring-seq' ? [output.seq] : [],
    );
    expect(stored.length).toBeGreaterThan(2);
    expect(stored).toEqual([...new Set(stored)].sort((a, b) => a - b));
  });
});

/** From the crash of a node in an idle ring to the survivors' new configuration. */
function detection(timings: TotemTimings, nodes: number, era: 'rhel6' | 'modern', wait: Nanos): Nanos {
  const cluster = formed({ nodes, timings, era });
  cluster.run(wait);
  const crashedAt = cluster.now;
  cluster.crash(nodes);
  const others = cluster.ids.slice(0, -1);
  expect(cluster.runUntil(() => cluster.isRingOf(others), 60 * SECOND)).toBe(true);
  return cluster.now - crashedAt;
}

describe('a dead node is out after token and consensus, less the age of the last token', () => {
  it.each([
    // Lower bound: token - hold + consensus. What corosync 3.1.7 took is between them too, for all of these but the first.
    ['cman, two nodes', cman(2), 2, 'rhel6', 10_106, 12_010],
    ['cman, three nodes', cman(3), 3, 'rhel6', 20_106, 22_010],
    ['cman, five nodes', cman(5), 5, 'rhel6', 20_106, 22_010],
    ['1.4 alone', corosync14(), 3, 'rhel6', 2_020, 2_210],
    ['token 1000, three nodes', TOKEN_1000, 3, 'modern', 2_020, 2_210],
    ['token 1000, five nodes', TOKEN_1000, 5, 'modern', 2_020, 2_210],
    ['token 10000, three nodes', TOKEN_10000, 3, 'modern', 20_106, 22_010],
    ['3.1, three nodes', corosync31(3), 3, 'modern', 7_345, 8_040],
    ['3.1, five nodes', corosync31(5), 5, 'modern', 9_958, 10_900],
  ] as const)('%s', (_, timings, nodes, era, least, most) => {
    for (const waitMs of [0, 333, 1234]) {
      const took = detection(timings, nodes, era, waitMs * MILLISECOND) / MILLISECOND;
      expect(took).toBeGreaterThanOrEqual(least);
      expect(took).toBeLessThanOrEqual(most);
    }
  });

  it('and the log says so', () => {
    const cluster = formed({ nodes: 3, timings: corosync31(3) });
    cluster.said.length = 0;
    cluster.crash(3);
    cluster.run(9 * SECOND);
    expect(logs(cluster, 1)).toEqual([
      'Token has not been received in 2737 ms',
      'A processor failed, forming new configuration: token timed out (3650ms), waiting 4380ms for consensus.',
      expect.stringMatching(/Members left: 3$/),
      'Failed to receive the leave message. failed: 3',
    ]);
  });
});

it('five nodes that start together form their ring at once, however their first steps fall', () => {
  // Of eight starts of five corosyncs two took 5.2 s, a token's time: a commit that a join overtook.
  for (let seed = 1; seed <= 40; seed++) {
    const prng = Prng.derive({ hi: 0, lo: seed }, 'starts');
    const cluster = new Cluster({ nodes: 5, seed });
    cluster.weather = { ...FAIR, jitter: 300 * MICROSECOND };
    for (const id of cluster.ids) cluster.at(prng.below(100 * MILLISECOND), () => cluster.boot(id));
    cluster.run(100 * MILLISECOND);
    expect(
      cluster.runUntil(() => cluster.isRingOf(cluster.ids), 400 * MILLISECOND),
      `seed ${seed}`,
    ).toBe(true);
  }
});

describe('heartbeats', () => {
  const options = { tokenMs: 3000, tokenCoefficientMs: 0 };
  const timings = corosync31(3, { ...options, heartbeatFailuresAllowed: 2 });

  it('find a dead node sooner: two retransmissions and the network delay take the place of the token', () => {
    expect(timings.heartbeat).toBe((2 * 714 + 50) * MILLISECOND);
    // The representative counts no heartbeats while it holds the token, for up to 561 ms; the next node does from then on.
    const took = detection(timings, 3, 'modern', 0) / MILLISECOND;
    expect(took).toBeGreaterThan(2 * 714 + 50 + 3600);
    expect(took).toBeLessThan(561 + 2 * 714 + 50 + 3600 + 10);
  });

  it('do not mind an idle ring, whose token is held', () => {
    const cluster = formed({ nodes: 3, timings });
    cluster.said.length = 0;
    cluster.run(60 * SECOND);
    expect(configurations(cluster, 2)).toEqual([]);
  });

  it('are off where they would not be sooner', () => {
    expect(corosync31(3, { ...options, heartbeatFailuresAllowed: 5 }).heartbeat).toBe(Infinity);
    expect(corosync31(3, options).heartbeat).toBe(Infinity);
  });
});

it('with send_join the joins of all nodes do not come at once', () => {
  const cluster = formed({ nodes: 5, timings: { ...FAST, sendJoin: 40 * MILLISECOND } });
  const first = new Map<NodeId, Nanos>();
  cluster.filter = (from, _, bytes) => {
    if (bytes[3] === 3 && !first.has(from)) first.set(from, cluster.now);
    return true;
  };
  cluster.crash(5);
  cluster.run(1500 * MILLISECOND);
  const times = [...first.values()].sort((a, b) => a - b);
  expect(times).toHaveLength(4);
  expect(times[3]! - times[0]!).toBeGreaterThan(5 * MILLISECOND);
  expect(times[3]! - times[0]!).toBeLessThan(41 * MILLISECOND);
  expect(
    () => new Totem({ nodeId: 1, nodes: [{ id: 1 }], era: 'modern', timings: { ...FAST, sendJoin: 1 }, ringSeq: 0 }),
  ).toThrow('prng');
});

it('a node whose interface goes down is alone, hears and says nothing, and comes back with it', () => {
  const cluster = formed({ nodes: 3, timings: FAST });
  cluster.said.length = 0;
  cluster.input(3, { kind: 'network-down' });
  let sent = 0;
  cluster.filter = (from) => {
    if (from === 3) sent += 1;
    return true;
  };
  cluster.run(5 * SECOND);
  expect(sent).toBe(0);
  expect(configurations(cluster, 3)).toEqual(['t 3 [3] -1 -2', 'r 3 [3]']);
  expect(configurations(cluster, 1)).toEqual(['t 1 [1 2] -3', 'r 1 [1 2]']);
  cluster.input(3, { kind: 'network-up' });
  expect(cluster.runUntil(() => cluster.isRingOf([1, 2, 3]), SECOND)).toBe(true);
  expect(logs(cluster, 3).filter((text) => /interface/.test(text))).toEqual([
    'The network interface is down.',
    'The network interface [10.0.0.3] is now up.',
  ]);
  expect(cluster.checker.violations).toEqual([]);
});

it('a node looks at its interface when it lost the token, and every second while it is alone or without its address', () => {
  const cluster = formed({ nodes: 2, timings: FAST });
  const looks = (): number => {
    const all = cluster.said.splice(0);
    return all.filter(({ node, output }) => node === 1 && output.kind === 'check-interface').length;
  };
  const looksIn = (span: Nanos): number => {
    cluster.run(span);
    return looks();
  };
  expect(looksIn(10 * SECOND)).toBe(0);
  cluster.crash(2);
  cluster.runUntil(() => cluster.totem(1).inspect().state === 'gather', SECOND);
  expect(looks()).toBe(1);
  cluster.runUntil(() => cluster.isRingOf([1]), SECOND);
  expect(looksIn(10.5 * SECOND)).toBe(10);
  cluster.boot(2);
  expect(cluster.runUntil(() => cluster.isRingOf([1, 2]), SECOND)).toBe(true);
  looks();
  expect(looksIn(10 * SECOND)).toBe(0);
  cluster.input(1, { kind: 'network-down' });
  expect(looksIn(10.5 * SECOND)).toBe(10);
});

it.each([
  ['modern', 'operational'],
  ['rhel6', 'gather'],
] as const)('a join from before this ring leaves a node of era %s %s', (era, state) => {
  const cluster = formed({ nodes: 3, timings: FAST, era });
  const join = new ByteWriter(true, 256);
  encodeJoin(join, { nodeId: 2, systemFrom: 2, ringSeq: 1, proc: [2], failed: [] });
  cluster.input(1, { kind: 'datagram', bytes: join.bytes() });
  expect(cluster.totem(1).inspect().state).toBe(state);
  cluster.run(5 * SECOND);
  expect(cluster.isRingOf([1, 2, 3])).toBe(true);
});

it('a node that receives no messages blames itself, goes alone, and comes back', () => {
  const cluster = formed({ nodes: 3, timings: { ...FAST, failRecvConst: 50 } });
  cluster.said.length = 0;
  cluster.filter = (_, to, bytes) => bytes[3] !== 1 || to !== 3;
  cluster.cast(1, 'lost');
  expect(cluster.runUntil(() => cluster.isRingOf([1, 2]), 30 * SECOND)).toBe(true);
  cluster.filter = () => true;
  expect(logs(cluster, 3)).toContain('FAILED TO RECEIVE');
  expect(configurations(cluster, 1)[0]).toBe('t 1 [1 2] -3');
  expect(cluster.runUntil(() => cluster.isRingOf([1, 2, 3]), 5 * SECOND)).toBe(true);
  expect(cluster.checker.violations).toEqual([]);
});

it('a node that was not scheduled throws away the joins that waited for it', () => {
  const cluster = formed({ nodes: 3, timings: FAST });
  cluster.pause(2);
  cluster.run(1500 * MILLISECOND);
  cluster.said.length = 0;
  cluster.resume(2);
  expect(logs(cluster, 2)).toContainEqual(
    expect.stringMatching(/^Process pause detected for 1[45]\d\d ms, flushing membership messages\.$/),
  );
  expect(cluster.totem(2).inspect().counters.flushed).toBeGreaterThan(5);
  expect(cluster.runUntil(() => cluster.isRingOf([1, 2, 3]), 5 * SECOND)).toBe(true);
});

describe('a newcomer that is told of nodes that failed', () => {
  it('does not wait for them', () => {
    const cluster = new Cluster({ nodes: 4, timings: FAST });
    for (const id of [2, 3, 4]) cluster.boot(id);
    cluster.run(2 * SECOND);
    expect(cluster.isRingOf([2, 3, 4])).toBe(true);
    cluster.crash(2);
    cluster.boot(1);
    cluster.run(200 * MILLISECOND);
    cluster.crash(1);
    // The others have declared node 2 failed; they still count on node 1, which had agreed to be there.
    cluster.run(1200 * MILLISECOND);
    expect(cluster.totem(3).inspect()).toMatchObject({ state: 'gather', failed: [2] });
    cluster.boot(1);
    expect(cluster.runUntil(() => cluster.isRingOf([1, 3, 4]), 200 * MILLISECOND)).toBe(true);
    expect(cluster.checker.violations).toEqual([]);
  });

  it('takes it back of those that speak', () => {
    const cluster = new Cluster({ nodes: 4, timings: FAST });
    cluster.boot(1);
    cluster.run(SECOND);
    const hear = (systemFrom: NodeId, proc: NodeId[], failed: NodeId[]): unknown => {
      const join = new ByteWriter(true, 256);
      encodeJoin(join, { nodeId: systemFrom, systemFrom, ringSeq: 1, proc, failed });
      cluster.input(1, { kind: 'datagram', bytes: join.bytes() });
      return cluster.totem(1).inspect();
    };
    expect(hear(3, [2, 3, 4], [2, 4])).toMatchObject({ proc: [1, 2, 3, 4], failed: [2, 4] });
    expect(hear(2, [2], [])).toMatchObject({ proc: [1, 2, 3, 4], failed: [4] });
    expect(hear(3, [2, 3, 4, 1], [2, 4])).toMatchObject({ failed: [4] });
    // Chaos found seven nodes that had all heard of each other's death, and believed nobody who told them of theirs.
    expect(hear(4, [4], [1])).toMatchObject({ proc: [1, 2, 3, 4], failed: [] });
  });

  it('does not believe it of those that it has heard of elsewhere', () => {
    const cluster = formed({ nodes: 2, timings: FAST });
    cluster.partition([1]);
    const join = new ByteWriter(true, 256);
    encodeJoin(join, { nodeId: 3, systemFrom: 3, ringSeq: 1, proc: [1, 2, 3], failed: [2] });
    cluster.input(1, { kind: 'datagram', bytes: join.bytes() });
    expect(cluster.totem(1).inspect()).toMatchObject({ state: 'gather', proc: [1, 2, 3], failed: [] });
  });
});

it('an idle ring is held: one rotation a hold time, and a merge detect each', () => {
  const cluster = formed({ nodes: 5, timings: cman(5), era: 'rhel6' });
  cluster.run(10 * SECOND);
  const before = cluster.datagrams;
  cluster.run(60 * SECOND);
  const rotations = 60 / 1.894;
  expect((cluster.datagrams - before) / rotations).toBeCloseTo(5 + 4, -1);
});

it('a node that was paused for less than half a token goes on as if nothing had been', () => {
  const cluster = formed({ nodes: 3, timings: FAST });
  cluster.said.length = 0;
  cluster.pause(2);
  cluster.run(400 * MILLISECOND);
  cluster.resume(2);
  cluster.run(3 * SECOND);
  expect(cluster.said.filter(({ output }) => (output as TotemOutput).kind === 'configuration')).toEqual([]);
});
