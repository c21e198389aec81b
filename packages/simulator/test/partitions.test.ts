import { parseSeed } from '@quorate/kernel';
import {
  hypervBlogTopology,
  PARTITION_CASES,
  type PartitionResult,
  PartitionScenario,
  stackInvariants,
} from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { Simulator } from '../src/index.js';

describe.each(PARTITION_CASES.slice(0, isThorough ? undefined : 1))('$name: $outcome', (each) => {
  it.each(isThorough ? ['7', '0x102'] : ['7'])('seed %s', (seed) => {
    const simulator = new Simulator({
      scenario: new PartitionScenario(each),
      topology: hypervBlogTopology(administratorsPrograms, each.clusterConf),
      seed: parseSeed(seed)!,
      invariants: stackInvariants,
    });
    const run = simulator.run();
    expect([run.exception, run.violations, (run.result as PartitionResult).failures]).toEqual([undefined, [], []]);
  });
});
