import { type DlmOutput, Mode, Status } from '@quorate/dlm';
import { MILLISECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Cluster } from '../src/conformance/cluster.js';

const LOCKSPACE = 'ls';
const NODES = [1, 2, 3];

/** Three nodes in one lockspace, and the casts that they have heard. */
function threeNodes(): { readonly cluster: Cluster; readonly casts: string[] } {
  const casts: string[] = [];
  const onOutput = (node: number, output: DlmOutput): void => {
    if (output.kind === 'cast') casts.push(`${node} ${output.status === Status.granted ? 'granted' : output.status}`);
  };
  const cluster = new Cluster({ nodes: NODES, onOutput });
  for (const node of NODES) cluster.input(node, { kind: 'create', lockspace: LOCKSPACE, lvbLength: 8, isFs: false });
  start(cluster);
  return { cluster, casts };
}

function start(cluster: Cluster): void {
  const members = NODES.map((node) => ({ node }));
  for (const node of NODES) cluster.input(node, { kind: 'start', lockspace: LOCKSPACE, members });
  cluster.settle();
}

function lock(cluster: Cluster, node: number, handle: number, name: string): void {
  cluster.input(node, { kind: 'lock', lockspace: LOCKSPACE, handle, name, mode: Mode.PR, flags: 0 });
}

/** A name whose directory node is node 1. */
function nameAtNode1(cluster: Cluster): string {
  for (let i = 0; ; i++) {
    const name = `r${i}`;
    lock(cluster, 2, 100 + i, name);
    cluster.settle();
    const [lockspace] = cluster.nodes.get(2)!.dlm.inspect().lockspaces;
    if (lockspace!.resources.find((resource) => resource.name === name)!.dir === 1) return name;
  }
}

it('who gave a resource up in a recovery that its directory node did not notice is not taken for its master for ever', () => {
  const { cluster, casts } = threeNodes();
  const name = nameAtNode1(cluster);
  const handle = 100 + Number(name.slice(1));
  lock(cluster, 1, 1, name);
  cluster.settle();
  cluster.input(2, { kind: 'unlock', lockspace: LOCKSPACE, handle, flags: 0 });
  cluster.settle();
  // Node 1 has the last lock, which node 2 masters. Its unlock is done there when everybody stops, but not answered.
  cluster.input(1, { kind: 'unlock', lockspace: LOCKSPACE, handle: 1, flags: 0 });
  cluster.runTo(cluster.now + 0.15 * MILLISECOND);
  for (const node of NODES) cluster.input(node, { kind: 'stop', lockspace: LOCKSPACE });
  cluster.settle();
  start(cluster);
  casts.length = 0;
  const before = cluster.sent;
  lock(cluster, 3, 1, name);
  cluster.runTo(cluster.now + 10 * MILLISECOND);
  expect(casts).toEqual(['3 granted']);
  expect(cluster.sent - before).toBeLessThan(20);
});

it('where one node alone has a weight it is the directory node of every name, for the others too', () => {
  const cluster = new Cluster({ nodes: [1, 2] });
  for (const node of [1, 2]) {
    cluster.input(node, { kind: 'create', lockspace: LOCKSPACE, lvbLength: 8, isFs: false });
  }
  const members = [
    { node: 1, weight: 1 },
    { node: 2, weight: 0 },
  ];
  for (const node of [1, 2]) cluster.input(node, { kind: 'start', lockspace: LOCKSPACE, members });
  cluster.settle();
  lock(cluster, 2, 1, 'a');
  lock(cluster, 1, 1, 'a');
  cluster.settle();
  const seen = [1, 2].map((node) => {
    const [r] = cluster.nodes.get(node)!.dlm.inspect().lockspaces[0]!.resources;
    return { dir: r!.dir, master: r!.master };
  });
  expect(seen).toEqual([seen[0], seen[0]]);
  expect(seen[0]!.dir).toBe(1);
});
