import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'vitest';

/** Whether a program of sg3_utils can be run; with QUORATE_REQUIRE_ORACLES=1 its absence is an error. */
export function hasProgram(name: string): boolean {
  const isThere = spawnSync(name, ['--version']).error === undefined;
  if (!isThere && process.env.QUORATE_REQUIRE_ORACLES === '1') throw new Error(`${name} is not installed`);
  return isThere;
}

/** A test that asks a real program; skipped with a sentence when it is absent. */
export function itWith(program: string, name: string, test: () => void): void {
  if (hasProgram(program)) it(name, test);
  else it.skip(`${name} (${program} is not installed)`, test);
}

/** What a program prints, both streams together. */
export function output(program: string, ...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return stdout + stderr;
}

/** What a program prints about bytes that it reads from a file. */
export function outputAbout(bytes: Uint8Array, program: string, args: (file: string) => readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'scsi-'));
  const file = join(directory, 'bytes');
  try {
    writeFileSync(file, bytes);
    return output(program, ...args(file));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
