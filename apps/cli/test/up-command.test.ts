import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type ProgramResult, SECOND } from '@quorate/kernel';
import type { Fetched } from '@quorate/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { hostHelp, readHostCommand } from '../src/up/host-commands.js';
import { PageServer } from '../src/up/page-server.js';
import type { RunningCluster } from '../src/up/running-cluster.js';
import { Session } from '../src/up/session.js';
import { readLine } from '../src/up/typed-line.js';
import { capturedIo } from './captured-io.js';

const MACHINES = ['my-vm1', 'my-vm2', 'my-vm3'];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quorate-up-'));
});
afterAll(() => rm(directory, { recursive: true }));

function fileOf(text: string): string {
  const path = join(directory, 'lines.txt');
  writeFileSync(path, text);
  return path;
}

describe('what is done from outside', () => {
  it.each<[string, unknown]>([
    ['power off my-vm1 my-vm3', ['power-off my-vm1', 'power-off my-vm3']],
    ['pause my-vm1,my-vm2', ['pause my-vm1', 'pause my-vm2']],
    ['power on all', ['power-on my-vm1', 'power-on my-vm2', 'power-on my-vm3']],
  ])('%s', (line, orders) => {
    const command = readHostCommand(line, MACHINES) as { commands: readonly { kind: string; machine: string }[] };
    expect(command.commands.map(({ kind, machine }) => `${kind} ${machine}`)).toEqual(orders);
  });

  it.each<[string, unknown]>([
    ['unplug my-vm2', { kind: 'link', machine: 'my-vm2', isUp: false }],
    ['plug my-vm2', { kind: 'link', machine: 'my-vm2', isUp: true }],
    ['disk unplug my-vm2', { kind: 'disk-path', machine: 'my-vm2', isUp: false }],
    ['partition my-vm1', { kind: 'partition', from: ['my-vm1'], to: ['my-vm2', 'my-vm3'], isBothWays: true }],
    ['partition my-vm1 my-vm3', { kind: 'partition', from: ['my-vm1'], to: ['my-vm3'], isBothWays: true }],
    ['heal', { kind: 'heal' }],
    ['disk hang my-vm1 5', faultOf({ hungFor: 5 * SECOND })],
    ['disk slow my-vm1 20', faultOf({ slow: 20 })],
    ['disk heal my-vm1', faultOf({ slow: 1, hungFor: 0, reserveOut: 0, answer: 'none' })],
  ])('%s', (line, command) => {
    expect(readHostCommand(line, MACHINES)).toEqual({ kind: 'lab', commands: [command] });
  });

  it.each([
    ['wait 1.5', { kind: 'wait', duration: 1.5 * SECOND }],
    ['speed 20', { kind: 'speed', speed: 20 }],
    ['status', { kind: 'status' }],
  ])('%s', (line, command) => {
    expect(readHostCommand(line, MACHINES)).toEqual(command);
  });

  it.each([
    ['power of my-vm1', /^found "power of my-vm1", expected one of power on NAMES, power off NAMES, .*, exit$/],
    ['power off', /expected power off NAMES; NAMES are my-vm1, my-vm2, my-vm3 or all/],
    ['power off my-vm9', /found "power off my-vm9", expected power off NAMES/],
    ['partition all', /expected partition NAMES \[NAMES\]/],
    ['partition my-vm1 my-vm1', /expected partition/],
    ['disk slow my-vm1 0.5', /expected disk slow NAMES FACTOR/],
    ['wait -1', /expected wait SECONDS/],
    ['speed 0', /expected speed X/],
    ['heal my-vm1', /expected heal/],
  ])('%s is refused', (line, message) => {
    expect(() => readHostCommand(line, MACHINES)).toThrow(message);
  });

  it('has a line of help each', () => {
    expect(hostHelp().split('\n')).toHaveLength(20);
    expect(hostHelp()).toContain('  power off NAMES            cuts their power\n');
  });

  function faultOf(impairment: object): unknown {
    return { kind: 'fault', fault: { kind: 'disks', machine: 'my-vm1', impairment } };
  }
});

