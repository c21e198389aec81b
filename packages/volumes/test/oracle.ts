import { spawnSync } from 'node:child_process';
import { it } from 'vitest';

/** Programs for administrators are where only administrators look. */
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, LC_ALL: 'C', TZ: 'UTC' };

/** What a program printed, and its exit status; -1 when it cannot be run. */
export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function run(program: string, args: readonly string[], input = ''): Outcome {
  const { status, stdout, stderr, error } = spawnSync(program, args, { env, input, encoding: 'utf8' });
  return error === undefined
    ? { status: status ?? -1, stdout, stderr }
    : { status: -1, stdout: '', stderr: `${error}` };
}

/** A test that asks real programs; skipped with a sentence when they are absent, which fails where oracles are required. */
export function itWith(lacks: () => string | undefined, name: string, test: () => void): void {
  const missing = lacks();
  if (missing === undefined) it(name, test);
  else if (process.env.QUORATE_REQUIRE_ORACLES === '1') {
    it(name, () => {
      throw new Error(missing);
    });
  } else it.skip(`${name} (${missing})`, test);
}

/** Undefined when all these programs can be run. */
export function lacksPrograms(...programs: readonly string[]): string | undefined {
  const missing = programs.find((program) => run(program, ['--version']).status === -1);
  return missing === undefined ? undefined : `${missing} is not installed`;
}
