import { closeSync, openSync, writeSync } from 'node:fs';
import { type StoryResult, stackInvariants } from '@quorate/lab';
import { Simulator } from '@quorate/simulator';
import { TraceWriter } from '@quorate/trace';
import { Command } from 'commander';
import { seedOf, seedText } from './options.js';
import { SCENARIOS, scenarioNames } from './scenarios.js';
import { Exit, UsageError } from './usage-error.js';
import { PlainView } from './views/plain-view.js';

interface RunOptions {
  readonly seed: string;
  readonly trace?: string;
  readonly checkDeterminism?: boolean;
  readonly quiet?: boolean;
}

/** `quorate sim`: scenarios in the deterministic simulator. */
export function simCommand(): Command {
  const run = new Command('run')
    .description(`run a scenario: ${scenarioNames().join(', ')}`)
    .argument('<scenario>', 'its name')
    .option('--seed <n>', 'what the world does: a number, or 0x and up to 16 hex digits', '1')
    .option('--trace <file>', 'write the run as a .qtrace file')
    .option('--check-determinism', 'run it twice and compare the hashes')
    .option('--quiet', 'only the last line')
    .action(runScenario);
  return new Command('sim').description('run scenarios in the deterministic simulator').addCommand(run);
}

interface Outcome {
  readonly verdict: 'passed' | 'safety' | 'liveness' | 'determinism' | 'exception' | 'budget';
  /** Invariant that was violated, or fact that did not hold. */
  readonly id: string | null;
  readonly hash: string;
  readonly events: number;
  readonly virtualNs: number;
  readonly cpuMs: number;
}

function runScenario(name: string, options: RunOptions): void {
  if (!SCENARIOS.has(name)) {
    throw new UsageError(`sim run: found scenario "${name}", expected one of ${scenarioNames().join(', ')}`);
  }
  const first = runOnce(name, options, options.trace);
  let outcome = first;
  if (options.checkDeterminism === true) {
    const second = runOnce(name, { ...options, quiet: true }, undefined);
    if (second.hash !== first.hash) outcome = { ...first, verdict: 'determinism', id: `${first.hash} ${second.hash}` };
  }
  const seed = seedText(seedOf(options.seed));
  const replay = `quorate sim run ${name} --seed 0x${seed}`;
  process.stdout.write(
    `${JSON.stringify({ ...outcome, seed, commit: null, logPath: options.trace ?? null, replay })}\n`,
  );
  process.exitCode = Exit[outcome.verdict];
}

function runOnce(name: string, options: RunOptions, trace: string | undefined): Outcome {
  const seed = seedOf(options.seed);
  const { topology, scenario } = SCENARIOS.get(name)!({});
  const view = new PlainView((line) => {
    if (options.quiet !== true) process.stdout.write(`${line}\n`);
  });
  const file = trace === undefined ? undefined : openTrace(trace);
  const header = {
    seed: seedText(seed),
    scenario: name,
    nodes: topology.machines.map(({ id, name: host }) => ({ id, name: host })),
  };
  const writer = file === undefined ? undefined : new TraceWriter(header, (bytes) => writeSync(file, bytes));
  const simulator = new Simulator({
    scenario,
    topology,
    seed,
    invariants: stackInvariants,
    watcher: {
      progress: (at, progress) => view.progress(at, progress),
      ...(writer && {
        fact: (fact) => writer.add('fact', fact.node, fact.at, simulator.eventCount, [fact.kind, JSON.stringify(fact)]),
        log: ({ at, machine, priority, tag, text }) =>
          writer.add('log', 255, at, simulator.eventCount, [priority, `${machine} ${tag}`, text]),
      }),
    },
  });
  const before = process.cpuUsage();
  const result = simulator.run();
  const used = process.cpuUsage(before);
  if (writer !== undefined && file !== undefined) {
    writer.end(result.hash);
    closeSync(file);
  }
  const story = result.result as StoryResult | undefined;
  const [violation] = result.violations;
  const [failure] = story?.failures ?? [];
  const verdict =
    violation !== undefined
      ? 'safety'
      : result.reason === 'exception'
        ? 'exception'
        : result.reason !== 'ended'
          ? 'budget'
          : failure !== undefined
            ? 'liveness'
            : 'passed';
  if (result.exception !== undefined) process.stderr.write(`${result.exception}\n`);
  return {
    verdict,
    id: violation?.invariant ?? failure?.observed.text ?? null,
    hash: result.hash,
    events: result.events,
    virtualNs: result.at,
    cpuMs: (used.user + used.system) / 1000,
  };
}

function openTrace(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}
