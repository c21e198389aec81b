import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CorosyncDaemon } from '../../../../tooling/real-ring/corosync-daemon.js';
import { LineProcess } from '../../../../tooling/real-ring/line-process.js';
import { RingNetwork } from '../../../../tooling/real-ring/ring-network.js';
import { PATIENCE_MS, until } from '../../../../tooling/real-ring/until.js';

/** A ring with one process in one group on each node, which puts a load on it when it is told to. */
export interface MeasuredRing {
  /** Node 1's; own messages a second that came back in order. */
  flood(bytes: number, seconds: number): Promise<number>;
  /** Node 1's; median from the call to the own delivery, one message in flight, in microseconds. */
  pingPong(bytes: number, count: number): Promise<number>;
  remove(): Promise<void>;
}

/** Nodes of real corosync, each with a client of libcpg: `program`. */
export async function corosyncRing(nodes: number, directory: string, program: string): Promise<MeasuredRing> {
  const ids = idsOf(nodes);
  const network = new RingNetwork(`c${process.pid}`, ids);
  const daemons = ids.map((id) => {
    return new CorosyncDaemon(network, id, join(directory, `corosync-${id}`), confOf(network, ids));
  });
  for (const daemon of daemons) daemon.start();
  const clients = daemons.map((daemon) => daemon.client('chrt', [...AS_CLIENT, program]));
  return measured(network, clients, async () => {
    for (const daemon of daemons) await daemon.end('SIGKILL');
  });
}

/**
 * corosync gives itself the highest real-time priority; a node of ours that is measured beside it has the same, and the
 * client of corosync, whose work that node does too, the next one.
 */
const AS_COROSYNC = ['chrt', '--rr', '99'];
const AS_CLIENT = ['--rr', '98'];

/** Nodes of ours, each in a process of its own: `script`. */
export async function ourRing(nodes: number, directory: string, script: string): Promise<MeasuredRing> {
  const ids = idsOf(nodes);
  const network = new RingNetwork(`o${process.pid}`, ids);
  const conf = join(directory, 'corosync.conf');
  writeFileSync(conf, confOf(network, ids));
  const processes = ids.map((id) => {
    const state = join(directory, `state-${id}`);
    mkdirSync(state, { recursive: true });
    const program = [...AS_COROSYNC, process.execPath, script, conf, `${id}`, state];
    return new LineProcess('ip', ['netns', 'exec', network.namespaceOf(id), ...program]);
  });
  return measured(network, processes, async () => {
    for (const node of processes) await node.end('SIGKILL');
  });
}

async function measured(
  network: RingNetwork,
  processes: readonly LineProcess[],
  end: () => Promise<void>,
): Promise<MeasuredRing> {
  const remove = async (): Promise<void> => {
    await end();
    for (const { ended } of processes) await ended;
    network.remove();
  };
  const first = processes[0]!;
  const ask = async (what: string, bytes: number, amount: number, ms: number): Promise<number> => {
    const { length } = first.lines;
    first.say(`${what} ${bytes} ${amount}`);
    await until(
      () => `no answer to ${what} ${bytes} ${amount}`,
      () => first.lines.length > length,
      ms,
    );
    return Number(first.lines.at(-1)!.replace(`${what} `, ''));
  };
  try {
    const formed = `members ${processes.length}`;
    await until(
      () => `no group of ${processes.length}`,
      () => processes.every(({ lines }) => lines.at(-1) === formed),
    );
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    flood: (bytes, seconds) => ask('flood', bytes, seconds, seconds * 1000 + PATIENCE_MS),
    pingPong: (bytes, count) => ask('ping-pong', bytes, count, PATIENCE_MS),
    remove,
  };
}

function idsOf(nodes: number): readonly number[] {
  return Array.from({ length: nodes }, (_, i) => i + 1);
}

function confOf(network: RingNetwork, ids: readonly number[]): string {
  const nodes = ids.map((id) => ` node {\n  ring0_addr: ${network.addressOf(id)}\n  nodeid: ${id}\n }\n`);
  return `totem {\n version: 2\n cluster_name: bench\n transport: udpu\n}\nnodelist {\n${nodes.join('')}}\n`;
}
