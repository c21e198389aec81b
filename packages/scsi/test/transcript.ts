import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/**
 * Plays a file of commands and what came of them: lines of commands, `----`, the outcome, an empty line. Lines that begin
 * with `#` are comments. With REWRITE=1 the outcomes are recorded again.
 */
export function playTranscript(file: string, run: (line: string) => readonly string[]): void {
  const url = new URL(`data/${file}`, import.meta.url);
  const recorded = readFileSync(url, 'utf8');
  const played = `${recorded
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => playParagraph(paragraph, run))
    .join('\n\n')}\n`;
  if (process.env.REWRITE === '1') writeFileSync(url, played);
  else expect(played).toBe(recorded);
}

function playParagraph(paragraph: string, run: (line: string) => readonly string[]): string {
  const lines = paragraph.split('\n');
  const rule = lines.indexOf('----');
  const given = rule < 0 ? lines : lines.slice(0, rule);
  const commands = given.filter((line) => !line.startsWith('#'));
  if (commands.length === 0) return paragraph;
  const outcome = commands.flatMap((line) => run(line));
  return [...given, '----', ...(outcome.length === 0 ? ['nothing'] : outcome)].join('\n');
}
