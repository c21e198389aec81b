import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/**
 * Runs a file of commands and outcomes: comment lines, a command line, `----`, what came out, an empty line. With
 * REWRITE=1 the outcomes are recorded again.
 */
export function runTranscript(name: string, run: (command: string) => readonly string[]): void {
  const file = new URL(`./data/${name}.txt`, import.meta.url);
  const recorded = readFileSync(file, 'utf8');
  const played = recorded
    .trimEnd()
    .split('\n\n')
    .map((block) => {
      const [head = ''] = block.split('\n----');
      const command = head
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .join(' ');
      if (command === '') return block;
      const outcome = run(command);
      return [head, '----', ...(outcome.length === 0 ? ['(nothing)'] : outcome)].join('\n');
    })
    .join('\n\n');
  if (process.env.REWRITE === '1') writeFileSync(file, `${played}\n`);
  else expect(`${played}\n`).toBe(recorded);
}

/** Options of a command line: `name=value` words; the others by number. */
export function words(command: string): { readonly plain: readonly string[]; readonly options: Map<string, string> } {
  const options = new Map<string, string>();
  const plain: string[] = [];
  for (const word of command.split(/\s+/)) {
    const at = word.indexOf('=');
    if (at > 0) options.set(word.slice(0, at), word.slice(at + 1));
    else plain.push(word);
  }
  return { plain, options };
}

const UNITS: readonly [string, number][] = [
  ['ns', 1],
  ['us', 1_000],
  ['ms', 1_000_000],
  ['s', 1_000_000_000],
];

/** Reads `1.5s`, `200ms`, `10us`. */
export function duration(text: string): number {
  for (const [unit, size] of UNITS) {
    if (new RegExp(`^[0-9.]+${unit}$`).test(text)) return Math.round(Number.parseFloat(text) * size);
  }
  throw new Error(`not a duration: ${text}`);
}
