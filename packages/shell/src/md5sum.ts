import { hex, isErrno, md5, type Os, type Program, strerror, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { coreOptions } from './coreutils.js';
import { linesOf } from './read-all.js';

/** `md5sum [-c] [FILE…]`: a checksum of each, or whether files have those that a file lists. */
export const md5sum: Program = function* (argv, os) {
  const options = coreOptions(argv, os, { flags: 'bct', long: { check: 'c' } });
  if (options === undefined) return 1;
  const paths = options.operands.length === 0 ? ['-'] : options.operands;
  let status = 0;
  for (const path of paths) {
    const bytes = path === '-' ? utf8Bytes(os.input) : yield* os.readFile(path);
    if (isErrno(bytes)) {
      os.printError(`md5sum: ${path}: ${strerror(bytes)}\n`);
      status = 1;
    } else if (options.flags.has('c')) status |= yield* check(os, utf8Text(bytes));
    else os.print(`${hex(md5(bytes))}  ${path}\n`);
  }
  return status;
};

function* check(os: Os, list: string): Task<number> {
  let failed = 0;
  for (const line of linesOf(list)) {
    const [, sum, path] = /^([0-9a-f]{32})[ *]{1,2}(.+)$/.exec(line) ?? [];
    if (sum === undefined || path === undefined) continue;
    const bytes = yield* os.readFile(path);
    const isSame = !isErrno(bytes) && hex(md5(bytes)) === sum;
    if (isErrno(bytes)) os.printError(`md5sum: ${path}: ${strerror(bytes)}\n`);
    os.print(`${path}: ${isSame ? 'OK' : isErrno(bytes) ? 'FAILED open or read' : 'FAILED'}\n`);
    if (!isSame) failed += 1;
  }
  if (failed > 0) {
    os.printError(`md5sum: WARNING: ${failed} of ${linesOf(list).length} computed checksums did NOT match\n`);
  }
  return failed > 0 ? 1 : 0;
}
