import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { capturedIo } from './captured-io.js';

const CASES = fileURLToPath(new URL('../../../packages/dlm/test/data/corpus/proc.jsonl', import.meta.url));
const recorded = readFileSync(CASES, 'utf8').trim().split('\n');

const folder = mkdtempSync(join(tmpdir(), 'quorate-conformance-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function compare(name: string, text: string, ...options: readonly string[]) {
  const directory = join(folder, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'cases.jsonl'), text);
  const io = capturedIo();
  const code = await runCommand(['conformance', 'dlm', directory, ...options], io);
  return { code, out: io.stdout.text, errors: io.stderr.text.replace(directory, 'DIR') };
}

it('cases that are as recorded pass', async () => {
  const done = await compare('right', `${recorded.join('\n')}\n`);
  expect(done).toEqual({ code: 0, out: `passed=${recorded.length} failed=0\n`, errors: '' });
});

it('one that differs is named, with what was recorded and what we do', async () => {
  const wrong = recorded[0]!.replace('"ast":0,', '"ast":-11,');
  const { code, out } = await compare('wrong', [wrong, ...recorded.slice(1)].join('\n'));
  expect(code).toBe(1);
  expect(out).toMatch(/^proc\/\S+: differs in expect\.\w\n {2}recorded .*"ast":-11.*\n {2}ours .*"ast":0,/);
  expect(out).toContain(`passed=${recorded.length - 1} failed=1\n`);
});

it.each([
  ['no case', 'a lock', 'DIR/cases.jsonl: line 1: found "a lock", expected a case as one JSON object'],
  ['no steps', '{"name":"x","nodes":2,"lvblen":32,"names":{},"expect":{}}', 'DIR/cases.jsonl: line 1/steps: found'],
  [
    'odd step',
    recorded[0]!.replace('"do":"exit"', '"do":"sing"'),
    /DIR\/cases\.jsonl: line 1\/steps\/\d\/do: found "sing", expected one of lock, convert/,
  ],
] as const)('%s is one line on stderr', async (name, text, message) => {
  const { code, out, errors } = await compare(name, text);
  expect({ code, out }).toEqual({ code: 4, out: '' });
  expect(errors).toMatch(message);
  expect(errors.trimEnd()).not.toContain('\n');
});

it('a directory that is not there, or has no cases', async () => {
  for (const [directory, message] of [
    [join(folder, 'nowhere'), /^quorate: cannot read .*nowhere: ENOENT\n$/],
    [folder, /found no \.jsonl file, expected recorded cases\n$/],
  ] as const) {
    const io = capturedIo();
    expect(await runCommand(['conformance', 'dlm', directory], io)).toBe(4);
    expect(io.stderr.text).toMatch(message);
  }
});

const VECTORS = fileURLToPath(new URL('../../../packages/rgmanager/test/data/vectors', import.meta.url));

/** Some of the recordings of rgmanager, with one file changed. */
async function compareRgmanager(name: string, change?: readonly [file: string, from: string, to: string]) {
  const directory = join(folder, name);
  for (const part of ['agents', 'clustat', 'delta', 'tree'])
    cpSync(join(VECTORS, part), join(directory, part), { recursive: true });
  if (change !== undefined) {
    const [file, from, to] = change;
    const path = join(directory, file);
    writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
  }
  const io = capturedIo();
  const code = await runCommand(['conformance', 'rgmanager', directory], io);
  return { code, out: io.stdout.text, errors: io.stderr.text.replace(directory, 'DIR') };
}

it('recordings of rgmanager that are as recorded pass', async () => {
  expect(await compareRgmanager('rg')).toEqual({
    code: 0,
    out: expect.stringMatching(/^passed=\d+ failed=0\n$/),
    errors: '',
  });
});

it('one of them that differs is named with its first line that does', async () => {
  const { code, out } = await compareRgmanager('rg-wrong', ['clustat/help.expected', 'usage', 'abusage']);
  expect(code).toBe(1);
  expect(out).toMatch(/^clustat\/help: line \d+: found ".*", expected ".*abusage.*"\npassed=\d+ failed=1\n$/);
});

it('XML that is none, and a directory without recordings, are one line on stderr', async () => {
  const { code, errors } = await compareRgmanager('rg-xml', ['agents/ip.xml', '</resource-agent>', '']);
  expect(code).toBe(4);
  expect(errors).toMatch(/^quorate: DIR\/agents\/ip\.xml:\d+:\d+: .*expected <\/resource-agent> first\n$/);
  const io = capturedIo();
  mkdirSync(join(folder, 'empty'));
  expect(await runCommand(['conformance', 'rgmanager', join(folder, 'empty')], io)).toBe(4);
  expect(io.stderr.text).toMatch(
    /empty: found no recording, expected agents, tree, delta, trace, tables or clustat\n$/,
  );
});
