import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECOND } from '@quorate/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { itWith } from '../../../tooling/oracle.js';
import {
  type FenceConf,
  Fenced,
  type FencedInput,
  fenceNode,
  fenceNodeStatus,
  logEntryText,
  unfenceNode,
} from '../src/index.js';
import { carryOut, runAgent } from '../src/node/index.js';

const directory = mkdtempSync(join(tmpdir(), 'quorate-agents-'));
afterAll(() => rmSync(directory, { recursive: true }));

const at = (name: string): string => join(directory, name);

/** An executable of this machine. */
function agent(name: string, text: string): string {
  writeFileSync(at(name), text);
  chmodSync(at(name), 0o755);
  return at(name);
}

/** Linux: whether a process runs, and is not just waiting for its parent to look. */
function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
}

// An agent in a shell, whose switch is a file: it knows off, on, status and metadata, and notes what it is told.
const SH_AGENT = `#!/bin/sh
action=off
cat > "$0.told"
while IFS= read -r line; do
  case "$line" in '#'*) ;; *=*) eval "\${line%%=*}='\${line#*=}'" ;; esac
done < "$0.told"
case "$action" in
off|on) echo "$action" > "$0.state"; echo "Success: Powered $action" ;;
status) [ "$(cat "$0.state")" = on ] || { echo 'Status: OFF'; exit 2; }; echo 'Status: ON' ;;
metadata) echo '<resource-agent name="fence_sh"/>' ;;
*) echo "Failed: Unrecognised action '$action'" >&2; exit 1 ;;
esac
`;

describe('runAgent', () => {
  let path: string;
  beforeAll(() => {
    path = agent('fence_sh', SH_AGENT);
  });

  it.each([
    ['off', 0, 'Success: Powered off\n', ''],
    ['status', 2, 'Status: OFF\n', ''],
    ['on', 0, 'Success: Powered on\n', ''],
    ['status', 0, 'Status: ON\n', ''],
    ['metadata', 0, '<resource-agent name="fence_sh"/>\n', ''],
    ['explode', 1, '', "Failed: Unrecognised action 'explode'\n"],
  ])('action=%s: exit status %i', async (action, status, output, errors) => {
    expect(await runAgent({ agent: path, input: `# a comment\nport=my-vm5\naction=${action}\n` })).toEqual({
      how: 'exited',
      status,
      output,
      errors,
    });
  });

  it.each([
    ['perl', '#!/usr/bin/perl\nwhile (<STDIN>) { $port = $1 if /^port=(.*)/ } print "perl $port\\n"; exit 3;\n'],
    [
      'python3',
      '#!/usr/bin/env python3\nimport sys\no = dict(l.strip().split("=", 1) for l in sys.stdin)\nprint("python3", o["port"])\nsys.exit(3)\n',
    ],
  ])('an agent in %s', async (name, text) => {
    const end = await runAgent({ agent: agent(`fence_${name}`, text), input: 'port=my-vm5\nagent=x\n' });
    expect(end).toEqual({ how: 'exited', status: 3, output: `${name} my-vm5\n`, errors: '' });
  });

  it('an agent is looked for where PATH says', async () => {
    const env = { PATH: `${directory}:${process.env.PATH}` };
    expect(await runAgent({ agent: 'fence_sh', input: 'action=metadata\n' }, { env })).toMatchObject({ status: 0 });
    expect(await runAgent({ agent: 'fence_sh', input: 'action=metadata\n' })).toEqual({
      how: 'not-started',
      status: 1,
      output: '',
      errors: 'fence_sh: ENOENT\n',
    });
  });

  it('a file that may not be run is not started', async () => {
    writeFileSync(at('plain'), 'text');
    expect(await runAgent({ agent: at('plain'), input: '' })).toMatchObject({
      how: 'not-started',
      status: 1,
      errors: `${at('plain')}: EACCES\n`,
    });
  });

  it('an agent that a signal ends has failed', async () => {
    const end = await runAgent({ agent: agent('killed', '#!/bin/sh\necho dying\nkill -TERM $$\n'), input: '' });
    expect(end).toEqual({ how: 'killed', status: 143, output: 'dying\n', errors: '' });
  });

  it('an agent that takes too long is killed, and what it has started with it', async () => {
    const text = '#!/bin/sh\nsleep 1000 &\necho $!\nexec sleep 1000\n';
    const end = await runAgent({ agent: agent('slow', text), input: '' }, { timeoutMs: 1000 });
    expect(end).toMatchObject({ how: 'timed-out', status: 137, output: expect.stringMatching(/^\d+\n$/), errors: '' });
    // Dead at once, and there until somebody has waited for it.
    await expect.poll(() => isAlive(Number(end.output)), { timeout: 10_000 }).toBe(false);
  });

  it('an agent that leaves somebody behind who holds its output has ended all the same', async () => {
    const end = await runAgent({ agent: agent('parent', '#!/bin/sh\necho done\nsleep 5 &\nexit 0\n'), input: '' });
    expect(end).toEqual({ how: 'exited', status: 0, output: 'done\n', errors: '' });
  });

  it('an agent need not read what it is told, and may say a lot', async () => {
    const input = 'x'.repeat(1024 * 1024);
    const text = '#!/bin/sh\nhead -c 3000000 /dev/zero | tr "\\0" y\n';
    const end = await runAgent({ agent: agent('deaf', text), input });
    expect([end.how, end.status, end.output.length]).toEqual(['exited', 0, 1024 * 1024]);
  });
});

