import { type Program, SECOND } from '@quorate/kernel';

/** `wait-for FILE`: waits until there is such a file. */
export const waitFor: Program = function* ([, path = ''], os) {
  while ((yield* os.stat(path)) === 'ENOENT') yield* os.sleep(SECOND);
  os.print(`${path} is there\n`);
  return 0;
};
