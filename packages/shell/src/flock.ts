import { isErrno, type Program, strerror } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';

const USAGE = 'Usage: flock [-sxn] [--fcntl] FILE COMMAND [ARGUMENT...]\n';

/**
 * `flock [-sxn] [--fcntl] FILE COMMAND [ARGUMENT...]`: runs a command while it holds a lock on a file, flock(2)'s or with `--fcntl` one of
 * fcntl(2) on all of it. Ends as the command does, or with 1 when `-n` says not to wait.
 *
 * Source: util-linux sys-utils/flock.c.
 */
export const flock: Program = function* flock(argv, os) {
  const words = argv.slice(1);
  // Options of the command are its own.
  const at = words.findIndex((word) => !word.startsWith('-'));
  const own = at < 0 ? words : words.slice(0, at);
  const { flags, error } = parseOptions(
    own.filter((word) => word !== '--fcntl'),
    { flags: 'sxnh', values: '' },
  );
  const [path, ...command] = at < 0 ? [] : words.slice(at);
  if (error !== undefined || flags.has('h') || path === undefined || command.length === 0) {
    if (error !== undefined) os.printError(`flock: ${error}\n`);
    if (flags.has('h')) os.print(USAGE);
    else os.printError(USAGE);
    return flags.has('h') ? 0 : 64;
  }
  const kind = own.includes('--fcntl') ? 'posix' : 'flock';
  const file = yield* os.lockFile(path, { kind, isExclusive: !flags.has('s'), isWaiting: !flags.has('n') });
  if (isErrno(file)) {
    if (file === 'EAGAIN') return 1;
    os.printError(`flock: ${path}: ${strerror(file)}\n`);
    return 66;
  }
  const { status, output, errors } = yield* os.run(command);
  os.print(output);
  os.printError(errors);
  yield* os.unlockFile(file);
  return status;
};
