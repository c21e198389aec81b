import { type Campaign, Campaign as NewCampaign, type SeedReport } from '@quorate/simulator';
import { tuneForShortRuns } from '@quorate/simulator/node';
import { Command } from 'commander';
import type { CommandIo } from '../command-io.js';
import { nemesisOf, seedsOf, wholeNumberOf } from '../options.js';
import { OutputFile } from '../output-file.js';
import { prepare, type ScenarioOptions, type Scenarios } from '../scenarios.js';
import { Exit } from '../verdict.js';
import { ProgressBar } from '../views/progress-bar.js';
import { campaignReport } from './campaign-report.js';
import { FailureDirectory } from './failure-directory.js';
import { type SeedWorker, threadedSeedWorker } from './seed-worker.js';

interface Options {
  readonly seeds: string;
  readonly nemesis?: string;
  readonly jobs: string;
  readonly json?: string;
  readonly failures: string;
  readonly checkDeterminism?: boolean;
}

/** Failures of one kind that are kept with all their decisions. */
const KEPT_OF_A_KIND = 3;

/** `quorate sim campaign`: many seeds of one scenario, on several threads. */
export function campaignCommand(
  io: CommandIo,
  scenarios: Scenarios,
  exit: (code: number) => void,
  startWorker: () => SeedWorker = threadedSeedWorker,
): Command {
  return new Command('campaign')
    .description('run a scenario with many seeds')
    .argument('<scenario>', `its name: ${[...scenarios.keys()].join(', ')}`)
    .requiredOption('--seeds <a..b>', 'the first and the last seed')
    .option('--nemesis <preset>', 'what goes wrong in a storm: calm, jepsen, swarm, gray')
    .option('--jobs <n>', 'runs at a time', '1')
    .option('--json <file>', 'write all figures')
    .option('--failures <directory>', 'where failures are kept', 'failures')
    .option(
      '--check-determinism',
      'run every seed twice, the last one first and in other threads, and compare the hashes',
    )
    .action(async (scenario: string, options: Options) =>
      exit(await runCampaign(scenario, options, io, scenarios, startWorker)),
    );
}

async function runCampaign(
  scenario: string,
  options: Options,
  io: CommandIo,
  scenarios: Scenarios,
  startWorker: () => SeedWorker,
): Promise<number> {
  const seeds = seedsOf(options.seeds);
  const jobs = wholeNumberOf('--jobs', options.jobs, 1, 256);
  const scenarioOptions: ScenarioOptions = options.nemesis === undefined ? {} : { nemesis: nemesisOf(options.nemesis) };
  // Refused here, before any thread is started.
  const { invariants } = prepare(scenarios, scenario, scenarioOptions);
  const goals = invariants.map(({ statement }) => statement).filter((statement) => statement.startsWith('sometimes: '));
  const json = options.json === undefined ? undefined : new OutputFile('--json', options.json);
  tuneForShortRuns();
  const campaign = new NewCampaign();
  const passes = options.checkDeterminism === true ? [seeds, [...seeds].reverse()] : [seeds];
  const bar = new ProgressBar(io.stderr, seeds.length * passes.length);
  const begun = performance.now();
  const reports = new Map<string, SeedReport>();
  let ended = 0;
  const heard = (report: SeedReport): void => {
    const told = judgedTwice(reports.get(report.seed), report);
    reports.set(report.seed, told);
    campaign.add(told);
    ended += 1;
    bar.show(ended, `${campaign.failed} failed`);
  };
  const run = (worker: SeedWorker, seed: bigint): Promise<SeedReport> =>
    worker.run({ scenario, options: scenarioOptions, seed });
  for (const pass of passes) await onThreads(pass, jobs, startWorker, run, { heard });
  bar.end();
  const seconds = (performance.now() - begun) / 1000;
  const failed = [...reports.values()].filter(({ verdict }) => verdict !== 'passed');
  const directories = keep(failed, options.failures, scenario, scenarioOptions, scenarios);
  const figures = { scenario, options: scenarioOptions, jobs, seconds, goals, ...campaign.summary() };
  io.stdout.write(campaignReport(figures, directories));
  json?.begin();
  json?.write(Buffer.from(`${JSON.stringify(figures, null, 2)}\n`));
  json?.close();
  return exitCodeOf(campaign);
}

/** Hands seeds to so many workers, each the next one when it has done its last. */
async function onThreads(
  seeds: readonly bigint[],
  jobs: number,
  startWorker: () => SeedWorker,
  run: (worker: SeedWorker, seed: bigint) => Promise<SeedReport>,
  { heard }: { readonly heard: (report: SeedReport) => void },
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    const worker = startWorker();
    try {
      while (next < seeds.length) {
        next += 1;
        heard(await run(worker, seeds[next - 1]!));
      }
    } finally {
      await worker.stop();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, seeds.length) }, work));
}

/** A run that ends otherwise the second time has failed, however it ended. */
function judgedTwice(first: SeedReport | undefined, report: SeedReport): SeedReport {
  if (first === undefined || first.hash === report.hash) return report;
  const message = `hash ${first.hash}, the second time ${report.hash}`;
  return { ...report, verdict: 'determinism', id: 'diverged', message, nodes: [] };
}

/** Runs the first failures of each kind again, with all that the world decided. */
function keep(
  failed: readonly SeedReport[],
  root: string,
  scenario: string,
  options: ScenarioOptions,
  scenarios: Scenarios,
): readonly FailureDirectory[] {
  const kept = new Map<string, number>();
  const directories: FailureDirectory[] = [];
  for (const report of [...failed].sort((a, b) => (a.seed < b.seed ? -1 : 1))) {
    const id = report.id ?? report.verdict;
    const count = kept.get(id) ?? 0;
    kept.set(id, count + 1);
    if (count >= KEPT_OF_A_KIND) continue;
    directories.push(FailureDirectory.record(root, report, scenario, options, scenarios));
  }
  return directories;
}

function exitCodeOf(campaign: Campaign): number {
  const verdicts = campaign.summary().failures.map(({ verdict }) => verdict);
  for (const verdict of ['determinism', 'safety', 'exception', 'liveness', 'budget'] as const) {
    if (verdicts.includes(verdict)) return Exit[verdict];
  }
  return Exit.passed;
}
