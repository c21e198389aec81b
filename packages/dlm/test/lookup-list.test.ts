import { type DlmOutput, LockFlag, Mode, Status } from '@quorate/dlm';
import { expect, it } from 'vitest';
import { Cluster, changeMembers, createLockspace } from '../src/conformance/cluster.js';

const LOCKSPACE = 'ls';

function request(cluster: Cluster, handle: number, name: string): void {
  cluster.input(1, { kind: 'lock', lockspace: LOCKSPACE, handle, name, mode: Mode.CR, flags: 0 });
}

/** A resource whose directory node is node 2, which does not answer: the request of that handle looks its master up. */
function lookUp(cluster: Cluster, handle: number): string {
  for (let i = 0; ; i++) {
    const name = `r${i}`;
    request(cluster, 100 + i, name);
    if (cluster.nodes.get(1)!.dlm.inspect().lockspaces[0]!.waiters.length === 0) continue;
    cluster.input(1, { kind: 'unlock', lockspace: LOCKSPACE, handle: 100 + i, flags: LockFlag.FORCEUNLOCK });
    request(cluster, handle, name);
    return name;
  }
}

it('requests go on when the one that looked the master up was unlocked and the directory node died', () => {
  const casts: string[] = [];
  const onOutput = (_: number, output: DlmOutput): void => {
    if (output.kind === 'cast' && output.handle < 100) casts.push(`${output.handle}: ${output.status}`);
  };
  const cluster = new Cluster({ nodes: [1, 2], onOutput });
  createLockspace(cluster, LOCKSPACE);
  cluster.freeze(2);
  const name = lookUp(cluster, 1);
  request(cluster, 2, name);
  cluster.kill(2);
  changeMembers(cluster, LOCKSPACE, [1], [2]);
  cluster.settle();
  expect(casts).toEqual([`1: ${Status.granted}`, `2: ${Status.granted}`]);
  // Both have gone past the list; so does whatever comes later.
  request(cluster, 3, name);
  expect(casts.at(-1)).toBe(`3: ${Status.granted}`);
});
