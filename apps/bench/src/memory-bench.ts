import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Figure } from './figures.js';

export const memoryTitle = '`quorate story` in worker threads: the whole process, with its hub and all workers';

const CLI = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));

/** How often the child's high-water mark is read. What it grows after the last reading is not seen. */
const INTERVAL_MS = 50;

/** Runs the story once as a child and reads the highest resident set that the kernel noted for it. */
export async function memoryFigures(): Promise<readonly Figure[]> {
  const start = process.hrtime.bigint();
  const child = spawn(process.execPath, [CLI, 'story'], { stdio: ['ignore', 'ignore', 'inherit'] });
  let residentMb = Number.NaN;
  const timer = setInterval(() => {
    residentMb = highWaterMb(child.pid) ?? residentMb;
  }, INTERVAL_MS);
  const status = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearInterval(timer);
  if (status !== 0) throw new Error(`quorate story exited with ${status}`);
  const wallSeconds = Number(process.hrtime.bigint() - start) / 1e9;
  const resident: Figure[] = existsSync('/proc/self/status')
    ? [{ name: 'resident at its highest', value: residentMb, unit: 'MB', bar: { atMost: 400 } }]
    : [];
  return [...resident, { name: 'from start to end', value: wallSeconds, unit: 'wall s', bar: { atMost: 90 } }];
}

/** Undefined when the process is gone, or where there is no /proc. */
function highWaterMb(pid: number | undefined): number | undefined {
  try {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : (Number(kilobytes) * 1024) / 1e6;
  } catch {
    return undefined;
  }
}
