import { freshHypervBlogTopology, hypervBlogTopology, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { Command } from 'commander';
import { type CommandIo, coloursOf } from '../command-io.js';
import { joinWatchers } from '../join-watchers.js';
import {
  clusterConfOf,
  type DriverOptions,
  driverOptions,
  readBytes,
  seedOf,
  speedOf,
  wholeNumberOf,
} from '../options.js';
import type { RunOptions } from '../run-options.js';
import { UsageError } from '../usage-error.js';
import { Exit } from '../verdict.js';
import { PlainView } from '../views/plain-view.js';
import { type LineSource, MORE, ScriptLines, TypedLines } from './line-source.js';
import { PageServer } from './page-server.js';
import type { RunningCluster } from './running-cluster.js';
import { Session } from './session.js';
import { startCluster } from './start-cluster.js';
import { goesOn, OUTSIDE, readLine } from './typed-line.js';

interface UpOptions extends DriverOptions {
  readonly exec?: string;
  readonly port: string;
  readonly fresh?: boolean;
}

/** `quorate up`: a cluster, and a prompt. Its action's exit code goes to `exit`. */
export function upCommand(io: CommandIo, exit: (code: number) => void): Command {
  const command = new Command('up')
    .description('bring a cluster up and type commands on its nodes, or do things to it from outside')
    .argument('[cluster.conf]', "the configuration of all nodes; the walk-through's own unless given");
  return driverOptions(command, 'workers')
    .option('--fresh', 'with blank disks, no cluster.conf and no service turned on, as the walk-through begins')
    .option('--exec <file>', 'type the lines of a file instead of asking for some')
    .option('--port <n>', "serve the service's page on that port of 127.0.0.1; 0: any that is free", '0')
    .addHelpText(
      'after',
      '\nA line is "my-vm1# COMMAND" or "host> COMMAND"; "host> help" says what can be done from outside.',
    )
    .action(async (conf: string | undefined, options: UpOptions) => exit(await up(conf, options, io)));
}

async function up(conf: string | undefined, options: UpOptions, io: CommandIo): Promise<number> {
  const seed = seedOf(options.seed);
  const speed = speedOf(options.speed);
  const port = wholeNumberOf('--port', options.port, 0, 65_535);
  const clusterConf = conf === undefined ? undefined : clusterConfOf(conf);
  if (options.fresh === true && conf !== undefined) {
    throw new UsageError(`--fresh: found ${conf} as well, expected one of them`);
  }
  const topology =
    options.fresh === true
      ? freshHypervBlogTopology(administratorsPrograms)
      : hypervBlogTopology(administratorsPrograms, clusterConf);
  const machines = topology.machines.map(({ name }) => name);

  let lines: LineSource | undefined;
  const show = (text: string): void => (lines === undefined ? void io.stdout.write(text) : lines.interject(text));
  const isInteractive = options.exec === undefined && io.stdout.isTTY === true;
  const session = new Session({ machines, page: topology.page, show, isInteractive });
  const script = options.exec === undefined ? undefined : scriptOf(options.exec, machines);
  const view = new PlainView((line) => show(`${line}\n`), machines, coloursOf(io.stdout, io.env));
  const common: RunOptions = {
    topology,
    seed,
    invariants: stackInvariants,
    watcher: joinWatchers({ fact: (fact) => view.fact(fact) }, session.watcher),
    watchedKinds: [...view.kinds, ...Session.kinds],
  };
  const cluster = startCluster(options.driver, common, {
    speed,
    topologyName: options.fresh === true ? 'hyperv-blog-fresh' : 'hyperv-blog',
    topologyOptions: clusterConf === undefined ? {} : { clusterConf },
  });
  const leave = (): void => {
    void cluster.stop();
    lines?.close();
  };
  void io.untilSignal().then(leave);
  let server: PageServer | undefined;
  try {
    server = await PageServer.start(cluster, topology.page.address, port);
    show(`http://${topology.page.address}/ of the cluster is ${server.url}\n`);
    await session.boot(cluster);
    lines =
      script === undefined
        ? new TypedLines(io, (line) => session.complete(cluster, line), leave)
        : new ScriptLines(script, io);
    await converse(cluster, session, lines);
  } finally {
    await server?.stop();
    await cluster.stop();
    lines?.close();
  }
  if (cluster.trouble !== undefined) {
    io.stderr.write(`quorate: the run does not go on: ${cluster.trouble}\n`);
    return Exit.exception;
  }
  return cluster.violations.length > 0 ? Exit.safety : Exit.passed;
}

/** Lines until there are no more, one of them is the last, or the run does not go on. */
async function converse(cluster: RunningCluster, session: Session, lines: LineSource): Promise<void> {
  for (let isLast = false; !isLast && !cluster.isOver; ) {
    let line = await lines.next(session.prompt);
    if (line === undefined) return;
    while (session.goesOn(line)) {
      const more = await lines.next(MORE);
      if (more === undefined) break;
      line += `\n${more}`;
    }
    isLast = !(await session.type(cluster, line));
    session.tellViolations(cluster);
  }
}

/** The text of a script all of whose lines can be typed, one after the other. */
function scriptOf(path: string, machines: readonly string[]): string {
  const text = new TextDecoder().decode(readBytes(path));
  let place = machines[0] ?? OUTSIDE;
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const number = i + 1;
    let line = lines[i]!;
    while (goesOn(line, place) && i + 1 < lines.length) line += `\n${lines[++i]}`;
    try {
      place = readLine(line, place, machines)?.place ?? place;
    } catch (error) {
      if (error instanceof UsageError) throw new UsageError(`${path}:${number}: ${error.message}`);
      throw error;
    }
  }
  return text;
}
