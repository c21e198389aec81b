import { isErrno, type Program, strerror, utf8Bytes } from '@quorate/kernel';
import { coreOptions } from './coreutils.js';

/** `tee [-a] FILE…`: what comes in goes on, and into files. */
export const tee: Program = function* (argv, os) {
  const options = coreOptions(argv, os, { flags: 'ai', long: { append: 'a' } });
  if (options === undefined) return 1;
  os.print(os.input);
  let status = 0;
  for (const path of options.operands) {
    const written = yield* os.writeFile(path, utf8Bytes(os.input), { append: options.flags.has('a') });
    if (!isErrno(written)) continue;
    os.printError(`tee: ${path}: ${strerror(written)}\n`);
    status = 1;
  }
  return status;
};
