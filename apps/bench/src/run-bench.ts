import { cpus, loadavg } from 'node:os';
import { calibrate } from './calibration.js';
import { type Figure, figureLine } from './figures.js';
import { memoryFigures, memoryTitle } from './memory-bench.js';
import { stackFigures, stackTitle } from './stack-bench.js';
import { storyFigures, storyTitle } from './story-bench.js';
import { totemFigures, totemTitle } from './totem-bench.js';
import { traceFigures, traceTitle } from './trace-bench.js';
import { wasmFigures, wasmTitle } from './wasm-bench.js';

export interface Benchmark {
  readonly title: string;
  /** Needs programs or rights that not everybody has: it is measured only when it is named. */
  readonly isOnRequest?: boolean;
  measure(): readonly Figure[] | Promise<readonly Figure[]>;
}

export const BENCHMARKS: ReadonlyMap<string, Benchmark> = new Map<string, Benchmark>([
  ['story', { title: storyTitle, measure: storyFigures }],
  ['stack', { title: stackTitle, measure: stackFigures }],
  ['wasm', { title: wasmTitle, measure: wasmFigures }],
  ['totem', { title: totemTitle, isOnRequest: true, measure: totemFigures }],
  ['trace', { title: traceTitle, measure: traceFigures }],
  ['memory', { title: memoryTitle, measure: memoryFigures }],
]);

export interface BenchIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * Measures what was named, or everything that needs nothing else, and gives the exit code.
 *
 * 0 whatever the figures are; 1 when a measured run gave a wrong result; 4 for a name that is none.
 */
export async function runBench(
  names: readonly string[],
  { stdout, stderr }: BenchIo,
  benchmarks: ReadonlyMap<string, Benchmark> = BENCHMARKS,
  calibration: () => number = calibrate,
): Promise<number> {
  const unknown = names.find((name) => !benchmarks.has(name));
  if (unknown !== undefined) {
    stderr.write(`bench: found "${unknown}", expected one of ${[...benchmarks.keys()].join(', ')}\n`);
    return 4;
  }
  stdout.write(
    `node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}\n`,
  );
  const all = [...benchmarks.keys()].filter((name) => benchmarks.get(name)!.isOnRequest !== true);
  for (const name of names.length === 0 ? all : names) {
    const { title, measure } = benchmarks.get(name)!;
    stdout.write(`\n${name}: ${title}\n`);
    stdout.write(`${figureLine(calibrated(calibration()))}, load ${loadavg()[0]!.toFixed(1)}\n`);
    try {
      for (const figure of await measure()) stdout.write(`${figureLine(figure)}\n`);
    } catch (error) {
      stderr.write(`bench: ${name}: ${error instanceof Error ? error.message : error}\n`);
      return 1;
    }
  }
  return 0;
}

function calibrated(value: number): Figure {
  return { name: 'calibration: heap of 32 events, pop and push', value, unit: 'M pairs per wall s' };
}
