import { afterAll, beforeAll, expect } from 'vitest';
import { itUnless, lacksPrograms } from '../../../tooling/oracle.js';
import { bundleCli } from './bundled-cli.js';
import { RealRing } from './real-ring/real-ring.js';

let cli: Awaited<ReturnType<typeof bundleCli>>;
beforeAll(async () => {
  cli = await bundleCli();
});
afterAll(() => cli.remove());

itUnless(undefined, 'forms', async () => {
  const ring = new RealRing(['corosync', 'corosync', 'quorate'], cli.main);
  try {
    for (const node of ring.nodes) node.start();
    await ring.formed();
    console.log(ring.reals[0]!.quorumTool());
    console.log(ring.ours[0]!.quorum, ring.ours[0]!.errors);
    ring.node(1).send('abc', 100000);
    ring.node(3).send('xyz', 100000);
    await new Promise((r) => setTimeout(r, 1000));
    console.log(ring.nodes.map((n) => n.heard));
  } finally {
    console.log(ring.reals[0]!.log);
    console.log(ring.ours[0]!.errors);
    await ring.remove();
  }
});
