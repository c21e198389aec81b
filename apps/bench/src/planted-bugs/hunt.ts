import { type Nanos, SECOND, type Seed, type Violation } from '@quorate/kernel';
import {
  HypervBlog,
  hypervBlogTopology,
  IscsiSharedDisk,
  IsolatedNode,
  iscsiSharedDiskTopology,
  LockChaos,
  lockChaosTopology,
  type Scenario,
  ServiceChaos,
  Storm,
  serviceChaosTopology,
  stackInvariants,
  type Topology,
} from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import {
  decisionText,
  type PreparedScenario,
  runLogged,
  type ScenarioResult,
  Simulator,
  shrink,
} from '@quorate/simulator';
import { PlockStorm } from '../../../../packages/dlm/test/plock-storm.js';
import { Storm as DlmStorm } from '../../../../packages/dlm/test/storm.js';
import { storm as fenceStorm } from '../../../../packages/fencing/test/storm.js';
import { chaos } from '../../../../packages/totem/test/chaos.js';
import { storm as totemStorm } from '../../../../packages/totem/test/storm.js';
import { FaultInMidWork } from './fault-in-mid-work.js';
import type { HuntingGround } from './planted-bug.js';
import { VolumeWork } from './volume-work.js';

/** What one run came to. */
export interface HuntedRun {
  readonly seed: number;
  /** The violation of the rule that had to be violated. */
  readonly found: Violation | undefined;
  /** The violation that came first, of whatever rule. */
  readonly first: Violation | undefined;
  /** How it ended, where no violation was found. */
  readonly end: string;
  /** Virtual time at its end. */
  readonly at: Nanos;
}

/** Scenarios of the whole stack. */
const SCENARIOS: Partial<Readonly<Record<HuntingGround, (topology: Topology) => Scenario<ScenarioResult>>>> = {
  'hyperv-blog': (topology) => new HypervBlog(topology),
  'isolated-node': () => new IsolatedNode(),
  'iscsi-shared-disk': () => new IscsiSharedDisk(),
  pause: () => new FaultInMidWork('pause'),
  partition: () => new FaultInMidWork('partition'),
  'power-off': () => new FaultInMidWork('power-off'),
  'calm-storm': (topology) => new Storm({ topology, nemesis: 'calm', chaos: 20 * SECOND }),
  'jepsen-storm': (topology) => new Storm({ topology, nemesis: 'jepsen', chaos: 60 * SECOND }),
  swarm: (topology) => new Storm({ topology, nemesis: 'swarm' }),
  'volume-work': () => new VolumeWork(),
  'lock-chaos': (topology) => new LockChaos({ topology }),
  'service-chaos': (topology) => new ServiceChaos({ topology }),
  gray: (topology) => new Storm({ topology, nemesis: 'gray' }),
};

function topologyOf(ground: HuntingGround): Topology {
  if (ground === 'iscsi-shared-disk') return iscsiSharedDiskTopology(administratorsPrograms);
  if (ground === 'lock-chaos') return lockChaosTopology(administratorsPrograms);
  if (ground === 'service-chaos') return serviceChaosTopology(administratorsPrograms);
  return hypervBlogTopology(administratorsPrograms);
}

/** One run: it ends when the rule is violated; other violations are passed by. */
export function hunt(ground: HuntingGround, seed: number, rule: string): HuntedRun {
  try {
    const scenarioOf = SCENARIOS[ground];
    if (scenarioOf !== undefined) return huntInSimulator(topologyOf(ground), scenarioOf, seed, rule);
    switch (ground) {
      case 'totem-storm':
        return checked(seed, rule, totemStorm(seed, seed % 2 === 0));
      case 'totem-chaos':
        return huntInTotemChaos(seed, rule);
      case 'plock-storm':
        return huntInPlockStorm(seed, rule);
      case 'fence-storm':
        return checked(seed, rule, fenceStorm(seed));
      default:
        return huntInDlmStorm(seed, rule);
    }
  } catch (error) {
    // The bug can make itself felt before the run begins, as when the disks are formatted.
    return { seed, found: undefined, first: undefined, end: String(error), at: 0 };
  }
}

