import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TraceFile } from '@quorate/trace';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { type CapturedIo, capturedIo } from './captured-io.js';
import { stubScenarios } from './stub-scenarios.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function simRun(...argv: readonly string[]): Promise<{ code: number; io: CapturedIo; last: LastLine }> {
  const io = capturedIo();
  const code = await runCommand(['sim', 'run', ...argv], io, stubScenarios());
  return { code, io, last: JSON.parse(io.stdout.text.trimEnd().split('\n').at(-1)!) as LastLine };
}

type LastLine = Readonly<Record<string, unknown>>;

describe('a run ends with its verdict in the last line and in the exit code', () => {
  it.each([
    // scenario       option                  verdict        id                     code
    ['passes', '--quiet', 'passed', null, 0],
    ['passes', '--check-determinism', 'passed', null, 0],
    ['breaks-a-rule', '--quiet', 'safety', 'T1', 1],
    ['expects-more', '--quiet', 'liveness', 'the page is served', 2],
    ['differs', '--check-determinism', 'determinism', expect.stringMatching(/^[0-9a-f]{16} [0-9a-f]{16}$/), 3],
    ['throws', '--quiet', 'exception', 'S32', 5],
    ['never-ends', '--quiet', 'budget', 'time', 6],
  ])('%s %s: %s', async (name, option, verdict, id, expectedCode) => {
    const { code, last } = await simRun(name, option);
    expect(last).toMatchObject({ verdict, id });
    expect(code).toBe(expectedCode);
  });

  it('says all that is needed to run it again', async () => {
    const { last } = await simRun('passes', '--seed', '0xABC');
    expect(last).toEqual({
      verdict: 'passed',
      id: null,
      hash: expect.stringMatching(/^[0-9a-f]{16}$/),
      events: expect.any(Number),
      virtualNs: 40e9,
      cpuMs: expect.any(Number),
      seed: '0000000000000abc',
      commit: null,
      logPath: null,
      replay: 'quorate sim run passes --seed 0x0000000000000abc',
    });
  });
});

it('it tells what happens, and nothing but the last line when it is to be quiet', async () => {
  const { io } = await simRun('passes');
  expect(io.stdout.text.split('\n').slice(0, 4)).toEqual([
    '    0.0 s  [1/1] node1 boots',
    '    0.0 s    node1 booting',
    '   30.0 s    node1 up',
    '   40.0 s    ok it is up',
  ]);
  const quiet = await simRun('passes', '--quiet');
  expect(quiet.io.stdout.text.split('\n')).toHaveLength(2);
});

it('an exception is told on stderr', async () => {
  const { io } = await simRun('throws');
  expect(io.stderr.text).toContain('the script is wrong');
});

it('neither telling nor tracing changes the run', async () => {
  const path = join(folder, 'same.qtrace');
  const runs = [await simRun('passes'), await simRun('passes', '--quiet'), await simRun('passes', '--trace', path)];
  expect(new Set(runs.map(({ last }) => last.hash)).size).toBe(1);
  expect(runs[2]!.last.logPath).toBe(path);
});

it('a trace replaces what its file had, and has every fact and the hash', async () => {
  const path = join(folder, 'run.qtrace');
  writeFileSync(path, 'x'.repeat(1_000_000));
  const { last } = await simRun('passes', '--seed', '7', '--trace', path);
  const trace = new TraceFile(readFileSync(path));
  expect(trace.header).toMatchObject({ seed: '0000000000000007', scenario: 'stub', nodes: [{ id: 1, name: 'node1' }] });
  expect(trace.hash).toBe(last.hash);
  const states = [...trace.records()].filter(({ kind }) => kind === 'node.state').map(({ fields }) => fields.state);
  expect(states).toEqual(['booting', 'up']);
});

it.each([
  ['ring', { 'net.recv': true, fact: false, payload: false }],
  ['full', { 'net.recv': true, fact: true, payload: false }],
  ['payload', { 'net.recv': true, fact: true, payload: true }],
])('--trace-mode %s has what it says', async (mode, expected) => {
  const path = join(folder, `${mode}.qtrace`);
  const { last } = await simRun('passes', '--quiet', '--trace', path, '--trace-mode', mode);
  const trace = new TraceFile(readFileSync(path));
  const records = [...trace.records()];
  const payloads = records.map(({ fields }) => fields.payload).filter((payload) => payload instanceof Uint8Array);
  expect(trace.hash).toBe(last.hash);
  expect({
    'net.recv': records.some(({ kind }) => kind === 'net.recv'),
    fact: records.some(({ kind }) => kind === 'fact'),
    payload: payloads.some(({ length }) => length > 0),
  }).toEqual(expected);
});

it('a trace mode that is none is refused in one line', async () => {
  const io = capturedIo();
  expect(await runCommand(['sim', 'run', 'passes', '--trace-mode', 'half'], io, stubScenarios())).toBe(4);
  expect(io.stderr.text).toMatch(/^quorate: .*half.*ring, full, payload.*\n$/);
});
