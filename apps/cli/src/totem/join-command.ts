import { ConfigError, utf8Text } from '@quorate/kernel';
import { type CorosyncConf, parseCorosyncConf } from '@quorate/totem/corosync';
import { Command } from 'commander';
import type { CommandIo } from '../command-io.js';
import { readBytes, wholeNumberOf } from '../options.js';
import { UsageError } from '../usage-error.js';
import { Exit } from '../verdict.js';
import { RingSession } from './ring-session.js';

interface JoinOptions {
  readonly conf: string;
  readonly node: string;
  readonly group?: string;
  readonly state: string;
}

/** Longest name of a process group. */
const MAX_GROUP_BYTES = 128;

/** `quorate totem join`: this process is a node of the ring until it is interrupted. */
export function joinCommand(io: CommandIo, exit: (code: number) => void): Command {
  return new Command('join')
    .description('be a node of the ring: print its configurations and messages, send lines from stdin to a group')
    .requiredOption('--conf <file>', 'the corosync.conf of the ring, transport udpu or udp')
    .requiredOption('--node <id>', 'which node of its nodelist this one is')
    .option('--group <name>', 'the process group to join')
    .option('--state <directory>', "where the ring's number is kept over restarts", '/var/lib/corosync')
    .action(async (options: JoinOptions) => exit(await join(options, io)));
}

async function join(options: JoinOptions, io: CommandIo): Promise<number> {
  const { group } = options;
  const nodeId = wholeNumberOf('--node', options.node, 1, 0xffff_ffff);
  if (group !== undefined && !/^[\x21-\x7e]{1,128}$/.test(group)) {
    throw new UsageError(`--group: found "${group}", expected 1 to ${MAX_GROUP_BYTES} printable ASCII characters`);
  }
  const conf = corosyncConfOf(options.conf);
  const isInterrupted = io.untilSignal();
  const session = sessionOf(conf, nodeId, options, io);
  try {
    await session.start();
  } catch (error) {
    const address = conf.nodes.find(({ id }) => id === nodeId)?.address;
    throw new UsageError(`cannot bind ${address} port ${conf.port}: ${codeOf(error)}`);
  }
  void isInterrupted.then(() => session.leave());
  return (await session.ended) ? Exit.passed : Exit.usage;
}

function sessionOf(conf: CorosyncConf, nodeId: number, options: JoinOptions, io: CommandIo): RingSession {
  const { group, state } = options;
  try {
    return new RingSession({ conf, nodeId, stateDirectory: state, io, ...(group !== undefined && { group }) });
  } catch (error) {
    if (error instanceof ConfigError) {
      throw new UsageError(`--node: found "${nodeId}", expected ${error.expected} in ${options.conf}`);
    }
    throw new UsageError(`--state: cannot keep the ring's number in ${state}: ${codeOf(error)}`);
  }
}

function corosyncConfOf(path: string): CorosyncConf {
  try {
    return parseCorosyncConf(utf8Text(readBytes(path)));
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
}

/** The system's code of an error that it reported; other errors are ours, and go on. */
function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return code;
}