it.each([
  ['my-vm2# df -h', { place: 'my-vm2', text: 'df -h' }],
  ['  my-vm2#', { place: 'my-vm2', text: '' }],
  ['ls # all', { place: 'my-vm1', text: 'ls # all' }],
  ['host> heal', { place: 'host', text: 'heal', command: { kind: 'lab', commands: [{ kind: 'heal' }] } }],
  ['host>', { place: 'host', text: '' }],
  ['# my-vm2', undefined],
  ['', undefined],
])('%j is read', (line, typed) => {
  expect(readLine(line, 'my-vm1', MACHINES)).toEqual(typed);
});

it.each([
  ['my', ['my-vm1# ', 'my-vm2# ', 'my-vm3# ']],
  ['host> po', ['host> power on', 'host> power off']],
  ['host> power off my-vm1,my-vm2', ['host> power off my-vm1,my-vm2']],
  ['host> pause ', ['host> pause my-vm1', 'host> pause my-vm2', 'host> pause my-vm3']],
  ['clus', ['clustat', 'clusvcadm']],
  ['my-vm2# cat /et', ['my-vm2# cat /etc/']],
])('%j is completed', async (line, completions) => {
  const session = new Session({ machines: MACHINES, page: { address: '10.0.0.9', path: '/' }, show: () => {} });
  const answers = new Map([
    ["compgen -c -- 'clus'", 'clustat\nclusvcadm\n'],
    ["compgen -f -- '/et'; echo; compgen -d -- '/et'", '/etc\n\n/etc\n'],
  ]);
  const exec = async (_machine: string, command: string): Promise<ProgramResult> => ({
    status: 0,
    output: answers.get(command) ?? '',
    errors: '',
  });
  expect(await session.complete({ exec } as unknown as RunningCluster, line)).toEqual(completions);
});

describe('the page on a port of this machine', () => {
  const pages: Readonly<Record<string, Fetched | undefined>> = {
    '/': { outcome: 'HTTP/1.1 200 OK', isAnswered: true, body: '<p>hello</p>' },
    '/none': { outcome: 'HTTP/1.1 404 Not Found', isAnswered: false, body: '' },
    '/slow': { outcome: 'ETIMEDOUT', isAnswered: false, body: '' },
    '/refused': { outcome: 'ECONNREFUSED', isAnswered: false, body: '' },
  };
  const cluster = { fetch: async ({ path }: { path: string }) => pages[path] } as unknown as RunningCluster;

  it.each([
    ['/', 200, '<p>hello</p>'],
    ['/none', 404, '10.0.0.9: HTTP/1.1 404 Not Found\n'],
    ['/slow', 504, '10.0.0.9: ETIMEDOUT\n'],
    ['/refused', 502, '10.0.0.9: ECONNREFUSED\n'],
    ['/gone', 502, '10.0.0.9: the cluster is no more\n'],
  ])('%s is %d', async (path, status, body) => {
    const server = await PageServer.start(cluster, '10.0.0.9', 0);
    const response = await fetch(new URL(path, server.url));
    expect([response.status, await response.text()]).toEqual([status, body]);
    await expect(PageServer.start(cluster, '10.0.0.9', Number(new URL(server.url).port))).rejects.toThrow('EADDRINUSE');
    await server.stop();
  });
});

