/** A configuration this code refuses to start with: says where, what was found and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Where it stands, as a path: `/cluster/quorumd/@tko`, or the name of an option. */
  readonly path: string;
  /** The value found there, as text; empty when something is missing. */
  readonly value: string;
  /** What would have been right. */
  readonly expected: string;
  /** Line in the source text, from 1; 0 when the configuration did not come from a text. */
  readonly line: number;

  constructor(path: string, value: string, expected: string, line = 0) {
    super(
      `${line > 0 ? `line ${line}: ` : ''}${path}: found ${value === '' ? 'nothing' : `"${value}"`}, expected ${expected}`,
    );
    this.path = path;
    this.value = value;
    this.expected = expected;
    this.line = line;
  }
}

/** Our own logic is wrong: the run stops. Never used for what arrives from outside. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Stops the run when our own logic broke a rule it relies on. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
