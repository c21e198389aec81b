import type { Invariant, Nanos, Seed, World } from '@quorate/kernel';
import { SeededWorld } from '@quorate/kernel';
import type { RunWatcher, Scenario, Topology } from '@quorate/lab';
import type { EventTap } from '@quorate/trace';
import type { DecisionLog } from '../decisions/decision-log.js';
import { LoggedWorld } from '../decisions/logged-world.js';
import { ReplayedWorld, type ReplayMode } from '../decisions/replayed-world.js';
import { SurroundedWorld } from '../decisions/surrounded-world.js';
import { type RunResult, Simulator } from '../simulator.js';
import { type Verdict, verdictOf } from './verdict.js';

/** What a scenario ends with: facts that it expected and did not see count as a failure to get on. */
export interface ScenarioResult {
  readonly ok: boolean;
  /** A `step` that is the id of a rule (`L3`, `S26`) names what is broken; otherwise the text does. */
  readonly failures: readonly {
    readonly step: string;
    readonly observed: { readonly text: string; readonly found?: string };
  }[];
}

/** A scenario ready to be run once. */
export interface PreparedScenario {
  readonly topology: Topology;
  readonly scenario: Scenario<ScenarioResult>;
  readonly invariants: readonly Invariant[];
}

/** What is known of one run when it is over; plain data. */
export interface SeedReport {
  /** 16 hex digits. */
  readonly seed: string;
  readonly verdict: Verdict;
  /** Rule that was violated, goal that was missed, or fact that did not hold; null when it passed. */
  readonly id: string | null;
  /** What was found. */
  readonly message: string;
  readonly nodes: readonly number[];
  readonly hash: string;
  readonly events: number;
  /** Virtual time at its end. */
  readonly virtualNs: Nanos;
  /** What was counted, by name: exceptions that the original has too, and goals of coverage. */
  readonly counts: Readonly<Record<string, { readonly times: number; readonly largest: number }>>;
}

export interface SeedRunOptions {
  /** What the world does; drawn from the seed when absent. */
  readonly world?: World;
  readonly watcher?: RunWatcher;
  readonly watchedKinds?: readonly string[];
  /** Hears every event. */
  readonly tap?: EventTap;
}

/** Runs a scenario once and reports. It stops at the first violation. */
export function runSeed(prepared: PreparedScenario, seed: Seed, options: SeedRunOptions = {}): SeedReport {
  const simulator = new Simulator({ ...prepared, seed, ...options });
  return reportOf(simulator, simulator.run(), seed);
}

/** What is to be said of a run that is over. */
export function reportOf(simulator: Simulator, run: RunResult, seed: Seed): SeedReport {
  const result = run.result as ScenarioResult | undefined;
  const { id, message, nodes } = findingOf(run, result);
  const verdict = verdictOf({ ...run, isOk: result?.ok === true });
  return {
    seed: seedText(seed),
    // What was promised and is lost is no matter of getting on, whoever noticed.
    verdict: verdict === 'liveness' && id?.startsWith('S') === true ? 'safety' : verdict,
    id: verdict === 'passed' ? null : id,
    message,
    nodes,
    hash: run.hash,
    events: run.events,
    virtualNs: run.at,
    counts: Object.fromEntries(simulator.checker.counts),
  };
}

/** Runs a scenario once, with all that the world decided. */
export function runLogged(
  prepared: PreparedScenario,
  seed: Seed,
  options: Omit<SeedRunOptions, 'world'> = {},
): { readonly report: SeedReport; readonly log: DecisionLog } {
  const logged = new LoggedWorld(new SeededWorld(seed));
  const report = runSeed(prepared, seed, { ...options, world: logged });
  return { report, log: logged.log() };
}

/** What a log says, and the areas that the seed decides beside it. */
export interface ReplayedLog {
  readonly log: DecisionLog;
  readonly seeded: readonly string[];
}

/**
 * Runs a scenario once, with what a log says. `misfits` are its entries that found no question; `asked` is the log without
 * them.
 */
export function replay(
  prepared: PreparedScenario,
  seed: Seed,
  { log, seeded }: ReplayedLog,
  mode: ReplayMode,
  options: SeedRunOptions = {},
): {
  readonly report: SeedReport;
  readonly misfits: ReturnType<ReplayedWorld['misfits']>;
  readonly asked: DecisionLog;
} {
  const replayed = new ReplayedWorld(log, mode);
  const logged = new LoggedWorld(replayed);
  const world = new SurroundedWorld(logged, new SeededWorld(seed), seeded);
  const report = runSeed(prepared, seed, { ...options, world });
  return { report, misfits: replayed.misfits(), asked: logged.log() };
}

/** 16 hex digits. */
export function seedText({ hi, lo }: Seed): string {
  return hi.toString(16).padStart(8, '0') + lo.toString(16).padStart(8, '0');
}

/** Ids of rules and goals, in the place of a step's name. */
const RULE = /^[A-Z]\d+[a-z]?$/;

function findingOf(
  run: RunResult,
  result: ScenarioResult | undefined,
): { readonly id: string | null; readonly message: string; readonly nodes: readonly number[] } {
  const violation = run.violations[0];
  if (violation !== undefined) return { ...violation, id: violation.invariant };
  if (run.exception !== undefined) {
    return { id: run.reason === 'diverged' ? 'diverged' : 'S32', message: run.exception, nodes: [] };
  }
  const failure = result?.failures[0];
  if (failure !== undefined) {
    const { text, found = '' } = failure.observed;
    return { id: RULE.test(failure.step) ? failure.step : text, message: `${text}: ${found}`, nodes: [] };
  }
  return { id: run.reason === 'ended' ? null : run.reason, message: '', nodes: [] };
}
