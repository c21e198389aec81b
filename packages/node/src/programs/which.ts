import type { Program } from '@quorate/kernel';
import { PATH, programPath } from './sh/program-paths.js';

/**
 * `which NAME…`: where programs are.
 *
 * @param names - what can be run.
 */
export function which(names: () => Iterable<string>): Program {
  return function* (argv, os) {
    const known = new Set(names());
    let status = 0;
    for (const name of argv.slice(1)) {
      if (known.has(name)) os.print(`${name.startsWith('/') ? name : programPath(name)}\n`);
      else {
        os.printError(`/usr/bin/which: no ${name} in (${PATH})\n`);
        status = 1;
      }
    }
    return status;
  };
}
