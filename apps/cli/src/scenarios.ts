import {
  coverageGoals,
  HypervBlog,
  hypervBlogTopology,
  IscsiSharedDisk,
  IsolatedNode,
  iscsiSharedDiskTopology,
  LockChaos,
  lockChaosTopology,
  lockCoverageGoals,
  type NemesisPreset,
  PARTITION_CASES,
  PartitionScenario,
  ServiceChaos,
  Storm,
  serviceChaosTopology,
  stackInvariants,
} from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import type { PreparedScenario } from '@quorate/simulator';
import { UsageError } from './usage-error.js';

export type { PreparedScenario };

/** Scenarios by their name; each call makes one anew. */
export type Scenarios = ReadonlyMap<string, (options?: ScenarioOptions) => PreparedScenario>;

/** What can be told to a scenario. */
export interface ScenarioOptions {
  readonly nemesis?: NemesisPreset;
}

/** Every scenario that `quorate sim run` knows. */
export const SCENARIOS: Scenarios = new Map<string, (options?: ScenarioOptions) => PreparedScenario>([
  [
    'storm',
    ({ nemesis = 'calm' } = {}) => {
      const topology = hypervBlogTopology(administratorsPrograms);
      const invariants = [...stackInvariants, ...coverageGoals];
      return { topology, scenario: new Storm({ topology, nemesis }), invariants };
    },
  ],
  [
    'lock-chaos',
    () => {
      const topology = lockChaosTopology(administratorsPrograms);
      const invariants = [...stackInvariants, ...lockCoverageGoals];
      return { topology, scenario: new LockChaos({ topology }), invariants };
    },
  ],
  [
    'service-chaos',
    () => {
      const topology = serviceChaosTopology(administratorsPrograms);
      const invariants = [...stackInvariants, ...coverageGoals];
      return { topology, scenario: new ServiceChaos({ topology }), invariants };
    },
  ],
  [
    'hyperv-blog',
    () => {
      const topology = hypervBlogTopology(administratorsPrograms);
      return { topology, scenario: new HypervBlog(topology), invariants: stackInvariants };
    },
  ],
  [
    'isolated-node-fences-majority',
    () => {
      const topology = hypervBlogTopology(administratorsPrograms);
      return { topology, scenario: new IsolatedNode(), invariants: stackInvariants };
    },
  ],
  [
    'iscsi-shared-disk',
    () => {
      const topology = iscsiSharedDiskTopology(administratorsPrograms);
      return { topology, scenario: new IscsiSharedDisk(), invariants: stackInvariants };
    },
  ],
  ...PARTITION_CASES.map((each): [string, () => PreparedScenario] => [
    each.name,
    () => {
      const topology = hypervBlogTopology(administratorsPrograms, each.clusterConf);
      return { topology, scenario: new PartitionScenario(each), invariants: stackInvariants };
    },
  ]),
]);

/**
 * The scenario of that name, to be run once.
 *
 * @throws {UsageError} when there is none, or it has no nemesis and is told one.
 */
export function prepare(scenarios: Scenarios, name: string, options: ScenarioOptions): PreparedScenario {
  const found = scenarios.get(name);
  if (found === undefined) {
    throw new UsageError(`sim: found scenario "${name}", expected one of ${[...scenarios.keys()].join(', ')}`);
  }
  if (options.nemesis !== undefined && name !== 'storm') {
    throw new UsageError(`--nemesis: found it with scenario "${name}", expected scenario "storm"`);
  }
  return found(options);
}
