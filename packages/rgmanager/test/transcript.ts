// Data-driven tests: a file of commands, "----" and what came out. REWRITE=1 records the outcome again.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/** Runs every block of a file through `execute`, which gets its command lines and returns the outcome. */
export function checkTranscript(file: URL, execute: (commands: readonly string[]) => readonly string[]): void {
  const recorded = readFileSync(file, 'utf8');
  const replayed = recorded
    .trimEnd()
    .split(/\n\n+/)
    .map((block) => replayBlock(block, execute))
    .join('\n\n');
  if (process.env.REWRITE === '1') writeFileSync(file, `${replayed}\n`);
  else expect(`${replayed}\n`).toBe(recorded);
}

function replayBlock(block: string, execute: (commands: readonly string[]) => readonly string[]): string {
  const lines = block.split('\n');
  const end = lines.indexOf('----');
  const head = end < 0 ? lines : lines.slice(0, end);
  const commands = head.filter((line) => !line.startsWith('#'));
  if (commands.length === 0) return block;
  const outcome = execute(commands);
  return [...head, '----', ...(outcome.length === 0 ? ['nothing'] : outcome)].join('\n');
}
