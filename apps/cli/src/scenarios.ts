import type { Invariant } from '@quorate/kernel';
import {
  HypervBlog,
  hypervBlogTopology,
  IsolatedNode,
  type NemesisPreset,
  type Scenario,
  Storm,
  stackInvariants,
  type Topology,
} from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';

/** What a scenario ends with: facts that it expected and did not see count as a failure to get on. */
export interface ScenarioResult {
  readonly ok: boolean;
  readonly failures: readonly { readonly step: string; readonly observed: { readonly text: string } }[];
}

/** A scenario ready to be run once. */
export interface PreparedScenario {
  readonly topology: Topology;
  readonly scenario: Scenario<ScenarioResult>;
  readonly invariants: readonly Invariant[];
}

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
      return { topology, scenario: new Storm({ topology, nemesis }), invariants: stackInvariants };
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
]);
