import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { describeConfchg, describeQuorum, describeRing, visible } from '../src/totem/ring-lines.js';
import { capturedIo } from './captured-io.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-totem-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  return port;
}

/** A corosync.conf of one node. */
function confOf(name: string, port: number, address: string, totem = ''): string {
  const path = join(folder, name);
  const link = `interface {\nmcastport: ${port}\n}\n`;
  const nodelist = `nodelist {\nnode {\nring0_addr: ${address}\nnodeid: 7\n}\n}\n`;
  const quorum = 'quorum {\nprovider: corosync_votequorum\n}\n';
  writeFileSync(path, `totem {\nversion: 2\ntransport: udpu\n${totem}${link}}\n${nodelist}${quorum}`);
  return path;
}

describe('quorate totem join', () => {
  it('is a node of the ring: says what happens, speaks what it reads, and leaves when it is interrupted', async () => {
    let interrupt = (): void => {};
    const stdin = new PassThrough();
    const io = {
      ...capturedIo(
        {},
        new Promise((resolve) => {
          interrupt = resolve;
        }),
      ),
      stdin,
    };
    const conf = confOf('alone.conf', await freePort(), '127.0.0.1');
    const ended = runCommand(['totem', 'join', '--conf', conf, '--node', '7', '--group', 'g', '--state', folder], io);
    stdin.write('hello\n\u001b[2Jthere\n');
    while (!io.stdout.text.includes('there')) await new Promise((resolve) => setTimeout(resolve, 5));
    interrupt();
    expect(await ended).toBe(0);
    const me = `7/${process.pid}`;
    expect(io.stdout.text.split('\n')).toEqual([
      'ring 7.5: members 7, joined 7',
      'quorum: 1 of 1 votes, 1 needed: quorate',
      `group g: members ${me}, joined ${me} (join)`,
      `${me}: hello`,
      `${me}: \\x1b[2Jthere`,
      `group g: members none, left ${me} (leave)`,
      '',
    ]);
    expect(io.stderr.text).toContain('notice: A new membership (7.5) was formed. Members joined: 7\n');
  });

  const conf = confOf('good.conf', 5405, '127.0.0.1');
  const elsewhere = confOf('elsewhere.conf', 5405, '192.0.2.1');
  const unknown = confOf('unknown.conf', 5405, '127.0.0.1', 'rrp_mode: active\n');
  it.each<[string, readonly string[], string]>([
    ['no file', ['--conf', `${folder}/none`, '--node', '7'], `cannot read ${folder}/none: ENOENT`],
    [
      'a key that is not supported',
      ['--conf', unknown, '--node', '7'],
      `${unknown}: line 4: totem.rrp_mode: found "rrp_mode", expected a key that is supported here: `,
    ],
    [
      'a node that is no number',
      ['--conf', conf, '--node', 'n1'],
      '--node: found "n1", expected a whole number from 1',
    ],
    [
      'a node that is not in the list',
      ['--conf', conf, '--node', '8', '--state', folder],
      `--node: found "8", expected one of the nodelist: 7 in ${conf}`,
    ],
    [
      'a group that cannot be',
      ['--conf', conf, '--node', '7', '--group', 'a b'],
      '--group: found "a b", expected 1 to 128 printable ASCII characters',
    ],
    [
      'no place for the ring id',
      ['--conf', conf, '--node', '7', '--state', `${folder}/none`],
      `--state: cannot keep the ring's number in ${folder}/none: ENOENT`,
    ],
    [
      'an address that this machine does not have',
      ['--conf', elsewhere, '--node', '7', '--state', folder],
      'cannot bind 192.0.2.1 port 5405: EADDRNOTAVAIL',
    ],
  ])('%s is one line on stderr and exit code 4', async (_, words, message) => {
    const io = capturedIo();
    expect(await runCommand(['totem', 'join', ...words], io)).toBe(4);
    expect(io.stderr.text).toMatch(/^quorate: [^\n]*\n$/);
    expect(io.stderr.text).toContain(message);
    expect(io.stdout.text).toBe('');
  });
});

describe('lines of a ring', () => {
  const ring = { representative: 1, seq: 0x1c };

  it.each([
    [{ members: [1, 2, 3], joined: [3], left: [] }, 'ring 1.1c: members 1 2 3, joined 3'],
    [{ members: [1], joined: [], left: [2, 3] }, 'ring 1.1c: members 1, left 2 3'],
  ])('a configuration: %j', (change, line) => {
    expect(describeRing({ type: 'regular', ring, ...change })).toBe(line);
  });

  it('processes that came and went, and why', () => {
    const members = [{ node: 1, pid: 12, reason: 0 }];
    const joined = [{ node: 2, pid: 5, reason: 4 }];
    const left = [
      { node: 3, pid: 6, reason: 3 },
      { node: 3, pid: 7, reason: 99 },
    ];
    expect(describeConfchg({ group: 'g', members, joined, left })).toBe(
      'group g: members 1/12, joined 2/5 (node up), left 3/6 (node down) 3/7 (99)',
    );
  });

  it.each([
    [false, true, 'quorum: 1 of 2 votes, 1 needed: not quorate, waiting for all'],
    [false, false, 'quorum: 1 of 2 votes, 1 needed: not quorate'],
    [true, false, 'quorum: 1 of 2 votes, 1 needed: quorate'],
  ])('votes, quorate: %s, waiting: %s', (isQuorate, isWaitingForAll, line) => {
    const votes = { kind: 'quorum', ring, members: [1], nodes: [], total: 1, expected: 2, quorum: 1 } as const;
    expect(describeQuorum({ ...votes, isQuorate, isWaitingForAll })).toBe(line);
  });

  it('what would move the cursor is spelled out, a tab is not', () => {
    expect(visible('a\tb\u0007\r\u009bc é')).toBe('a\tb\\x07\\x0d\\x9bc é');
  });
});
