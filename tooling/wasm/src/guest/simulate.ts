import { parseSeed, SECOND } from '@quorate/kernel';
import {
  HypervBlog,
  hypervBlogTopology,
  IsolatedNode,
  type IsolatedNodeResult,
  type Scenario,
  type StoryResult,
  stackInvariants,
  type Topology,
} from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { type RunResult, Simulator } from '@quorate/simulator';
import type { Mark, SimulateReply, SimulateRequest } from './messages.js';

type NewScenario = (topology: Topology) => Scenario<StoryResult | IsolatedNodeResult>;

const SCENARIOS: ReadonlyMap<string, NewScenario> = new Map<string, NewScenario>([
  ['hyperv-blog', (topology) => new HypervBlog(topology)],
  ['isolated-node-fences-majority', () => new IsolatedNode()],
]);

/** The simulator's own limit. */
const MAX_TIME = 3600 * SECOND;

/**
 * Formats the disks and runs a scenario on them, in steps of `every`.
 *
 * @throws {RangeError} when the scenario is unknown, the seed is none or `every` is not above 0.
 */
export function simulate(request: SimulateRequest): SimulateReply {
  const { scenario, every, until = MAX_TIME } = request;
  const seed = parseSeed(request.seed);
  const newScenario = SCENARIOS.get(scenario);
  if (newScenario === undefined) {
    throw new RangeError(`found scenario "${scenario}", expected one of ${[...SCENARIOS.keys()].join(', ')}`);
  }
  if (seed === undefined) throw new RangeError(`found seed "${request.seed}", expected a number below 2^64`);
  if (!(every > 0)) throw new RangeError(`found ${every} ns between two marks, expected more than 0`);
  const topology = hypervBlogTopology(administratorsPrograms);
  const simulator = new Simulator({ scenario: newScenario(topology), topology, seed, invariants: stackInvariants });
  const marks: Mark[] = [];
  let run: RunResult;
  let at = 0;
  do {
    at = Math.min(at + every, until);
    run = simulator.run(at);
    marks.push({ at, events: run.events, hash: run.hash });
  } while (run.reason === 'time' && at < until);
  return {
    at: run.at,
    events: run.events,
    hash: run.hash,
    reason: run.reason,
    troubles: troublesOf(run),
    marks,
  };
}

function troublesOf({ violations, exception, result }: RunResult): string[] {
  const missed = (result as StoryResult | IsolatedNodeResult | undefined)?.failures ?? [];
  return [
    ...violations.map(({ invariant, message }) => `${invariant}: ${message}`),
    ...missed.map(({ step, observed }) => `${step}: ${observed.text}`),
    ...(exception === undefined ? [] : [exception]),
  ];
}
