import { expect, it } from 'vitest';
import { calibrate } from '../src/calibration.js';
import { type Benchmark, runBench } from '../src/run-bench.js';

/** Two that pass, and one whose run gave a wrong result. */
const BENCHMARKS: ReadonlyMap<string, Benchmark> = new Map<string, Benchmark>([
  ['slow', { title: 'misses its bar', measure: () => [{ name: 'sum', value: 9, unit: 's', bar: { atMost: 1 } }] }],
  ['late', { title: 'takes its time', measure: async () => [{ name: 'total', value: 1, unit: 's' }] }],
  ['asked', { title: 'needs more', isOnRequest: true, measure: () => [{ name: 'n', value: 1, unit: 's' }] }],
  [
    'wrong',
    {
      title: 'does not hold',
      measure: () => {
        throw new Error('a line is missing');
      },
    },
  ],
]);

async function bench(...names: readonly string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const io = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => errors.push(text) },
  };
  const code = await runBench(names, io, BENCHMARKS, () => 12.5);
  return { code, out: out.join(''), errors: errors.join('') };
}

it.each([
  // names            code  what is measured
  [['slow'], 0, ['slow']],
  [['late', 'slow'], 0, ['late', 'slow']],
  [['late', 'wrong', 'slow'], 1, ['late', 'wrong']],
  [['asked'], 0, ['asked']],
  [[], 1, ['slow', 'late', 'wrong']],
])('%j: exit code %i', async (names, code, measured) => {
  const done = await bench(...names);
  expect(done.code).toBe(code);
  expect([...done.out.matchAll(/^(\w+): .*\n {2}calibration: /gm)].map(([, name]) => name)).toEqual(measured);
});

it('a missed bar is said, and fails nobody', async () => {
  expect((await bench('slow')).out).toMatch(/ sum +9\.00 s +at most 1: MISSED, 9\.00 of it\n$/);
});

it('a wrong result is one line on stderr', async () => {
  expect((await bench('wrong')).errors).toBe('bench: wrong: a line is missing\n');
});

it('a name that is none is one line on stderr, and nothing is measured', async () => {
  const done = await bench('slow', 'fast');
  expect(done).toEqual({ code: 4, out: '', errors: 'bench: found "fast", expected one of slow, late, asked, wrong\n' });
});

it.each(['story', 'stack', 'wasm', 'memory'])('%s is one of the benchmarks', async (name) => {
  const errors: string[] = [];
  const io = { stdout: { write: () => {} }, stderr: { write: (text: string) => errors.push(text) } };
  expect(await runBench(['none'], io)).toBe(4);
  expect(errors[0]).toMatch(new RegExp(`expected one of .*\\b${name}\\b`));
});

it('the calibration loop really runs', () => {
  expect(calibrate(1)).toBeGreaterThan(0);
});
