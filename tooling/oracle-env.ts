import { spawnSync } from 'node:child_process';

/** Programs for administrators are where only administrators look. */
export const oracleEnv: NodeJS.ProcessEnv = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/** Where a program is installed. */
export function pathOf(program: string): string | undefined {
  const { status, stdout } = spawnSync('sh', ['-c', `command -v ${program}`], { env: oracleEnv, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
