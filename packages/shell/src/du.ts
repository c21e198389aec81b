import { isErrno, type Os, type Program, strerror, type Task } from '@quorate/kernel';
import { coreOptions } from './coreutils.js';
import { kibibytes, shortSize } from './ls.js';

/** Where sizes go. A file with several names counts once. */
interface Count {
  readonly seen: Set<string>;
  report(path: string, kibibytes: number): void;
  complain(what: string): void;
}

/** `du [-ahks] [FILE…]`: kibibytes that trees take, of each directory, with `-a` of each file, with `-s` of what is named only. */
export const du: Program = function* (argv, os) {
  const long = { all: 'a', 'human-readable': 'h', summarize: 's' };
  const options = coreOptions(argv, os, { flags: 'ahks', long });
  if (options === undefined) return 1;
  const { flags, operands } = options;
  let status = 0;
  const count: Count = {
    seen: new Set(),
    report: (path, size) => os.print(`${flags.has('h') ? shortSize(size * 1024) : size}\t${path}\n`),
    complain: (what) => {
      os.printError(`du: ${what}\n`);
      status = 1;
    },
  };
  for (const path of operands.length === 0 ? ['.'] : operands) {
    const size = yield* sizeOf(os, path, flags, count, true);
    if (size !== undefined && flags.has('s')) count.report(path, size);
  }
  return status;
};

function* sizeOf(
  os: Os,
  path: string,
  flags: ReadonlySet<string>,
  count: Count,
  isNamed: boolean,
): Task<number | undefined> {
  const info = yield* os.stat(path);
  if (isErrno(info)) {
    count.complain(`cannot access \`${path}': ${strerror(info)}`);
    return undefined;
  }
  if (info.type !== 'directory') {
    const key = `${info.inode}`;
    if (info.links > 1 && count.seen.has(key)) return 0;
    count.seen.add(key);
    const size = kibibytes(info.size);
    if ((flags.has('a') || isNamed) && !flags.has('s')) count.report(path, size);
    return size;
  }
  const names = yield* os.list(path);
  if (isErrno(names)) count.complain(`cannot read directory \`${path}': ${strerror(names)}`);
  let size = kibibytes(info.size);
  for (const name of isErrno(names) ? [] : names) {
    size += (yield* sizeOf(os, `${path.replace(/\/$/, '')}/${name}`, flags, count, false)) ?? 0;
  }
  if (!flags.has('s')) count.report(path, size);
  return size;
}