it('a script in the simulator: a node dies, its service moves, and what was written stays', async () => {
  const lines = [
    '# The place stays until another is named.',
    'my-vm2# cat > /mydata/a.txt <<EOF',
    'hello',
    '  # no comment',
    'EOF',
    '  # A comment.',
    'host> power off my-vm1',
    'wait 60',
    'my-vm3# cat /mydata/a.txt',
    'clustat -s my_service_group | grep service:',
    'my-vm1# ls',
    'host> status',
    'exit',
    'my-vm2# never typed',
  ];
  const io = capturedIo();
  const file = fileOf(`${lines.join('\n')}\n`);
  expect(await runCommand(['up', '--driver', 'simulator', '--exec', file], io)).toBe(0);
  const told = io.stdout.text.split('\n');
  expect(told[0]).toMatch(/^http:\/\/10\.156\.76\.58\/ of the cluster is http:\/\/127\.0\.0\.1:\d+\/$/);
  const typed = told.slice(told.findIndex((line) => line.startsWith('my-vm2#')));
  expect(typed.filter((line) => !/^ *[0-9.]+ s {4}/.test(line))).toEqual([
    'my-vm2# cat > /mydata/a.txt <<EOF',
    ...['> hello', '>   # no comment', '> EOF'],
    'host> power off my-vm1',
    'host> wait 60',
    'my-vm3# cat /mydata/a.txt',
    ...['hello', '  # no comment'],
    'my-vm3# clustat -s my_service_group | grep service:',
    expect.stringMatching(/^ service:my_service_group +my-vm2 +started +$/),
    'my-vm1# ls',
    'my-vm1 is not up',
    'host> status',
    expect.stringMatching(/^[0-9.]+ s of cluster time$/),
    ...['my-vm1  off', 'my-vm2  up', 'my-vm3  up', 'my-vm4  up', 'my-vm5  up'],
    'host> exit',
    '',
  ]);
  expect(io.stderr.text).toBe('');
});

it('lines from a pipe are typed one after the other, and mistakes in them are shown', async () => {
  const io = { ...capturedIo(), stdin: Readable.from(['hostname\nhost> hea\nmy-vm6# ls\n', 'host> exit\n']) };
  expect(await runCommand(['up', '--driver', 'simulator'], io)).toBe(0);
  const typed = io.stdout.text.slice(io.stdout.text.indexOf('my-vm1# hostname'));
  expect(typed.split('\n')).toEqual([
    'my-vm1# hostname',
    'my-vm1',
    'host> hea',
    expect.stringMatching(/^found "hea", expected one of /),
    'my-vm6# ls',
    expect.stringMatching(/^found machine "my-vm6", expected one of /),
    'host> exit',
    '',
  ]);
});

it('a signal ends it, whatever it is doing', async () => {
  const io = capturedIo({}, Promise.resolve());
  expect(await runCommand(['up', '--driver', 'simulator'], io)).toBe(0);
});

it('machines that are fresh have no cluster, and make one of what is typed', async () => {
  const lines = [
    'my-vm1# service cman status',
    'fdisk -l /dev/sdc | tail -1',
    'fdisk /dev/sdc <<EOF',
    ...['n', 'p', '1', '', '', 'w', 'EOF'],
    'echo y | mkqdisk -c /dev/sdc1 -l myqdisk | head -3',
    'my-vm2# partprobe',
    'mkqdisk -L | grep Label',
  ];
  const io = capturedIo();
  const file = fileOf(lines.join('\n'));
  expect(await runCommand(['up', '--fresh', '--driver', 'simulator', '--exec', file], io)).toBe(0);
  expect(io.stdout.text).toContain('corosync is stopped\n');
  expect(io.stdout.text).toContain("Disk /dev/sdc doesn't contain a valid partition table\n");
  expect(io.stdout.text).toContain("Writing new quorum disk label 'myqdisk' to /dev/sdc1.\n");
  expect(io.stdout.text).toMatch(/my-vm2# mkqdisk -L \| grep Label\n\tLabel: +myqdisk\n$/);
});

it.each([
  [['--fresh', 'cluster.conf'], /cannot read cluster.conf/],
  [['--exec', '/no/such/file'], /cannot read \/no\/such\/file: ENOENT/],
  [['--port', '65536'], /--port: found "65536", expected a whole number from 0 to 65535/],
  [['--speed', '0'], /--speed: found "0"/],
  [['/no/such/cluster.conf'], /cannot read/],
  [['--driver', 'real'], /Allowed choices are workers, simulator/],
])('%j is a mistake of its user', async (argv, message) => {
  const io = capturedIo();
  expect(await runCommand(['up', ...argv], io)).toBe(4);
  expect(io.stderr.text).toMatch(message);
});

it('a script with a line that cannot be typed is refused before anything begins', async () => {
  const io = capturedIo();
  expect(await runCommand(['up', '--exec', fileOf('my-vm1# ls\nhost> power up my-vm1\n')], io)).toBe(4);
  expect(io.stderr.text).toMatch(/lines\.txt:2: found "power up my-vm1", expected one of/);
  expect(io.stdout.text).toBe('');
});
