import { LockFlag, Mode, Status } from '@quorate/dlm';
import { MICROSECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Cluster, changeMembers, createLockspace } from '../src/conformance/cluster.js';

const LOCKSPACE = 'lost';

/** A name whose directory node is that one. */
function nameOf(cluster: Cluster, dir: number): string {
  for (let i = 0; ; i++) {
    const call = { kind: 'lock', lockspace: LOCKSPACE, handle: i, name: `r${i}`, mode: Mode.NL, flags: 0 } as const;
    cluster.input(dir, call);
    cluster.settle();
    const { resources } = cluster.nodes.get(dir)!.dlm.inspect().lockspaces[0]!;
    if (resources.find(({ name }) => name === call.name)?.dir === dir) return call.name;
  }
}

// What Linux's commit b790c3b7 repaired: a lookup that the directory node, which is the master, answers as a request is to be issued
// anew in a recovery; its answer was there already and waits for the end of that. It has to take the mark away, or the next
// recovery issues whatever the lock waits for then once more, and an unlock is lost.
it('an unlock is not lost when the lookup before it was answered during a recovery', () => {
  const heard: string[] = [];
  const cluster = new Cluster({
    nodes: [1, 2, 3],
    onOutput: (node, output) =>
      void (output.kind === 'cast' && heard.push(`${node}: ${output.handle} ${output.status}`)),
  });
  createLockspace(cluster, LOCKSPACE, 8);
  const name = nameOf(cluster, 3);
  heard.length = 0;
  const mine = { lockspace: LOCKSPACE, handle: 100 };
  cluster.input(1, { kind: 'lock', ...mine, name, mode: Mode.PR, flags: LockFlag.VALBLK });
  cluster.runTo(cluster.now + 150 * MICROSECOND);
  cluster.input(1, { kind: 'stop', lockspace: LOCKSPACE });
  cluster.runTo(cluster.now + 150 * MICROSECOND);
  expect(cluster.nodes.get(1)!.dlm.inspect().lockspaces[0]).toMatchObject({ requestqueue: 1 });
  cluster.kill(2);
  changeMembers(cluster, LOCKSPACE, [1, 3], [2]);
  cluster.settle();
  expect(heard.splice(0)).toEqual(['1: 100 0']);
  cluster.input(1, { kind: 'unlock', ...mine, flags: 0 });
  changeMembers(cluster, LOCKSPACE, [1, 3], []);
  cluster.settle();
  expect(heard).toEqual([`1: 100 ${Status.EUNLOCK}`]);
  const { resources } = cluster.nodes.get(3)!.dlm.inspect().lockspaces[0]!;
  const left = resources.flatMap(({ granted, waiting }) => [...granted, ...waiting]);
  expect(left.filter(({ isMasterCopy }) => isMasterCopy)).toEqual([]);
});
