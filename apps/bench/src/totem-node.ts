import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseCorosyncConf } from '@quorate/totem/corosync';
import { CorosyncNode, type NodeOutput } from '@quorate/totem/node';

// A node of a ring with one process in a group, `totem-node.js CONF NODE STATE`, in a process of its own. It puts loads on the
// ring as cpg-load.c does on one of real corosync, in the same words.

const GROUP = 'bench';
/** Bytes on their way at once; the ring refuses more than 2 MiB. */
const IN_FLIGHT_BYTES = 1.5 * 1024 * 1024;
/** What a message of a group costs beside its payload. */
const OVERHEAD = 200;
const MOST_IN_FLIGHT = 4000;

const [path = '', id = '', stateDirectory = ''] = process.argv.slice(2);
const nodeId = Number(id);
let payload = new Uint8Array(0);
let onOwn = (): void => {};

const onOutput = (output: NodeOutput): void => {
  if (output.kind === 'synced') node.step({ kind: 'join', group: GROUP, pid: nodeId });
  else if (output.kind === 'confchg') process.stdout.write(`members ${output.members.length}\n`);
  else if (output.kind === 'message' && output.from.node === nodeId) onOwn();
  else if (output.kind === 'cpg-refused' && output.refused.operation === 'mcast')
    throw new Error('a message was refused');
};
const node = new CorosyncNode({
  conf: parseCorosyncConf(readFileSync(path, 'utf8')),
  nodeId,
  stateDirectory,
  onOutput,
});

const send = (): void => node.step({ kind: 'mcast', group: GROUP, pid: nodeId, payload });

/** Keeps as much on its way as the ring takes; own messages a second that come back. */
function flood(seconds: number): Promise<number> {
  let messages = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  const inFlight = Math.min(MOST_IN_FLIGHT, Math.floor(IN_FLIGHT_BYTES / (payload.length + OVERHEAD)));
  let open = inFlight;
  return new Promise((resolve) => {
    onOwn = () => {
      if (performance.now() < end) {
        messages += 1;
        return send();
      }
      open -= 1;
      if (open === 0) resolve(messages / seconds);
    };
    for (let i = 0; i < inFlight; i++) send();
  });
}

/** One message after the other; the median of what one takes, in microseconds. */
function pingPong(count: number): Promise<number> {
  const latencies: number[] = [];
  let sentAt = 0;
  return new Promise((resolve) => {
    onOwn = () => {
      latencies.push(performance.now() - sentAt);
      if (latencies.length === count) {
        latencies.sort((a, b) => a - b);
        return resolve(latencies[count >> 1]! * 1000);
      }
      sentAt = performance.now();
      send();
    };
    sentAt = performance.now();
    send();
  });
}

/** `flood BYTES SECONDS` or `ping-pong BYTES COUNT`; answered with its name and a number. */
async function onLine(line: string): Promise<void> {
  const [what = '', bytes, amount] = line.split(' ');
  payload = new Uint8Array(Number(bytes));
  const measured = what === 'flood' ? await flood(Number(amount)) : await pingPong(Number(amount));
  process.stdout.write(`${what} ${measured}\n`);
}

const input = createInterface({ input: process.stdin });
input.on('line', onLine);
input.on('close', () => node.close());
await node.start();
