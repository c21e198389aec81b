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
  prepare(scenarios, scenario, scenarioOptions);
  const json = options.json === undefined ? undefined : new OutputFile('--json', options.json);
  tuneForShortRuns();
  const campaign = new NewCampaign();
  const bar = new ProgressBar(io.stderr, seeds.length);
  const begun = performance.now();
  const failed: SeedReport[] = [];
  await onThreads(
    seeds,
    jobs,
    startWorker,
    (worker, seed) => worker.run({ scenario, options: scenarioOptions, seed }),
    {
      heard(report) {
        campaign.add(report);
        if (report.verdict !== 'passed') failed.push(report);
        bar.show(campaign.runs, `${campaign.failed} failed`);
      },
    },
  );
  bar.end();
  const seconds = (performance.now() - begun) / 1000;
  const directories = keep(failed, options.failures, scenario, scenarioOptions, scenarios);
  const figures = { scenario, options: scenarioOptions, jobs, seconds, ...campaign.summary() };
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
  for (const verdict of ['safety', 'exception', 'liveness', 'determinism', 'budget'] as const) {
    if (verdicts.includes(verdict)) return Exit[verdict];
  }
  return Exit.passed;
}