/** Two methods: a switch that does not work, then ours. */
function confOf(): FenceConf {
  const use = (name: string, values: Record<string, string>) => ({ name, arguments: new Map(Object.entries(values)) });
  const device = (name: string, path: string) => ({ name, agent: path, arguments: new Map([['agent', path]]) });
  return {
    nodes: ['my-vm1', 'my-vm2'].map((name, i) => ({
      nodeId: i + 1,
      name,
      fenceMethods: [
        { name: 'first', devices: [use('broken', {})] },
        { name: 'second', devices: [use('sh', { port: name })] },
      ],
      unfenceDevices: [use('sh', { port: name, action: 'on' })],
    })),
    devices: [
      device('broken', agent('fence_broken', '#!/bin/sh\nexit 1\n')),
      device('sh', agent('fence_sh2', SH_AGENT)),
    ],
  };
}

describe('operations with real agents', () => {
  it('a node is fenced by its second method, asked for its status, and unfenced', async () => {
    const conf = confOf();
    const said: string[] = [];
    const options = { onAgent: (_: unknown, end: { output: string }) => said.push(end.output) };
    const fenced = await carryOut(fenceNode(conf, 'my-vm2'), options);
    expect([fenced.result, fenced.log.map(logEntryText)]).toEqual([
      'success',
      [
        `dev 0.0 agent ${at('fence_broken')} result: error from agent`,
        `dev 1.0 agent ${at('fence_sh2')} result: success`,
      ],
    ]);
    expect(readFileSync(`${at('fence_sh2')}.told`, 'utf8')).toBe(
      `port=my-vm2\nnodename=my-vm2\nagent=${at('fence_sh2')}\n`,
    );
    expect(await carryOut(fenceNodeStatus(conf, 'my-vm2', 2), options)).toMatchObject({
      result: 'success',
      isOn: false,
    });
    expect(await carryOut(unfenceNode(conf, 'my-vm2'), options)).toMatchObject({ result: 'success' });
    expect(await carryOut(fenceNodeStatus(conf, 'my-vm2', 2), options)).toMatchObject({
      result: 'success',
      isOn: true,
    });
    expect(said).toEqual(['', 'Success: Powered off\n', 'Status: OFF\n', 'Success: Powered on\n', 'Status: ON\n']);
  });

  it('a fenced has its victim fenced by them', async () => {
    const fenced = new Fenced({ nodeId: 1, conf: confOf(), daemon: { postJoinDelaySec: 0 } });
    const ring = { representative: 1, seq: 4 };
    const queue: (FencedInput | Promise<FencedInput>)[] = [
      { kind: 'start', wall: 1 },
      { kind: 'membership', members: [1], ring, isQuorate: true },
      { kind: 'join' },
    ];
    const victims: number[] = [];
    for (let input = await queue.shift(); input !== undefined; input = await queue.shift()) {
      fenced.step(SECOND, input, (output) => {
        if (output.kind === 'cpg-join') queue.push({ ...output, kind: 'confchg', members: [1], joined: [1], left: [] });
        if (output.kind === 'cpg-mcast') {
          queue.push({ ...output, kind: 'message', from: 1, payload: output.payload.slice() });
        }
        if (output.kind === 'joined') queue.push({ kind: 'ring-confchg', ring, members: [1] });
        if (output.kind === 'run-agent') {
          queue.push(runAgent(output).then(({ status }) => ({ kind: 'agent-ended', run: output.run, status })));
        }
        if (output.kind === 'fenced') victims.push(output.node);
      });
    }
    expect(victims).toEqual([2]);
    expect(fenced.domain()?.nodes).toContainEqual({
      nodeId: 2,
      membership: 0,
      isVictim: false,
      lastFencedBy: 1,
      how: 'agent',
    });
  });
});

describe('agents of the fence-agents package', () => {
  itWith(['fence_dummy'], 'fence_dummy turns its file off and on, and says what it can do', async () => {
    const ask = (action: string) =>
      runAgent({ agent: 'fence_dummy', input: `status_file=${at('dummy')}\naction=${action}\nagent=fence_dummy\n` });
    writeFileSync(at('dummy'), 'on');
    expect(await ask('status')).toMatchObject({ how: 'exited', status: 0, output: 'Status: ON\n' });
    expect(await ask('off')).toMatchObject({ status: 0, output: 'Success: Powered OFF\n' });
    expect(await ask('status')).toMatchObject({ status: 2, output: 'Status: OFF\n' });
    expect((await ask('metadata')).output).toContain(
      '<resource-agent name="fence_dummy" shortdesc="Dummy fence agent" >',
    );
    expect(await ask('explode')).toMatchObject({ status: 1 });
  });
});
