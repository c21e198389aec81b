import { cpus, loadavg } from 'node:os';
import { calibrate } from './calibration.js';
import { type Figure, figureLine } from './figures.js';
import { ALTERNATIVES } from './locks/alternatives.js';
import { loneNode } from './locks/heap.js';
import { heapRecoveryFigures } from './locks/heap-recovery.js';
import { heapFigures, localFigures } from './locks/local.js';
import type { Locks } from './locks/lockers.js';
import { recoveryFigures } from './locks/recovery.js';
import { firstLockFigures, handOffFigures, phaseLines, remoteFigures, remoteRow } from './locks/remote.js';
import { isInstalled } from './locks/servers.js';
import { headLine, measured, rowLine, rowOf } from './locks/table.js';
import type { BenchIo } from './run-bench.js';

/**
 * Locks in worker threads: what they cost beside what the runtime allows (bare messages between the same threads, by turns), and
 * beside what else there is, in one run.
 *
 * Exit code 1 only when something fails; a figure fails nobody.
 */
export async function runLocksBench({ stdout, stderr }: BenchIo): Promise<number> {
  const say = (text: string): unknown => stdout.write(`${text}\n`);
  const print = (title: string, figures: readonly Figure[]): void => {
    say(`\n${title}, load ${loadavg()[0]!.toFixed(1)}`);
    for (const figure of figures) say(figureLine(figure));
  };
  say(`node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`);
  try {
    const calibration = { name: 'heap of 32 events, pop and push', value: calibrate(), unit: 'M pairs per wall s' };
    print('calibration', [calibration]);
    print('one thread, best of short runs', heapFigures());
    print('one thread, through the client', await localFigures());
    for (const way of ['direct', 'switched'] as const) {
      const title = way === 'direct' ? 'a port from thread to thread' : 'through a switch thread';
      print(title, [...(await remoteFigures(way)), ...(await handOffFigures(way))]);
    }
    print('directory on a third node', await firstLockFigures());
    print('recovery', await recoveryFigures());
    say('\none remote acquire, medians of its phases');
    for (const line of await phaseLines('direct')) say(line);
    await printTable(say);
    // Last, as what is measured in this thread after it runs on code that has seen more kinds of inputs.
    print('recovery in one thread', heapRecoveryFigures(calibration.value));
    return 0;
  } catch (error) {
    stderr.write(`bench: locks: ${error instanceof Error ? error.stack : error}\n`);
    return 1;
  }
}

async function printTable(say: (text: string) => unknown): Promise<void> {
  say('\nall of them');
  say(headLine());
  say(rowLine(await rowOf('ours, master in this thread', measured((await loneNode()) as Locks<unknown>))));
  for (const way of ['direct', 'switched'] as const) say(rowLine(await remoteRow(way)));
  for (const { name, server, use } of ALTERNATIVES) {
    if (server !== undefined && !isInstalled(server)) say(`  ${name}: ${server} is not installed`);
    else await use(async (locks) => void say(rowLine(await rowOf(name, measured(locks)))));
  }
}
