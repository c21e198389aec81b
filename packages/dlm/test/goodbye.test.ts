import { SECOND } from '@quorate/kernel';
import { beforeEach, describe, expect, it } from 'vitest';
import { Cluster, createLockspace } from '../src/conformance/cluster.js';

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
