import { ConfigError } from '@quorate/kernel';

/** One call, or what happened to a node. */
export interface RecordedStep {
  readonly node?: number;
  readonly do: string;
  readonly lock?: string;
  readonly resource?: string;
  readonly mode?: string | number;
  readonly flags?: readonly string[];
  readonly lvb?: string;
  readonly bast?: boolean;
  readonly proc?: number;
  /** This lock id instead of the lock's own. */
  readonly lkid?: number;
  /** The next step follows before anything else happens. */
  readonly nowait?: boolean;
  /** Of a purge: the node, and the process whose orphans it means. */
  readonly target?: number;
  readonly pid?: number;
}

/** What the owner of a lock saw: the return of a call, a completion, or a blocking AST. */
export interface RecordedEvent {
  readonly step: number;
  readonly ret?: number;
  readonly ast?: number;
  readonly flags?: readonly string[];
  readonly mode?: string;
  readonly lvb?: string;
  readonly bast?: string;
}

/** A script that was run on a Linux DLM, and what came of it. */
export interface RecordedCase {
  readonly name: string;
  readonly nodes: number;
  readonly lvblen: number;
  /** Names of resources by their symbols: the directory node follows from the name. */
  readonly names: Readonly<Record<string, string>>;
  readonly steps: readonly RecordedStep[];
  /** By lock. */
  readonly expect: Readonly<Record<string, readonly RecordedEvent[]>>;
  /** By step: the locks whose state changed; null where nobody looked. */
  readonly after: readonly (Readonly<Record<string, string>> | null)[];
  /** By node: the lines of the debug text `_all` at the end. */
  readonly all?: Readonly<Record<string, readonly string[]>>;
  /** By node: the human debug text at the end. */
  readonly dump?: Readonly<Record<string, string>>;
  /** Parts in which two recordings differed: `expect.a`, `after.5`, `all.1`. They are not compared. */
  readonly unstable?: readonly string[];
}

const STEPS = 'lock convert unlock cancel deadlock exit purge kill freeze thaw settle'.split(' ');

/**
 * Reads cases, one JSON object a line.
 *
 * @throws {ConfigError} for a line that is no case; the path is `line 3/steps/0/do`.
 */
export function parseRecordedCases(text: string): readonly RecordedCase[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => (line.trim() === '' ? [] : [parseCase(line, `line ${i + 1}`)]));
}

function parseCase(line: string, path: string): RecordedCase {
  const recorded = parseJson(line, path) as RecordedCase;
  check(typeof recorded?.name === 'string', `${path}/name`, recorded?.name, 'the name of the case');
  check(recorded.nodes >= 1, `${path}/nodes`, recorded.nodes, 'a number of nodes');
  check(recorded.lvblen >= 0, `${path}/lvblen`, recorded.lvblen, 'a length in bytes');
  for (const field of ['names', 'expect'] as const) {
    check(isObject(recorded[field]), `${path}/${field}`, recorded[field], 'an object');
  }
  for (const field of ['steps', 'after'] as const) {
    check(Array.isArray(recorded[field]), `${path}/${field}`, recorded[field], 'a list');
  }
  recorded.steps.forEach((step, i) => {
    check(STEPS.includes(step?.do), `${path}/steps/${i}/do`, step?.do, `one of ${STEPS.join(', ')}`);
  });
  return recorded;
}

function parseJson(line: string, path: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new ConfigError(path, line.slice(0, 40), 'a case as one JSON object');
  }
}

function check(isRight: boolean, path: string, found: unknown, expected: string): void {
  const text = typeof found === 'string' ? found : String(JSON.stringify(found));
  if (!isRight) throw new ConfigError(path, text.slice(0, 40), expected);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
