import { execFile, spawnSync } from 'node:child_process';
import { it } from 'vitest';

/** Whether a program can be run; with QUORATE_REQUIRE_ORACLES=1 its absence is an error. */
function hasProgram(name: string): boolean {
  const isThere = spawnSync(name, ['--help']).error === undefined;
  if (!isThere && process.env.QUORATE_REQUIRE_ORACLES === '1') throw new Error(`${name} is not installed`);
  return isThere;
}

/** A test that asks real programs; skipped with a sentence when one is absent. */
export function itWith(programs: readonly string[], name: string, test: () => Promise<void>, timeoutMs?: number): void {
  const missing = programs.filter((program) => !hasProgram(program));
  if (missing.length === 0) it(name, test, timeoutMs);
  else it.skip(`${name} (${missing.join(' and ')} not installed)`, test);
}

/** What a program prints, both streams together. Never blocks: our server answers it from this very process. */
export function output(program: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }, (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
}
