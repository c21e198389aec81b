import { MICROSECOND, MILLISECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Cluster, changeMembers, createLockspace } from '../src/conformance/cluster.js';
import { RcomType } from '../src/rcom.js';

const LOCKSPACE = 'late';
const RCOM = 2;
const NODES = [1, 2, 3, 4];

/** Four nodes use a resource whose master dies. Gives what one of them sent of its lock to the next master. */
function afterRecovery(): { cluster: Cluster; from: number; master: number; bytes: Uint8Array; rejects: string[] } {
  const rejects: string[] = [];
  const cluster = new Cluster({
    nodes: NODES,
    config: { protocol: '3.1' },
    onOutput: (_, output) => void (output.kind === 'reject' && rejects.push(output.reason)),
  });
  const sent: { from: number; to: number; bytes: Uint8Array }[] = [];
  createLockspace(cluster, LOCKSPACE, 8);
  for (const node of [4, 1, 2, 3]) {
    cluster.input(node, { kind: 'lock', lockspace: LOCKSPACE, handle: node, name: 'r', mode: 1, flags: 0 });
    cluster.settle();
  }
  cluster.onPacket = (from, to, bytes) => {
    if (bytes[14] === RCOM && bytes[16] === RcomType.LOCK) sent.push({ from, to, bytes: bytes.slice() });
  };
  cluster.kill(4);
  changeMembers(cluster, LOCKSPACE, [1, 2, 3], [4]);
  cluster.settle();
  const [{ from, to: master, bytes }] = sent as [(typeof sent)[0]];
  cluster.onPacket = undefined;
  return { cluster, from, master, bytes, rejects };
}

function twins(cluster: Cluster, node: number): number {
  const [r] = cluster.nodes.get(node)!.dlm.inspect().lockspaces[0]!.resources;
  return r!.granted.filter(({ isMasterCopy }) => isMasterCopy).length;
}

it('a lock that is sent to its new master comes too late when the recovery is over', () => {
  const { cluster, from, master, bytes, rejects } = afterRecovery();
  expect(twins(cluster, master)).toBe(2);
  cluster.input(from, { kind: 'unlock', lockspace: LOCKSPACE, handle: from, flags: 0 });
  cluster.settle();
  cluster.input(master, { kind: 'packet', from, bytes });
  expect(twins(cluster, master)).toBe(1);
  expect(rejects).toEqual(['stale-rcom']);
});

it('a lock of an earlier recovery leaves nothing behind on a node that is not the master', () => {
  const { cluster, from, master, bytes } = afterRecovery();
  const other = [1, 2, 3].find((node) => node !== from && node !== master)!;
  changeMembers(cluster, LOCKSPACE, [1, 2, 3], []);
  const end = cluster.now + 10 * MILLISECOND;
  for (; cluster.now < end; cluster.runTo(cluster.now + 10 * MICROSECOND)) {
    cluster.input(other, { kind: 'packet', from, bytes });
  }
  expect(twins(cluster, other)).toBe(0);
});
