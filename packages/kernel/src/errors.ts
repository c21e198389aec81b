/** Where in a text something stands. */
export interface TextPlace {
  /** Name of the file, as whoever read it calls it; absent when the text is in no file. */
  readonly file?: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters; absent when only the line is known. */
  readonly column?: number;
}

/** A configuration this code refuses to start with: says where, what was found and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Where it stands, as a path: `/cluster/quorumd/@tko`, or the name of an option. */
  readonly path: string;
  /** The value found there, as text; empty when something is missing. */
  readonly value: string;
  /** What would have been right. */
  readonly expected: string;
  /** Where that is in the source text; undefined when the configuration did not come from a text. */
  readonly place: TextPlace | undefined;

  constructor(path: string, value: string, expected: string, place?: TextPlace) {
    super(`${placeText(place)}${path}: found ${value === '' ? 'nothing' : `"${value}"`}, expected ${expected}`);
    this.path = path;
    this.value = value;
    this.expected = expected;
    this.place = place;
  }
}

/** As compilers write it, so that editors jump there: `cluster.conf:7:12: `. */
function placeText(place: TextPlace | undefined): string {
  if (place === undefined) return '';
  const { file, line, column } = place;
  if (file === undefined) return `line ${line}${column === undefined ? '' : `, column ${column}`}: `;
  return `${file}:${line}${column === undefined ? '' : `:${column}`}: `;
}

/** Our own logic is wrong: the run stops. Never used for what arrives from outside. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Stops the run when our own logic broke a rule it relies on. Where time counts the message is a function, called then only. */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionError(typeof message === 'string' ? message : message());
}
