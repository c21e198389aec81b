import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { itWith } from '../../../tooling/oracle.js';

/** A test that asks QEMU about files in a directory of its own. */
export function itWithQemu(name: string, test: (directory: string) => void | Promise<void>): void {
  itWith(['qemu-img', 'qemu-io'], name, () => withDirectory(test));
}

async function withDirectory(use: (directory: string) => void | Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'vhdx-'));
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Runs a program; gives its exit status and what it printed, both streams together. */
export function run(program: string, ...args: readonly string[]): { readonly status: number; readonly text: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return { status: status ?? -1, text: stdout + stderr };
}

/** Runs a program that must succeed. @throws {Error} with what it printed when it does not. */
export function succeed(program: string, ...args: readonly string[]): string {
  const { status, text } = run(program, ...args);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: status ${status}\n${text}`);
  return text;
}
