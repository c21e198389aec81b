import { spawnSync } from 'node:child_process';
import { oracleEnv } from '../../../tooling/oracle.js';

const env = { ...oracleEnv, LC_ALL: 'C', TZ: 'UTC' };

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
