import { latin1, MILLISECOND, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { corosync31, type NodeId, Totem } from '../src/index.js';
import { bytesOf, Cluster } from './cluster.js';

const FAST = corosync31(2, { tokenMs: 1000 });

function formed(safeDelivery = true): Cluster {
  const cluster = new Cluster({ nodes: 3, timings: FAST, safeDelivery });
  for (const id of cluster.ids) cluster.boot(id);
  cluster.run(2 * SECOND);
  expect(cluster.isRingOf([1, 2, 3])).toBe(true);
  cluster.said.length = 0;
  return cluster;
}

function cast(cluster: Cluster, node: NodeId, text: string, safe: boolean): void {
  cluster.input(node, { kind: 'cast', group: 'test', payload: bytesOf(text), safe });
}

/** What a node got, in order: texts, and configurations as their type. */
function heard(cluster: Cluster, node: NodeId): string[] {
  return cluster.said.flatMap(({ node: hearer, output }) => {
    if (hearer !== node) return [];
    if (output.kind === 'configuration') return [output.type];
    return output.kind === 'deliver' ? [latin1(output.payload, 0, output.payload.length)] : [];
  });
}

describe('safe delivery', () => {
  it('waits until every member has the message, and so does all behind it', () => {
    const cluster = formed();
    cluster.filter = (_, to, bytes) => bytes[3] !== 1 || to !== 3;
    cast(cluster, 1, 'agreed', false);
    cluster.run(5 * MILLISECOND);
    cast(cluster, 1, 'safe', true);
    cluster.run(5 * MILLISECOND);
    cast(cluster, 2, 'behind', false);
    cluster.run(20 * MILLISECOND);
    for (const node of [1, 2]) expect(heard(cluster, node)).toEqual(['agreed']);
    cluster.filter = () => true;
    cluster.run(2 * SECOND);
    for (const node of cluster.ids) expect(heard(cluster, node)).toEqual(['agreed', 'safe', 'behind']);
    expect(cluster.checker.violations).toEqual([]);
  });

  it('comes in the transitional configuration, when only the members that are left have it', () => {
    const cluster = formed();
    cluster.filter = (_, to, bytes) => bytes[3] !== 1 || to !== 3;
    cast(cluster, 1, 'safe', true);
    cluster.run(20 * MILLISECOND);
    cluster.crash(3);
    cluster.run(5 * SECOND);
    for (const node of [1, 2]) expect(heard(cluster, node)).toEqual(['transitional', 'safe', 'regular']);
    expect(cluster.checker.violations).toEqual([]);
  });

  it('comes before the transitional configuration, when one member knew that all had it', () => {
    const cluster = formed();
    cast(cluster, 2, 'safe', true);
    // Node 1 knows it first; then the token is lost.
    expect(cluster.runUntil(() => heard(cluster, 2).includes('safe'), SECOND)).toBe(true);
    cluster.filter = (_, __, bytes) => bytes[3] !== 0;
    cluster.run(1500 * MILLISECOND);
    cluster.filter = () => true;
    cluster.run(5 * SECOND);
    for (const node of cluster.ids) expect(heard(cluster, node)).toEqual(['safe', 'transitional', 'regular']);
    expect(cluster.checker.violations).toEqual([]);
  });

  it('is delivered at once by whoever does not offer it, as by corosync', () => {
    const cluster = formed(false);
    cluster.filter = (_, to, bytes) => bytes[3] !== 1 || to !== 3;
    // The guarantee field of a packet of node 2 says safe.
    cluster.wire = (from, bytes) => {
      if (bytes[3] === 1 && from === 2) bytes[41] = 1;
      return bytes;
    };
    cast(cluster, 2, 'safe for others', false);
    cluster.run(20 * MILLISECOND);
    expect(heard(cluster, 1)).toEqual(['safe for others']);
  });

  it('is the embedder’s mistake to ask for where it is not offered', () => {
    const totem = new Totem({ nodeId: 1, nodes: [{ id: 1 }], era: 'modern', timings: FAST, ringSeq: 0 });
    const input = { kind: 'cast', group: 'x', payload: bytesOf('x'), safe: true } as const;
    expect(() => totem.step(0, input, () => {})).toThrow(RangeError);
  });
});
