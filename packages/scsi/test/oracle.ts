import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
