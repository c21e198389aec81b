import { jhash, Mode, modeName } from '@quorate/dlm';
import { MILLISECOND, SECOND } from '@quorate/kernel';
import { beforeEach, describe, expect, it } from 'vitest';
import { Cluster, changeMembers, createLockspace } from '../src/conformance/cluster.js';

const LOCKSPACE = 'ls';
const create = { kind: 'create', lockspace: LOCKSPACE, lvbLength: 32, isFs: false } as const;
const leave = { kind: 'release', lockspace: LOCKSPACE } as const;

// A node that leaves its last lockspace says goodbye to its peers, and joins again when all have answered.
describe("the goodbye of a peer that has lost its power, to a node that leaves, is waited for no longer than the peer's death", () => {
  let cluster: Cluster;
  let asked: string[];

  beforeEach(() => {
    asked = [];
    cluster = new Cluster({
      nodes: [1, 2],
      onOutput: (node, { kind }) => {
        if (node === 1 && kind === 'online') asked.push(`at ${cluster.now / SECOND} s`);
      },
    });
    createLockspace(cluster, LOCKSPACE);
    asked.length = 0;
    cluster.kill(2);
  });

  function leaveAndCreate(): void {
    cluster.input(1, leave);
    cluster.input(1, { kind: 'left', lockspace: LOCKSPACE });
    cluster.input(1, create);
  }

  it('that comes to be known while it waits', () => {
    leaveAndCreate();
    expect(asked).toEqual([]);
    cluster.input(1, { kind: 'node-gone', node: 2 });
    expect(asked).toHaveLength(1);
  });

  it('that is known before', () => {
    cluster.input(1, { kind: 'node-gone', node: 2 });
    leaveAndCreate();
    expect(asked).toHaveLength(1);
  });

  it('and nobody knows of: for three minutes', () => {
    const from = cluster.now;
    leaveAndCreate();
    cluster.runTo(from + 179 * SECOND);
    expect(asked).toEqual([]);
    cluster.runTo(from + 181 * SECOND);
    expect(asked).toHaveLength(1);
  });
});

describe('a node that comes back', () => {
  const granted: string[] = [];
  /** What packets take longer to node 1. */
  let slow = 0;
  const lock = (cluster: Cluster, node: number, name: string, mode: number): void => {
    cluster.input(node, { kind: 'lock', lockspace: LOCKSPACE, handle: 1, name, mode, flags: 0 });
  };
  const clusterOf = (...nodes: number[]): Cluster => {
    granted.length = slow = 0;
    const cluster = new Cluster({
      nodes,
      latency: (_, to) => MILLISECOND / 10 + (to === 1 ? slow : 0),
      onOutput: (node, output) => {
        if (output.kind === 'cast' && output.status === 0) granted.push(`${modeName(output.mode)} to ${node}`);
      },
    });
    createLockspace(cluster, LOCKSPACE);
    return cluster;
  };

  it('has forgotten the goodbye that it had not ended when it lost its power', () => {
    const cluster = clusterOf(1, 2);
    for (const node of [1, 2]) lock(cluster, node, `of node ${node}`, Mode.EX);
    cluster.settle();
    cluster.input(2, { kind: 'release', lockspace: LOCKSPACE, isForced: true });
    cluster.input(2, { kind: 'left', lockspace: LOCKSPACE });
    cluster.kill(2);
    cluster.breakConnection(1, 2);
    changeMembers(cluster, LOCKSPACE, [1], []);
    cluster.input(1, { kind: 'node-gone', node: 2 });
    cluster.settle();
    cluster.boot(2);
    cluster.input(2, create);
    changeMembers(cluster, LOCKSPACE, [1, 2], []);
    cluster.settle();
    granted.length = 0;
    lock(cluster, 2, 'of node 1', Mode.NL);
    cluster.settle();
    expect(granted).toEqual(['NL to 2']);
  });

  it('does not grant what it granted before it left, and nobody had heard of', () => {
    const cluster = clusterOf(1, 2, 3);
    const name = ['a', 'b', 'c', 'd', 'e', 'f'].find((each) => (jhash(each) >>> 16) % 3 === 2)!;
    lock(cluster, 3, name, Mode.NL);
    cluster.settle();
    slow = 50 * MILLISECOND;
    lock(cluster, 1, name, Mode.EX);
    cluster.runTo(cluster.now + MILLISECOND);
    cluster.input(3, { kind: 'release', lockspace: LOCKSPACE, isForced: true });
    cluster.input(3, { kind: 'left', lockspace: LOCKSPACE });
    changeMembers(cluster, LOCKSPACE, [1, 2], []);
    // The grant has arrived, and this recovery is not over.
    cluster.runTo(cluster.now + 60 * MILLISECOND);
    slow = 0;
    cluster.input(3, create);
    changeMembers(cluster, LOCKSPACE, [1, 2, 3], []);
    // The lock is asked for anew, and another node is before it.
    cluster.settle();
    granted.length = 0;
    lock(cluster, 2, name, Mode.PR);
    cluster.settle();
    expect(granted).toEqual([]);
    cluster.input(1, { kind: 'unlock', lockspace: LOCKSPACE, handle: 1, flags: 0 });
    cluster.settle();
    expect(granted).toEqual(['PR to 2']);
  });
});
