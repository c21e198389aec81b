import { latin1, MILLISECOND, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { corosync31, type NodeId } from '../src/index.js';
import { decodePacket } from '../src/wire/packet.js';
import { bytesOf, Cluster, type ClusterOptions, FAIR } from './cluster.js';

const FAST = corosync31(2, { tokenMs: 1000 });
const PERCENT = Math.floor(0x1_0000_0000 / 100);
const MIB = 1024 * 1024;

function formed(options: ClusterOptions): Cluster {
  const cluster = new Cluster({ timings: FAST, ...options });
  for (const id of cluster.ids) cluster.boot(id);
  expect(cluster.runUntil(() => cluster.isRingOf(cluster.ids), 2 * SECOND)).toBe(true);
  cluster.run(SECOND);
  cluster.said.length = 0;
  return cluster;
}

/** What a node got, in order: messages as `sender text`, configurations as their type. */
function heard(cluster: Cluster, node: NodeId): string[] {
  return cluster.said.flatMap(({ node: hearer, output }) => {
    if (hearer !== node) return [];
    if (output.kind === 'configuration') return [output.type];
    return output.kind === 'deliver' ? [`${output.from} ${latin1(output.payload, 0, output.payload.length)}`] : [];
  });
}

function counter(cluster: Cluster, name: string): number {
  return cluster.ids.reduce((sum, id) => sum + cluster.totem(id).inspect().counters[name]!, 0);
}

describe('total order', () => {
  it.each([
    ['fair weather', FAIR],
    ['loss, duplicates and reordering', { loss: 10 * PERCENT, duplicate: 5 * PERCENT, jitter: MILLISECOND }],
  ])('is the same everywhere and has everything once in %s', (_, weather) => {
    const cluster = formed({ nodes: 4 });
    cluster.weather = weather;
    const cast: string[] = [];
    for (let i = 0; i < 200; i++) {
      const from = 1 + (i % 4);
      cluster.cast(from, `${i}`);
      cast.push(`${from} ${i}`);
      cluster.run(MILLISECOND / 2);
    }
    cluster.weather = FAIR;
    cluster.run(5 * SECOND);
    const first = heard(cluster, 1).filter((line) => / /.test(line));
    for (const node of [2, 3, 4]) expect(heard(cluster, node).filter((line) => / /.test(line))).toEqual(first);
    expect([...first].sort()).toEqual(cast.sort());
    for (const from of [1, 2, 3, 4]) {
      const own = first.filter((line) => line.startsWith(`${from} `)).map((line) => Number(line.slice(2)));
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
    expect(cluster.checker.violations).toEqual([]);
  });

  it('a lost packet is asked for after five tokens, and the answer is the same bytes', () => {
    const cluster = formed({ nodes: 3 });
    const copies: string[] = [];
    cluster.filter = (_, to, bytes) => {
      if (bytes[3] !== 1) return true;
      copies.push(`${to} ${bytes.join(' ')}`);
      return to !== 3 || copies.length > 2;
    };
    cluster.cast(1, 'hello');
    cluster.run(10 * SECOND);
    expect(heard(cluster, 3)).toEqual(['1 hello']);
    expect([counter(cluster, 'requested'), counter(cluster, 'retransmitted')]).toEqual([1, 1]);
    expect(new Set(copies.map((copy) => copy.slice(2))).size).toBe(1);
    expect(cluster.said.some(({ output }) => output.kind === 'log' && /^Retransmit List: /.test(output.text))).toBe(
      true,
    );
  });
});

describe('flow control', () => {
  it('a node sends at most max_messages with a token, all together window_size in a rotation', () => {
    const cluster = formed({ nodes: 5 });
    let withToken = 0;
    let mostWithToken = 0;
    let rotation: number[] = [];
    let mostInRotation = 0;
    const seen = new Set<number>();
    cluster.filter = (_, __, bytes) => {
      const packet = decodePacket(bytes);
      if (typeof packet === 'string') throw new Error(packet);
      if (packet.kind === 'mcast' && !seen.has(packet.body.seq)) {
        seen.add(packet.body.seq);
        withToken += 1;
      } else if (packet.kind === 'orf-token') {
        mostWithToken = Math.max(mostWithToken, withToken);
        rotation = [...rotation, withToken].slice(-5);
        mostInRotation = Math.max(
          mostInRotation,
          rotation.reduce((sum, count) => sum + count, 0),
        );
        withToken = 0;
      }
      return true;
    };
    for (const id of cluster.ids) for (let i = 0; i < 100; i++) cluster.input(id, cast(1300));
    cluster.run(SECOND);
    expect(heard(cluster, 5)).toHaveLength(500);
    expect(mostWithToken).toBe(17);
    expect(mostInRotation).toBeGreaterThan(34);
    expect(mostInRotation).toBeLessThanOrEqual(50);
  });

  it('a full queue refuses, and takes again when packets went out', () => {
    const cluster = formed({ nodes: 2 });
    for (let i = 0; i < 5; i++) cluster.input(1, cast(MIB - 5));
    expect(cluster.said.map(({ output }) => output).filter(({ kind }) => kind === 'refused')).toEqual([
      { kind: 'refused', group: 'x', reason: 'try-again' },
      { kind: 'refused', group: 'x', reason: 'try-again' },
    ]);
    expect(cluster.totem(1).inspect().queueUsedPercent).toBeGreaterThan(74);
    cluster.run(5 * SECOND);
    expect(cluster.totem(1).inspect().queueUsedPercent).toBeLessThan(2);
    cluster.input(1, cast(MIB - 5));
    cluster.run(5 * SECOND);
    expect(heard(cluster, 2)).toHaveLength(4);
  });
});

function cast(length: number): { kind: 'cast'; group: string; payload: Uint8Array } {
  return { kind: 'cast', group: 'x', payload: Uint8Array.from({ length }, (_, i) => i * 7) };
}

describe('messages of every length arrive whole', () => {
  it.each([
    [[0, 1, 2, 3]],
    [[1390, 1391, 1392, 1393, 1394, 1395, 1396, 1397, 1398]],
    [[700, 690, 1, 2790, 13, 8192, 0, 1395]],
    [[100_000, 5, 100_000]],
    [[MIB - 5]],
  ])('%j', (lengths) => {
    const cluster = formed({ nodes: 3 });
    for (const length of lengths) cluster.input(2, cast(length));
    cluster.run(3 * SECOND);
    for (const node of cluster.ids) {
      const payloads = cluster.said.flatMap(({ node: hearer, output }) =>
        hearer === node && output.kind === 'deliver' ? [output.payload] : [],
      );
      expect(payloads.map((payload) => payload.length)).toEqual(lengths);
      for (const payload of payloads) expect(payload.every((byte, i) => byte === ((i * 7) & 0xff))).toBe(true);
    }
  });

  it('small ones share a packet', () => {
    const cluster = formed({ nodes: 2 });
    let packets = 0;
    cluster.filter = (_, __, bytes) => {
      if (bytes[3] === 1) packets += 1;
      return true;
    };
    for (let i = 0; i < 20; i++) cluster.cast(1, 'x'.repeat(50));
    cluster.run(SECOND);
    expect(heard(cluster, 2)).toHaveLength(20);
    expect(packets).toBe(1);
  });

  it('one of more than 1 MiB, prefix included, is the embedder’s mistake', () => {
    expect(() => formed({ nodes: 1 }).input(1, cast(MIB - 4))).toThrow(RangeError);
  });
});

describe('messages of the old ring', () => {
  /** Node 3 hears none of node 1's messages, of which there are three; then node 1 dies. */
  function orphaned(holders: (to: NodeId) => boolean): Cluster {
    const cluster = formed({ nodes: 3 });
    cluster.filter = (from, to, bytes) => bytes[3] !== 1 || from !== 1 || holders(to);
    for (const text of ['a', 'b', 'c']) cluster.cast(1, text.repeat(1000));
    cluster.run(2 * MILLISECOND);
    cluster.crash(1);
    cluster.said.length = 0;
    cluster.run(5 * SECOND);
    expect(cluster.isRingOf([2, 3])).toBe(true);
    expect(cluster.checker.violations).toEqual([]);
    return cluster;
  }

  it('that one survivor holds are delivered to all, before the transitional configuration', () => {
    const cluster = orphaned((to) => to === 2);
    const texts = heard(cluster, 3).map((line) => line.replace(/(\w)\1{999}/, '$1'));
    expect(texts).toEqual(['1 a', '1 b', '1 c', 'transitional', 'regular']);
    expect(heard(cluster, 2)).toEqual(['transitional', 'regular']);
  });

  it('that nobody holds are lost, and what survivors sent behind them comes after the transitional one', () => {
    const cluster = formed({ nodes: 3 });
    cluster.filter = (from, _, bytes) => bytes[3] !== 1 || from !== 1;
    cluster.cast(1, 'lost');
    cluster.run(MILLISECOND / 2);
    cluster.cast(2, 'two');
    cluster.cast(3, 'three');
    cluster.run(2 * MILLISECOND);
    cluster.crash(1);
    cluster.run(5 * SECOND);
    const [before, ...behind] = heard(cluster, 2);
    expect(before).toBe('transitional');
    expect([...behind].sort()).toEqual(['2 two', '3 three', 'regular']);
    expect(behind.at(-1)).toBe('regular');
    expect(heard(cluster, 3)).toEqual(heard(cluster, 2));
    expect(cluster.checker.violations).toEqual([]);
  });

  it('that waited in a queue are sent in the new ring, behind its synchronisation', () => {
    const cluster = formed({ nodes: 2 });
    cluster.partition([1], [2]);
    cluster.run(1500 * MILLISECOND);
    cluster.input(2, { kind: 'cast', group: 'test', payload: bytesOf('late') });
    cluster.run(5 * SECOND);
    expect(heard(cluster, 2)).toEqual(['transitional', 'regular', '2 late']);
  });
});
