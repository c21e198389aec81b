import { cpus, loadavg } from 'node:os';
import { aloneFigures } from './alloc/alone.js';
import { fiveNodesFigures } from './alloc/five-nodes.js';
import { nodeFigures } from './alloc/node.js';
import { scanFigures } from './alloc/scan.js';
import { threadsFigures } from './alloc/threads.js';
import { calibrate } from './calibration.js';
import { type Figure, figureLine } from './figures.js';
import type { BenchIo } from './run-bench.js';

/**
 * The block allocator of GFS2: alone, under a node with its journal on a disk in memory, and its search beside C's, in one run.
 *
 * Exit code 1 only when something fails; a figure fails nobody.
 */
export async function runAllocBench({ stdout, stderr }: BenchIo): Promise<number> {
  const print = (title: string, figures: readonly Figure[]): void => {
    stdout.write(`\n${title}, load ${loadavg()[0]!.toFixed(1)}\n`);
    for (const figure of figures) stdout.write(`${figureLine(figure)}\n`);
  };
  stdout.write(`node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}\n`);
  try {
    print('calibration', [{ name: 'heap of 32 events, pop and push', value: calibrate(), unit: 'M pairs per wall s' }]);
    print('the allocator alone, best of five runs', aloneFigures());
    print('one node, journal and all, on a disk in memory that forgets the content of files', nodeFigures());
    print('five nodes on one disk, each in a directory of its own, in virtual time', fiveNodesFigures());
    const threads = `four nodes as threads on ${cpus().length} cores, with one of a disk and one of a switch, appending in real time`;
    print(threads, await threadsFigures());
    print('the search', scanFigures());
    return 0;
  } catch (error) {
    stderr.write(`bench: alloc: ${error instanceof Error ? error.stack : error}\n`);
    return 1;
  }
}
