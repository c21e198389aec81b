import type { Stamped } from '@quorate/kernel';
import {
  type AnyFact,
  HypervBlog,
  hypervBlogTopology,
  PHASE_KINDS,
  phasesOf,
  type Scenario,
  type StoryResult,
  type StoryStep,
  stackInvariants,
} from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { Simulator } from '@quorate/simulator';
import type { Profile } from './profiles.js';
import { type Outage, outageOf, type Sample } from './table.js';

const SEEDS = [1, 2, 3, 4, 5];

/** What a machine does when it is gone. */
const GONE: readonly unknown[] = ['off', 'paused'];

interface StoryRun {
  readonly steps: readonly StoryStep[];
  readonly facts: readonly AnyFact[];
}

/** Each step of the story, as the mean of five seeds. */
export interface StoryOutages {
  /** For how long somebody with a browser was not served. */
  readonly outages: readonly Outage[];
  /** From the loss of a machine to the end of what the others do about it, services aside. */
  readonly recoveries: readonly Outage[];
}

export function storyOutages(profile: Profile): StoryOutages {
  const runs = SEEDS.map((seed) => runStory(profile, seed));
  const eachStep = (sample: (step: StoryStep, run: StoryRun) => Sample | undefined): readonly Outage[] =>
    runs[0]!.steps.flatMap((_, i) => {
      const samples = runs.flatMap((run) => sample(run.steps[i]!, run) ?? []);
      return samples.length === runs.length ? [outageOf(runs[0]!.steps[i]!.id, samples)] : [];
    });
  return { outages: eachStep(outageIn), recoveries: eachStep(recoveryIn) };
}

function outageIn({ ownerBefore, outageSeconds, phases }: StoryStep): Sample | undefined {
  return ownerBefore === null ? undefined : { seconds: outageSeconds, phases };
}

/** Undefined when no machine was lost that anybody missed. */
function recoveryIn({ startedAt, endedAt }: StoryStep, { facts }: StoryRun): Sample | undefined {
  const inStep = facts.filter(({ at }) => at >= startedAt && at < endedAt);
  const from = inStep.find(({ kind, state }) => kind === 'node.state' && GONE.includes(state))?.at;
  if (from === undefined) return undefined;
  const since = inStep.filter(({ at }) => at >= from);
  // What comes after somebody's return is about that one.
  const back = since.findIndex(({ joined }) => Array.isArray(joined) && joined.length > 0);
  const lost = back < 0 ? since : since.slice(0, back);
  const recovering = lost.filter(({ kind }) => PHASE_KINDS.includes(kind) && kind !== 'rg.agent-ended');
  const phases = phasesOf({ from, to: endedAt }, recovering, false);
  if (phases.length === 0) return undefined;
  return { seconds: phases.reduce((sum, { seconds }) => sum + seconds, 0), phases };
}

/** Throws when the story does not hold: what is wrong is not measured. */
function runStory({ name, clusterConf }: Profile, seed: number): StoryRun {
  const topology = hypervBlogTopology(administratorsPrograms, clusterConf);
  const facts: AnyFact[] = [];
  const scenario = heard(new HypervBlog(topology), facts);
  const run = new Simulator({ scenario, topology, seed: { hi: 0, lo: seed }, invariants: stackInvariants }).run();
  const result = run.result as StoryResult | undefined;
  if (run.reason === 'ended' && run.violations.length === 0 && result?.ok === true) {
    return { steps: result.steps, facts };
  }
  const failed = result?.failures
    .map(({ step, observed }) => `${step}: ${observed.text}: ${observed.found}`)
    .join('; ');
  const why = run.violations[0]?.message ?? run.exception ?? (failed || run.reason);
  throw new Error(`the story does not hold with seed ${seed} and the ${name} timers: ${why}`);
}

/** The same scenario, whose facts are kept as well. */
function heard(story: HypervBlog, facts: AnyFact[]): Scenario<StoryResult> {
  const { name, title, kinds, atEnd } = story;
  const onFact = (fact: Stamped): void => {
    facts.push(fact as AnyFact);
    story.onFact(fact);
  };
  return { name, title, kinds, script: (lab) => story.script(lab), onFact, atEnd };
}
