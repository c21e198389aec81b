import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { MILLISECOND } from '@quorate/kernel';
import { corosync31 } from '@quorate/totem';
import { Corosync, type CorosyncInput, type CorosyncOutput } from '@quorate/totem/corosync';
import { LoadedProcess, putLoad } from './totem/loaded-process.js';

/** What a node's thread is given: its id, and a port to each of the others. */
export interface ThreadData {
  readonly nodeId: number;
  readonly ports: ReadonlyMap<number, MessagePort>;
}

// A node of a ring in a thread: `totem-node` with message ports where that has sockets.

const { nodeId, ports } = workerData as ThreadData;
const nodes = [nodeId, ...ports.keys()].map((id) => ({ id }));
const machine = new Corosync({ nodeId, nodes, timings: corosync31(nodes.length), ringSeq: 0 });
const waiting: CorosyncInput[] = [];
let isOnStack = false;

const say = (line: string): void => parentPort!.postMessage(line);
const load = new LoadedProcess(nodeId, step);

function clock(): number {
  return Math.round(performance.now() * MILLISECOND);
}

function step(input: CorosyncInput): void {
  waiting.push(input);
  if (isOnStack) return;
  isOnStack = true;
  const now = clock();
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) machine.step(now, next, onOutput);
  isOnStack = false;
}

function onOutput(output: CorosyncOutput): void {
  if (output.kind === 'unicast') ports.get(output.to)?.postMessage(output.bytes.slice());
  else if (output.kind === 'multicast') for (const port of ports.values()) port.postMessage(output.bytes.slice());
  else load.hear(output);
  if (output.kind === 'confchg') say(`members ${load.members}`);
}

for (const port of ports.values()) port.on('message', (bytes: Uint8Array) => step({ kind: 'datagram', bytes }));
parentPort!.on('message', (line: string) => putLoad(load, line, say));
step({ kind: 'network-up' });
setInterval(() => {
  if (machine.deadline() <= clock()) step({ kind: 'wake' });
}, 1);
