import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface MemoryFigures {
  /** Highest resident set of the whole process. */
  readonly residentMiB: number;
  readonly wallSeconds: number;
}

const CLI = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));

/** Runs `quorate story` in worker threads and reads the highest resident set that the kernel noted for it. */
export async function measureMemory(): Promise<MemoryFigures> {
  const start = process.hrtime.bigint();
  const child = spawn(process.execPath, [CLI, 'story'], { stdio: ['ignore', 'ignore', 'inherit'] });
  let residentMiB = 0;
  const timer = setInterval(() => {
    residentMiB = Math.max(residentMiB, highWaterMiB(child.pid));
  }, 200);
  const status = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearInterval(timer);
  if (status !== 0) throw new Error(`quorate story exited with ${status}`);
  return { residentMiB, wallSeconds: Number(process.hrtime.bigint() - start) / 1e9 };
}

function highWaterMiB(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
