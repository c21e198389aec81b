/** A line of an answer as the posts print it; in a pattern stands what is another on every run. */
export type Line = string | RegExp;

/** Something that the walk-through does, and what it says of the outcome. */
export interface Step {
  /** A machine, or `host` for what is done outside: see `quorate up`. */
  readonly on: string;
  readonly type: string;
  /** Lines that the answer must have, in this order; blanks at line ends and runs of blanks do not count. */
  readonly shows?: readonly Line[];
  /** The answer has no other lines than those of `shows`. */
  readonly isWhole?: boolean;
  /** The answer has none of these. */
  readonly lacks?: readonly Line[];
  /** Where what is typed or printed here is not the posts', and why. */
  readonly differs?: string;
}

/** Part of the walk-through. */
export interface Chapter {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** What was expected of an answer and is not so; undefined when all is. */
export function mismatchOf({ shows = [], isWhole = false, lacks = [] }: Step, answer: string): string | undefined {
  const lines = answer.split('\n').map(plain);
  const printed = lines.filter((line) => line !== '');
  let at = 0;
  for (const expected of shows) {
    const found = printed.findIndex((line, i) => i >= at && isLine(line, expected));
    if (found < 0) return `expected the line ${shown(expected)}`;
    if (isWhole && found !== at) return `found the line "${printed[at]}", expected ${shown(expected)}`;
    at = found + 1;
  }
  if (isWhole && at < printed.length) return `found the line "${printed[at]}", expected no more`;
  const unwanted = lacks.find((line) => printed.some((each) => isLine(each, line)));
  return unwanted === undefined ? undefined : `found the line ${shown(unwanted)}, expected none like it`;
}

function isLine(line: string, expected: Line): boolean {
  return typeof expected === 'string' ? line === plain(expected) : expected.test(line);
}

function plain(line: string): string {
  return line.trim().replace(/\s+/g, ' ');
}

function shown(line: Line): string {
  return typeof line === 'string' ? `"${line}"` : String(line);
}
