import { statSync } from 'node:fs';
import { decisionCount, decisionText, type ReplayMode, replay, shrink } from '@quorate/simulator';
import { tuneForShortRuns } from '@quorate/simulator/node';
import { Command } from 'commander';
import { type CommandIo, coloursOf } from '../command-io.js';
import { wholeNumberOf } from '../options.js';
import type { Scenarios } from '../scenarios.js';
import { UsageError } from '../usage-error.js';
import { Exit } from '../verdict.js';
import { PlainView } from '../views/plain-view.js';
import { FailureDirectory, type ReplayableLog, readLog } from './failure-directory.js';

interface ReplayOptions {
  readonly mode: string;
  readonly shrunk?: boolean;
  readonly quiet?: boolean;
}

/** `quorate sim replay`: one run with what a log says. */
export function replayCommand(io: CommandIo, scenarios: Scenarios, exit: (code: number) => void): Command {
  return new Command('replay')
    .description('run the decisions of a failure again')
    .argument('<directory>', 'of a failure, or a log of decisions (.log, .txt)')
    .option('--mode <mode>', 'strict, or tolerant for code that has changed', 'strict')
    .option('--shrunk', 'the shrunk decisions of the failure')
    .option('--quiet', 'only the last line')
    .action((path: string, options: ReplayOptions) => exit(runReplay(path, options, io, scenarios)));
}

function runReplay(path: string, options: ReplayOptions, io: CommandIo, scenarios: Scenarios): number {
  const mode = modeOf(options.mode);
  const failure = isDirectory(path) ? FailureDirectory.open(path) : undefined;
  const found = failure?.log(scenarios, options.shrunk) ?? readLog(path, scenarios);
  tuneForShortRuns();
  const { report, misfits } = replay(
    found.prepare(),
    found.seed,
    { log: found.log, seeded: found.origin.seeded },
    mode,
    options.quiet === true ? {} : telling(found, io),
  );
  const isSame = failure === undefined ? undefined : report.id === failure.report.id;
  const line = { runs: 1, mode, ...report, counts: undefined, misfits, reproduced: isSame ?? null };
  io.stdout.write(`${JSON.stringify(line)}\n`);
  return Exit[report.verdict];
}

function telling(found: ReplayableLog, { stdout, env }: CommandIo): Parameters<typeof replay>[4] {
  const names = found.prepare().topology.machines.map(({ name }) => name);
  const view = new PlainView((line) => stdout.write(`${line}\n`), names, coloursOf(stdout, env));
  return {
    watchedKinds: view.kinds,
    watcher: { progress: (at, progress) => view.progress(at, progress), fact: (fact) => view.fact(fact) },
  };
}

interface ShrinkOptions {
  readonly runs: string;
  readonly minutes: string;
}

/** `quorate sim shrink`: looks for the fewest decisions that fail in the same way. */
export function shrinkCommand(io: CommandIo, scenarios: Scenarios, exit: (code: number) => void): Command {
  return new Command('shrink')
    .description('find the fewest decisions that fail in the same way')
    .argument('<directory>', 'of a failure')
    .option('--runs <n>', 'the most runs that it may take', '2000')
    .option('--minutes <n>', 'the longest that it may take', '5')
    .action((path: string, options: ShrinkOptions) => exit(runShrink(path, options, io, scenarios)));
}

function runShrink(path: string, options: ShrinkOptions, io: CommandIo, scenarios: Scenarios): number {
  const mostRuns = wholeNumberOf('--runs', options.runs, 1, 1_000_000);
  const until = performance.now() + wholeNumberOf('--minutes', options.minutes, 1, 100_000) * 60_000;
  const failure = FailureDirectory.open(path);
  const { id } = failure.report;
  if (id === null) throw new UsageError(`${path}: found a run that passed, expected a failure`);
  const full = failure.log(scenarios);
  const { prepare, seed, log } = full;
  tuneForShortRuns();
  const heard = (runs: number, decisions: number): void => {
    if (io.stderr.isTTY === true) io.stderr.write(`\r${runs} runs, ${decisions} decisions  `);
  };
  const shrunk = shrink(prepare, seed, log, id, { mostRuns, heard, isOver: () => performance.now() > until });
  if (io.stderr.isTTY === true) io.stderr.write('\n');
  const kept = failure.keepShrunk(full, shrunk);
  const [before, after] = [decisionCount(log), decisionCount(shrunk.log)];
  if (after <= MOST_PRINTED) {
    for (const [stream, decisions] of shrunk.log) {
      for (const decision of decisions) io.stdout.write(`${decisionText(stream, decision)}\n`);
    }
  }
  const line = {
    id,
    before,
    after,
    seeded: shrunk.seeded,
    runs: shrunk.runs,
    hash: shrunk.report.hash,
    virtualNs: shrunk.report.virtualNs,
    kept,
  };
  io.stdout.write(`${JSON.stringify({ ...line, replay: `quorate sim replay --shrunk ${path}` })}\n`);
  return Exit.passed;
}

/** Longer logs are for the file. */
const MOST_PRINTED = 100;

function modeOf(text: string): ReplayMode {
  if (text === 'strict' || text === 'tolerant') return text;
  throw new UsageError(`--mode: found "${text}", expected strict or tolerant`);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
