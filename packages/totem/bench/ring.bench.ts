import { SECOND } from '@quorate/kernel';
import { bench, describe } from 'vitest';
import { cman } from '../src/index.js';
import { Cluster } from '../test/cluster.js';

// Five nodes with cman's timers on a simulated segment, whose own cost is included: what a virtual minute of a ring costs.

const SECONDS = 60;

function run(casts: number): number {
  const cluster = new Cluster({ nodes: 5, era: 'rhel6', timings: cman(5), invariants: [] });
  let delivered = 0;
  cluster.listen = ({ output }) => {
    if (output.kind === 'deliver') delivered += 1;
  };
  for (const id of cluster.ids) cluster.boot(id);
  // The ring is formed in the first second.
  for (let i = 1; i <= casts; i++)
    cluster.at(SECOND + (i * SECONDS * SECOND) / (casts + 1), () => cluster.cast(1 + (i % 5), 'x'));
  cluster.run((SECONDS + 1) * SECOND);
  if (!cluster.isRingOf(cluster.ids) || delivered !== 5 * casts) throw new Error(`${delivered} deliveries`);
  return cluster.datagrams;
}

describe.each([
  ['idle', 0],
  ['one message a second', SECONDS],
  ['a hundred messages a second', 100 * SECONDS],
])(`${SECONDS} s of five nodes, %s`, (_, casts) => {
  bench(`${run(casts)} datagrams`, () => {
    run(casts);
  });
});
