import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseCorosyncConf } from '@quorate/totem/corosync';
import { CorosyncNode } from '@quorate/totem/node';
import { LoadedProcess, putLoad } from './totem/loaded-process.js';

// A node of a ring with one process in a group, `totem-node.js CONF NODE STATE`, in a process of its own. It puts loads on the
// ring as cpg-load.c does on one of real corosync, in the same words.

const [path = '', id = '', stateDirectory = ''] = process.argv.slice(2);
const say = (line: string): boolean => process.stdout.write(`${line}\n`);
const load = new LoadedProcess(Number(id), (input) => node.step(input));
const node = new CorosyncNode({
  conf: parseCorosyncConf(readFileSync(path, 'utf8')),
  nodeId: Number(id),
  stateDirectory,
  onOutput: (output) => {
    load.hear(output);
    if (output.kind === 'confchg') say(`members ${load.members}`);
  },
});

const input = createInterface({ input: process.stdin });
input.on('line', (line) => putLoad(load, line, say));
input.on('close', () => node.close());
await node.start();
