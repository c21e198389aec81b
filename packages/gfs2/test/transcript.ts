import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/** One command of a transcript: its words, and `name=value` pairs among them. */
export interface Command {
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

/**
 * Plays a file of commands and what came out of them: a command, `----`, the outcome, an empty line. Lines with `#` are
 * comments. With REWRITE=1 the outcomes are recorded again.
 */
export function playTranscript(url: URL, run: (command: Command) => readonly string[]): void {
  const played = readFileSync(url, 'utf8')
    .split(/\n{2,}/)
    .map((paragraph) => playParagraph(paragraph.trim(), run))
    .join('\n\n');
  if (process.env.REWRITE === '1') writeFileSync(url, `${played}\n`);
  else expect(`${played}\n`).toBe(readFileSync(url, 'utf8'));
}

function playParagraph(paragraph: string, run: (command: Command) => readonly string[]): string {
  const lines = paragraph.split('\n');
  const rule = lines.indexOf('----');
  const given = rule < 0 ? lines : lines.slice(0, rule);
  const commands = given.filter((line) => !line.startsWith('#') && line !== '');
  if (commands.length === 0) return paragraph;
  const outcome = commands.flatMap((line) => run(parse(line)));
  return [...given, '----', ...(outcome.length === 0 ? ['nothing'] : outcome)].join('\n');
}

function parse(line: string): Command {
  const words: string[] = [];
  const options = new Map<string, string>();
  for (const word of line.split(/\s+/)) {
    const at = word.indexOf('=');
    if (at < 0) words.push(word);
    else options.set(word.slice(0, at), word.slice(at + 1));
  }
  return { words, options };
}
