import { HypervBlog, hypervBlogTopology, IsolatedNode, type Scenario, type Topology } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';

/** What a scenario can be told. */
export interface ScenarioOptions {
  /** Another cluster.conf than its own. */
  readonly clusterConf?: string;
}

export interface PreparedScenario {
  readonly topology: Topology;
  readonly scenario: Scenario;
}

type Prepare = (options: ScenarioOptions) => PreparedScenario;

/** Every scenario by its name, ready to be run once. */
export const SCENARIOS: ReadonlyMap<string, Prepare> = new Map<string, Prepare>([
  [
    'hyperv-blog',
    ({ clusterConf }) => {
      const topology = hypervBlogTopology(administratorsPrograms, clusterConf);
      return { topology, scenario: new HypervBlog(topology) };
    },
  ],
  [
    'isolated-node-fences-majority',
    ({ clusterConf }) => ({
      topology: hypervBlogTopology(administratorsPrograms, clusterConf),
      scenario: new IsolatedNode(),
    }),
  ],
]);

export function scenarioNames(): readonly string[] {
  return [...SCENARIOS.keys()];
}
