import { MessageChannel } from 'node:worker_threads';
import { MILLISECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { churn, sequential } from '../src/alloc/alone.js';
import { DiskThread } from '../src/alloc/disk-thread.js';
import { SYNCED, work } from '../src/alloc/five-nodes.js';
import { appendFigures, directoryFigures, fullFigures, sequentialFigures } from '../src/alloc/node.js';
import { RealTimeNode } from '../src/alloc/real-time-node.js';
import { countOurs, ours, runOf32 } from '../src/alloc/scan-ways.js';

it('the allocator alone is measured empty and 85 % full', () => {
  expect(sequential(16, 4000)).toBeGreaterThan(0);
  expect(churn(0.85, 50)).toBeGreaterThan(0);
  for (const scan of [ours, countOurs, runOf32]) expect(scan(undefined, 1)).toBeGreaterThan(0);
});

it('a node is measured, and a file on an empty volume is not in more pieces than its indirect blocks make', () => {
  const [rate, extents, journalBytes] = sequentialFigures(128, 40).map(({ value }) => value);
  expect(rate).toBeGreaterThan(0);
  expect(extents).toBeLessThanOrEqual(22);
  expect(journalBytes).toBeGreaterThan(0);
  expect(journalBytes).toBeLessThan(200);
  expect(appendFigures(100)[0]!.value).toBeGreaterThan(0);
  expect(fullFigures(30, 24)[1]!.value).toBeGreaterThan(0);
  expect(directoryFigures(300)[1]!.value).toBeGreaterThan(0);
});

it('nodes append on the clock of the wall, through ports', async () => {
  const disks = [new MessageChannel(), new MessageChannel()];
  const disk = new DiskThread(
    256,
    disks.map(({ port2 }) => port2),
  );
  const packets = new MessageChannel();
  const one = new RealTimeNode({ id: 1, disk: disks[0]!.port1, peers: new Map([[2, packets.port1]]) });
  const two = new RealTimeNode({ id: 2, disk: disks[1]!.port1, peers: new Map([[1, packets.port2]]) });
  await one.mount(true);
  await two.mount(false);
  const blocks = await Promise.all([one.append('/one', 0.05), two.append('/two', 0.05)]);
  await one.unmount(false);
  await two.unmount(true);
  for (const { port1 } of [...disks, packets]) port1.close();
  const volume = disk.volume();
  const sizes = ['/one', '/two'].map((path) => (volume.lookup(path) as { readonly size: number }).size);
  expect(sizes).toEqual(blocks.map((count) => 4096 * count));
  expect(Math.min(...blocks)).toBeGreaterThan(0);
});

it('five nodes with lock managers make files in virtual time, in resource groups of their own', () => {
  const { rate, transfersPerThousand, costs } = work(
    [1, 5],
    40 * MILLISECOND,
    { gfs2: 20_000, dlm: 10_000 },
    SYNCED,
    0,
  );
  expect(rate).toBeGreaterThan(0);
  expect(transfersPerThousand).toBe(0);
  expect(costs.gfs2).toBeGreaterThan(0);
});
