import { freshHypervBlogTopology, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { Command } from 'commander';
import { type CommandIo, coloursOf } from '../command-io.js';
import { type DriverOptions, driverOptions, seedOf, speedOf } from '../options.js';
import type { RunOptions } from '../run-options.js';
import { Session } from '../up/session.js';
import { startCluster } from '../up/start-cluster.js';
import { Exit } from '../verdict.js';
import { WALKTHROUGH } from './document.js';
import { mismatchOf, type Step } from './step.js';

interface WalkthroughOptions extends DriverOptions {
  readonly quiet?: boolean;
}

/** `quorate walkthrough`: types what the posts type, and compares what is printed. Its action's exit code goes to `exit`. */
export function walkthroughCommand(io: CommandIo, exit: (code: number) => void): Command {
  const command = new Command('walkthrough').description(
    "type the walk-through's commands on fresh machines and compare every answer with the posts'",
  );
  return driverOptions(command, 'simulator')
    .option('--quiet', 'only what differs, and the last lines')
    .action(async (options: WalkthroughOptions) => exit(await walk(options, io)));
}

async function walk({ driver, quiet = false, ...options }: WalkthroughOptions, io: CommandIo): Promise<number> {
  const seed = seedOf(options.seed);
  const speed = speedOf(options.speed);
  const topology = freshHypervBlogTopology(administratorsPrograms);
  let answer = '';
  const session = new Session({
    machines: topology.machines.map(({ name }) => name),
    page: topology.page,
    show: (text) => {
      answer += text;
    },
  });
  const common: RunOptions = {
    topology,
    seed,
    invariants: stackInvariants,
    watcher: session.watcher,
    watchedKinds: Session.kinds,
  };
  const cluster = startCluster(driver, common, { speed, topologyName: 'hyperv-blog-fresh', topologyOptions: {} });
  void io.untilSignal().then(() => cluster.stop());
  const { bold, dim, red } = coloursOf(io.stdout, io.env);
  const print = (text: string): void => void (quiet || io.stdout.write(text));
  const differences = new Set<string>();
  let [typed, compared, failed] = [0, 0, 0];

  /** True when the answer is that of the posts. */
  const take = async (step: Step): Promise<void> => {
    const line = step.on === 'host' ? `host> ${step.type}` : `${step.on}# ${step.type}`;
    answer = '';
    await session.type(cluster, line);
    session.tellViolations(cluster);
    typed += 1;
    if (step.differs !== undefined) differences.add(step.differs);
    const mismatch = mismatchOf(step, answer);
    if (step.shows !== undefined || step.lacks !== undefined) compared += 1;
    print(`${step.on === 'host' ? line : `[root@${step.on} ~]# ${step.type}`}\n${dim(answer)}`);
    if (mismatch === undefined) return;
    failed += 1;
    io.stdout.write(`${red('NOT as in the walk-through:')} ${line}: ${mismatch}\n${quiet ? answer : ''}`);
  };

  try {
    await session.boot(cluster);
    for (const { title, steps } of WALKTHROUGH) {
      print(`${bold(title)}\n`);
      for (const step of steps) if (!cluster.isOver) await take(step);
    }
  } finally {
    await cluster.stop();
  }
  io.stdout.write('What is not as in the posts, and why:\n');
  for (const difference of differences) io.stdout.write(`  ${difference}\n`);
  io.stdout.write(`${typed} lines typed, ${compared} answers compared, ${failed} differ\n`);
  if (cluster.trouble !== undefined) {
    io.stderr.write(`quorate: the run does not go on: ${cluster.trouble}\n`);
    return Exit.exception;
  }
  if (cluster.violations.length > 0) return Exit.safety;
  return failed > 0 ? Exit.liveness : Exit.passed;
}
