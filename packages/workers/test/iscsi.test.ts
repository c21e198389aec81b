import { IscsiSharedDisk, iscsiSharedDiskTopology, type Observed, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { inProcessWorker, WorkersLab } from '../src/index.js';

const buildTopology = () => iscsiSharedDiskTopology(administratorsPrograms);

/** The whole scenario takes 140 s of cluster time, its first two steps 50 s. */
const LAST_STEP = isThorough ? 'return' : 'share';

it('a cluster shares the disks of a storage host, which is on the network of the switch', async () => {
  const observed: Observed[] = [];
  const lab: WorkersLab = new WorkersLab({
    scenario: new IscsiSharedDisk(),
    topologyName: 'iscsi-shared-disk',
    topology: buildTopology(),
    seed: { hi: 0, lo: 7 },
    speed: 40,
    invariants: stackInvariants,
    wantsStores: true,
    watcher: {
      progress: (_at, progress) => {
        if (progress.kind === 'observed') observed.push(progress.observed);
        if (progress.kind === 'step-ended' && progress.id === LAST_STEP && !isThorough) lab.stop();
      },
    },
    spawn: () => inProcessWorker({ 'iscsi-shared-disk': buildTopology }),
  });
  const { reason, violations, stores, imageHashes } = await lab.run();
  expect([reason, violations]).toEqual([isThorough ? 'ended' : 'stopped', []]);
  expect(observed.filter(({ isTrue }) => !isTrue)).toEqual([]);
  expect([[...stores.keys()], [...imageHashes.keys()]]).toEqual([
    [1, 2],
    [1, 2],
  ]);
}, 120_000);
