import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECOND } from '@quorate/kernel';
import { TraceFile } from '@quorate/trace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { type CapturedIo, capturedIo } from './captured-io.js';
import { ring } from './ring-scenario.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));

const TRACE = join(folder, 'ring.qtrace');

beforeAll(async () => {
  const argv = ['sim', 'run', 'ring', '--quiet', '--trace', TRACE, '--trace-mode', 'payload'];
  expect(await runCommand(argv, capturedIo(), ring)).toBe(0);
});

async function exported(...argv: readonly string[]): Promise<{ code: number; io: CapturedIo }> {
  const io = capturedIo();
  return { code: await runCommand(['trace', 'export', ...argv], io, ring), io };
}

function records(): readonly { readonly kind: string; readonly time: number }[] {
  return [...new TraceFile(readFileSync(TRACE)).records()];
}

describe('a trace is exported', () => {
  it('as Chrome trace events: every flow end has its start', async () => {
    const { code, io } = await exported(TRACE, '--to', 'perfetto');
    expect(code).toBe(0);
    const { traceEvents } = JSON.parse(io.stdout.text) as { traceEvents: { ph: string; id?: number }[] };
    const starts = new Set(traceEvents.filter(({ ph }) => ph === 's').map(({ id }) => id));
    const ends = traceEvents.filter(({ ph }) => ph === 'f');
    expect(ends.length).toBeGreaterThan(500);
    for (const { id } of ends) expect(starts).toContain(id);
  });

  it('as JSON lines: one for each record', async () => {
    const { io } = await exported(TRACE, '--to', 'jsonl');
    const lines = io.stdout.text.trimEnd().split('\n');
    expect(lines).toHaveLength(records().length);
    expect(JSON.parse(lines[0]!)).toMatchObject({ t: 0, kind: expect.any(String) });
  });

  it('for a step of the scenario', async () => {
    const { io } = await exported(TRACE, '--to', 'jsonl', '--step', 'loss');
    const times = io.stdout.text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { t: number }).t);
    expect(Math.min(...times)).toBe(50 * SECOND);
    expect(Math.max(...times)).toBe(65 * SECOND);
    const narrow = await exported(TRACE, '--to', 'jsonl', '--since', '60.5', '--until', '61');
    expect(narrow.io.stdout.text.startsWith('{"t":60')).toBe(true);
  });

  it('as a sequence diagram of tokens going round', async () => {
    const { io } = await exported(TRACE, '--to', 'mermaid', '--step', 'boot', '--last', '20');
    const tokens = io.stdout.text.split('\n').filter((line) => line.includes('orf_token'));
    expect(tokens.length).toBeGreaterThan(2);
    expect(tokens[0]).toMatch(/^ {2}n\d->>n\d: orf_token \d+ us$/);
  });

  it('as a picture', async () => {
    const { io } = await exported(TRACE, '--to', 'svg', '--step', 'loss');
    expect(io.stdout.text).toMatch(/^<svg .*\n/);
    expect(io.stdout.text).toContain('<title>totem: gather, ');
    expect(io.stdout.text).toMatch(/<\/svg>\n$/);
  });

  it('for ShiViz, to a file', async () => {
    const path = join(folder, 'shiviz.log');
    const { io } = await exported(TRACE, '--to', 'shiviz', '--step', 'loss', '-o', path);
    expect(io.stdout.text).toBe('');
    expect(readFileSync(path, 'utf8')).toMatch(/^receive orf_token\nnode\d {"\w+":\d+,.*"node\d":\d+}$/m);
  });

  it('as the history of its client', async () => {
    const { io } = await exported(TRACE, '--to', 'edn');
    expect(io.stdout.text).toMatch(/^{:index 1, :time \d+, :process "F5", :type :fail, :f :get, :value "given up"}$/m);
  });
});

describe('a mistake is one line on stderr and exit code 4', () => {
  const noTrace = join(folder, 'no.qtrace');
  const broken = join(folder, 'broken.qtrace');
  const full = join(folder, 'full.qtrace');
  beforeAll(async () => {
    writeFileSync(noTrace, 'something else');
    const bytes = readFileSync(TRACE);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(broken, bytes);
    await runCommand(['sim', 'run', 'ring', '--quiet', '--trace', full], capturedIo(), ring);
  });

  it.each<[string, () => readonly string[], RegExp]>([
    ['no trace', () => [noTrace, '--to', 'jsonl'], /no\.qtrace: at byte 0: found "somethin", expected "QRTRACE1"$/],
    [
      'a broken trace',
      () => [broken, '--to', 'jsonl'],
      /broken\.qtrace: at byte \d+: the checksum of the block is wrong$/,
    ],
    ['a file that is not there', () => [`${noTrace}x`, '--to', 'jsonl'], /cannot read .*no\.qtracex: ENOENT$/],
    ['no format', () => [TRACE], /required option '--to <format>' not specified$/],
    ['a format that is none', () => [TRACE, '--to', 'gif'], /'gif' is invalid\. Allowed choices are perfetto, /],
    [
      'a step that is none',
      () => [TRACE, '--to', 'jsonl', '--step', 'x'],
      /--step: found "x", expected one of boot, loss$/,
    ],
    [
      'an instant that is none',
      () => [TRACE, '--to', 'edn', '--since', 'noon'],
      /--since: found "noon", expected seconds/,
    ],
    [
      'a window turned round',
      () => [TRACE, '--to', 'edn', '--since', '9', '--until', '8'],
      /found 9 s, expected at most 8 s$/,
    ],
    [
      'no frames',
      () => [TRACE, '--to', 'mermaid', '--last', '0'],
      /--last: found "0", expected a whole number above 0$/,
    ],
    [
      'no such card',
      () => [TRACE, '--to', 'pcapng', '--node', 'x'],
      /--node: found "x", expected one of node1, node2, /,
    ],
    ['no payloads', () => [full, '--to', 'pcapng'], /without the bytes of frames, expected --trace-mode payload$/],
    ['a file that cannot be written', () => [TRACE, '--to', 'edn', '-o', folder], /--output: cannot write .*: EISDIR$/],
  ])('%s', async (_what, argv, message) => {
    const { code, io } = await exported(...argv());
    expect(io.stderr.text).toMatch(/^quorate: [^\n]+\n$/);
    expect(io.stderr.text.trimEnd()).toMatch(message);
    expect(code).toBe(4);
  });
});
