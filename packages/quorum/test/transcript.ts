import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/** A command of a transcript: its words, with `name=value` taken out of them. */
export interface Command {
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

/**
 * Plays a file of commands, each followed by `----` and what came out of it, paragraphs apart. Lines with `#` are
 * comments. REWRITE=1 records what comes out now.
 */
export function play(url: URL, run: (command: Command) => readonly string[]): void {
  const text = readFileSync(url, 'utf8');
  const paragraphs = text.trim().split(/\n{2,}/);
  const played = `${paragraphs.map((paragraph) => playParagraph(paragraph, run)).join('\n\n')}\n`;
  if (process.env.REWRITE === '1') writeFileSync(url, played);
  else expect(played).toBe(text);
}

function playParagraph(paragraph: string, run: (command: Command) => readonly string[]): string {
  const lines = paragraph.split('\n');
  const end = lines.indexOf('----');
  const given = end < 0 ? lines : lines.slice(0, end);
  const commands = given.filter((line) => line !== '' && !line.startsWith('#'));
  if (commands.length === 0) return paragraph;
  const outcome = commands.flatMap((line) => run(parse(line)));
  return [...given, '----', ...(outcome.length === 0 ? ['nothing'] : outcome)].join('\n');
}

function parse(line: string): Command {
  const words = line.split(' ').filter((word) => !word.includes('='));
  const pairs = line.split(' ').filter((word) => word.includes('='));
  const options = new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
  return { words, options };
}
