import { tuneForShortRuns } from '@quorate/simulator/node';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { runAllocBench } from './alloc-bench.js';
import { LEAST_MINUTES, runDiskBench } from './disk.js';
import { runFailoverBench } from './failover-bench.js';
import { runLocksBench } from './locks-bench.js';
import { PLANTED_BUGS } from './planted-bugs/bugs.js';
import { HUNTING_GROUNDS } from './planted-bugs/planted-bug.js';
import { runPlantedBugs, SEEDS, SHRINK_RUNS } from './planted-bugs/run-planted-bugs.js';
import { BENCHMARKS, type BenchIo, runBench } from './run-bench.js';
import { runTotemChaos } from './totem-chaos.js';
import { runTotemSoak } from './totem-soak.js';

/** A mistake of the user. */
const USAGE = 4;

/** Runs `bench` with these arguments, and gives its exit code. A mistake of the user is one line on stderr, and 4. */
export async function runCommand(argv: readonly string[], io: BenchIo): Promise<number> {
  let code = 0;
  const exit = (result: number): void => {
    code = result;
  };
  try {
    await program(io, exit).parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    io.stderr.write(`bench: ${error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')}\n`);
    return USAGE;
  }
}

function program(io: BenchIo, exit: (code: number) => void): Command {
  const root = quiet(new Command('bench'), io)
    .description('Speed and memory, beside a peer or a calibration loop in the same run.')
    .helpCommand(true)
    .argument('[figures...]', `of ${[...BENCHMARKS.keys()].join(', ')}; none: all but what needs programs or rights`)
    .action(async (names: string[]) => {
      tuneForShortRuns();
      exit(await runBench(names, io));
    });
  const add = (name: string, description: string): Command =>
    quiet(root.command(name), io).description(description).allowExcessArguments(false);

  add('disk', 'the iSCSI server beside tgt')
    .option('--minutes <n>', 'watch its memory under load for so long instead', numberFrom(LEAST_MINUTES))
    .action(async ({ minutes }: { minutes?: number }) => exit(await runDiskBench(minutes, io)));
  add('alloc', 'the block allocator alone, under a node with its journal, and beside C').action(async () =>
    exit(await runAllocBench(io)),
  );
  add('locks', 'the lock manager in threads, beside bare messages, async-mutex, Redis and etcd').action(async () =>
    exit(await runLocksBench(io)),
  );
  add('failover', 'how long services are away, by phase, beside what is expected')
    .option('--record', 'print the table of what is expected anew', false)
    .action(({ record }: { record: boolean }) => {
      tuneForShortRuns();
      exit(runFailoverBench(record, io));
    });
  add('totem-chaos', 'membership alone under faults, all assertions checked')
    .option('--seeds <n>', 'from 1 to this one', numberFrom(1), 2000)
    .action(({ seeds }: { seeds: number }) => {
      tuneForShortRuns();
      exit(runTotemChaos(seeds, io));
    });
  add('totem-soak', 'a ring of real corosync and ours, and one thing after the other that is done to it; as root')
    .option('--minutes <n>', 'for how long', numberFrom(1), 60)
    .option('--seed <n>', 'what is done', numberFrom(0), 1)
    .action(async (options: { minutes: number; seed: number }) => exit(await runTotemSoak(options, io)));
  add('planted-bugs', 'for each rule a mistake of one line, and the run that shows it')
    .argument('[names...]', 'of bugs, or of the rules that they break; none: all')
    .option('--seeds <n>', 'runs for each of them, at most', numberFrom(1), SEEDS)
    .addOption(new Option('--in <ground>', 'where to look for it').choices(HUNTING_GROUNDS))
    .option('--shrink', 'leave only those decisions of the run that it needs', false)
    .option('--runs <n>', 'for shrinking one, at most', numberFrom(1), SHRINK_RUNS)
    .action(async (names: string[], options: HuntOptions) => {
      const isKnown = (each: string): boolean => PLANTED_BUGS.some(({ name, rule }) => each === name || each === rule);
      const unknown = names.find((name) => !isKnown(name));
      if (unknown !== undefined) {
        const expected = PLANTED_BUGS.map(({ name }) => name).join(', ');
        throw new InvalidArgumentError(`found "${unknown}", expected the rule of a planted bug or one of ${expected}`);
      }
      tuneForShortRuns();
      const { seeds, in: ground, shrink, runs } = options;
      exit(await runPlantedBugs({ names, seeds, ground, shrinkRuns: shrink ? runs : 0 }, io));
    });
  return root;
}

interface HuntOptions {
  readonly seeds: number;
  readonly in?: (typeof HUNTING_GROUNDS)[number];
  readonly shrink: boolean;
  readonly runs: number;
}

/** It throws instead of leaving, and keeps to itself what it would print on a mistake. */
function quiet(command: Command, { stdout }: BenchIo): Command {
  return command.exitOverride().configureOutput({ writeOut: (text) => stdout.write(text), writeErr: () => {} });
}

function numberFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= least) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least}`);
  };
}
