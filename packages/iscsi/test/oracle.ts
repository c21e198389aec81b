import { execFile } from 'node:child_process';

/** What a program prints, both streams together. Never blocks: our server answers it from this very process. */
export function output(program: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }, (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
}
