// Data-driven tests: a file of commands, "----" and what came out. REWRITE=1 records the outcome again.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** Runs every block of a file through `execute`, which gets its command lines and returns the outcome. */
export function checkTranscript(file: URL, execute: (commands: readonly string[]) => string): void {
  const recorded = readFileSync(file, 'utf8');
  const replayed = recorded
    .trimEnd()
    .split(/\n\n+/)
    .map((block) => replayBlock(block, execute))
    .join('\n\n');
  if (process.env.REWRITE === '1') writeFileSync(fileURLToPath(file), `${replayed}\n`);
  else expect(`${replayed}\n`).toBe(recorded);
}

function replayBlock(block: string, execute: (commands: readonly string[]) => string): string {
  const lines = block.split('\n');
  const end = lines.indexOf('----');
  const head = end < 0 ? lines : lines.slice(0, end);
  const commands = head.filter((line) => !line.startsWith('#'));
  if (commands.length === 0) return block;
  return [...head, '----', execute(commands).trimEnd()].join('\n');
}
