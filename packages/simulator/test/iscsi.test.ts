import { parseSeed } from '@quorate/kernel';
import { IscsiSharedDisk, type IscsiSharedDiskResult, iscsiSharedDiskTopology, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { Simulator } from '../src/index.js';

const topology = iscsiSharedDiskTopology(administratorsPrograms);
const SEEDS = isThorough ? Array.from({ length: 20 }, (_, i) => `${i + 1}`) : ['7'];

it.each(SEEDS)('a cluster shares the disks of a storage host, and one node loses its way there: seed %s', (seed) => {
  const simulator = new Simulator({
    scenario: new IscsiSharedDisk(),
    topology,
    seed: parseSeed(seed)!,
    invariants: stackInvariants,
  });
  const run = simulator.run();
  expect([run.exception, run.violations, (run.result as IscsiSharedDiskResult).failures]).toEqual([undefined, [], []]);
});