/** A run of the whole stack is looked at this often. */
const SLICE: Nanos = SECOND;

/** No sound run of a scenario takes as long as that; with a bug some wait for ever. */
const LONGEST: Nanos = 1200 * SECOND;

function huntInSimulator(
  topology: Topology,
  scenarioOf: (topology: Topology) => Scenario,
  lo: number,
  rule: string,
): HuntedRun {
  const seed: Seed = { hi: 0, lo };
  const scenario = scenarioOf(topology);
  const simulator = new Simulator({ scenario, topology, seed, invariants: stackInvariants, keepGoing: true });
  for (let until = SLICE; ; until += SLICE) {
    const { reason, at, violations, exception, result } = simulator.run(until);
    const found = violations.find(({ invariant }) => invariant === rule) ?? missed(result, rule, at);
    const end = exception ?? [reason, ...goals(result)].join('; ');
    if (found !== undefined || reason !== 'time' || at >= LONGEST)
      return { seed: lo, found, first: violations[0], end, at };
  }
}

/**
 * Decisions that are left of a run that violates the rule when it is shrunk; undefined where the world decides nothing that is
 * logged (the storms of single packages), or where the rule is violated only after another one.
 */
export function shrunkTo(
  ground: HuntingGround,
  seed: number,
  rule: string,
  mostRuns: number,
): readonly string[] | undefined {
  const scenarioOf = SCENARIOS[ground];
  if (scenarioOf === undefined) return undefined;
  const invariants = stackInvariants.filter(({ id }) => id === rule);
  const prepare = (): PreparedScenario => {
    const topology = topologyOf(ground);
    return { topology, scenario: scenarioOf(topology), invariants };
  };
  const world = { hi: 0, lo: seed };
  const { report, log } = runLogged(prepare(), world);
  if (report.id !== rule) return undefined;
  const shrunk = shrink(prepare, world, log, rule, { mostRuns });
  return [...shrunk.log].flatMap(([stream, decisions]) => decisions.map((each) => decisionText(stream, each)));
}

/** What the scenario missed. */
function goals(result: unknown): string[] {
  const { failures = [] } = (result ?? {}) as Partial<ScenarioResult>;
  return failures.map(({ step, observed }) => `${step}: ${observed.text}: ${observed.found ?? ''}`);
}

/** A goal of the scenario that has the name of the rule, and was missed. */
function missed(result: unknown, rule: string, at: Nanos): Violation | undefined {
  const { failures = [] } = (result ?? {}) as Partial<ScenarioResult>;
  const observed = failures.find(({ step }) => step === rule)?.observed;
  return observed && { invariant: rule, at, nodes: [], message: `${observed.text}: ${observed.found ?? ''}` };
}

function huntInTotemChaos(seed: number, rule: string): HuntedRun {
  const { violations, virtualTime } = chaos(seed);
  return checked(seed, rule, { checker: { violations }, now: virtualTime });
}

function huntInDlmStorm(seed: number, rule: string): HuntedRun {
  const storm = new DlmStorm({
    seed,
    nodes: 2 + (seed % 4),
    resources: 3,
    operations: 200,
    faults: 4,
    hasProcesses: seed % 2 === 0,
  });
  storm.run();
  return checked(seed, rule, { checker: storm.checker, now: storm.cluster.now });
}

function huntInPlockStorm(seed: number, rule: string): HuntedRun {
  const storm = new PlockStorm({
    seed,
    nodes: 2 + (seed % 4),
    operations: 200,
    faults: 6,
    isOwnership: seed % 2 === 0,
  });
  storm.run();
  return checked(seed, rule, storm);
}

function checked(
  seed: number,
  rule: string,
  {
    checker: { violations },
    now: at,
  }: { readonly checker: { readonly violations: readonly Violation[] }; readonly now: Nanos },
): HuntedRun {
  const found = violations.find(({ invariant }) => invariant === rule);
  return { seed, found, first: violations[0], end: 'ended', at };
}
