import { it } from 'vitest';
import { oracleEnv, pathOf } from './oracle-env.js';
import { isThorough } from './thorough.js';

export { oracleEnv, pathOf };

/** Why programs cannot be asked; undefined: they can. Where oracles are required the absence of one is an error. */
export function lacksPrograms(...programs: readonly string[]): string | undefined {
  const missing = programs.filter((program) => pathOf(program) === undefined);
  if (missing.length === 0) return undefined;
  const why = `${missing.join(' and ')} not installed`;
  if (isThorough) throw new Error(why);
  return why;
}

/** A test that asks the world outside; skipped with a sentence when that is not there, for the reason that `lacks` gives. */
export function itUnless(
  lacks: string | undefined,
  name: string,
  test: () => void | Promise<void>,
  timeoutMs?: number,
): void {
  if (lacks === undefined) it(name, test, timeoutMs);
  else it.skip(`${name} (${lacks})`, test);
}

/** A test that asks real programs. */
export function itWith(
  programs: readonly string[],
  name: string,
  test: () => void | Promise<void>,
  timeoutMs?: number,
): void {
  itUnless(lacksPrograms(...programs), name, test, timeoutMs);
}
