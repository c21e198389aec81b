// Data-driven tests: a file of commands, "----" and what came out. REWRITE=1 records the outcome again.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** Gets the command lines of one block and gives what came out: a text, or lines of which there may be none. */
export type Execute = (commands: readonly string[]) => string | readonly string[];

/** Runs every block of a file; blocks stand an empty line apart, and lines with `#` are comments. */
export function checkTranscript(file: URL, execute: Execute): void {
  const recorded = readFileSync(file, 'utf8');
  const replayed = recorded
    .trim()
    .split(/\n\n+/)
    .map((block) => replayBlock(block, execute))
    .join('\n\n');
  if (process.env.REWRITE === '1') writeFileSync(fileURLToPath(file), `${replayed}\n`);
  else expect(`${replayed}\n`).toBe(recorded);
}

function replayBlock(block: string, execute: Execute): string {
  const lines = block.split('\n');
  const end = lines.indexOf('----');
  const head = end < 0 ? lines : lines.slice(0, end);
  const commands = head.filter((line) => !line.startsWith('#'));
  if (commands.length === 0) return block;
  const outcome = execute(commands);
  const text = typeof outcome === 'string' ? outcome.trimEnd() : outcome.join('\n');
  return [...head, '----', text === '' ? 'nothing' : text].join('\n');
}

/** The lines of a text, each behind a mark: of what a program printed, say. */
export function marked(mark: string, text: string): readonly string[] {
  return text === ''
    ? []
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => mark + line);
}

/** A command line: its words, with `name=value` taken out of them. */
export interface Command {
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

export function commandOf(line: string): Command {
  const words: string[] = [];
  const options = new Map<string, string>();
  for (const word of line.split(/\s+/)) {
    const at = word.indexOf('=');
    if (at > 0) options.set(word.slice(0, at), word.slice(at + 1));
    else words.push(word);
  }
  return { words, options };
}
