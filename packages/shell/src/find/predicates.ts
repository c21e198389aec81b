import { type FileInfo, isErrno, type Os, strerror, type Task } from '@quorate/kernel';
import { posixRegExp, wildcard } from '@quorate/node';
import { ownerText } from '../ls.js';
import { FindComplaint, type Found, type PredicateReader, plain, type Test } from './expression.js';
import { formatted, longLine } from './format.js';

const TYPES: Readonly<Record<string, FileInfo['type'] | 'none'>> = {
  b: 'none',
  c: 'none',
  d: 'directory',
  f: 'file',
  l: 'symlink',
  p: 'none',
  s: 'none',
};
const UNITS: Readonly<Record<string, number>> = { c: 1, w: 2, b: 512, '': 512, k: 1024, M: 1 << 20, G: 2 ** 30 };
const MINUTE = 60;
const DAY = 86_400;

/** Tests by name; each reads its operands and looks up what it needs. Undefined for a predicate that there is not. */
export function* predicate(name: string, reader: PredicateReader): Task<Test | undefined> {
  const build = TESTS[name];
  return build && (yield* build(reader, name));
}

type Build = (reader: PredicateReader, name: string) => Task<Test>;

const TESTS: Readonly<Record<string, Build>> = {
  '-name': ofPattern(({ name }) => name, 's'),
  '-iname': ofPattern(({ name }) => name, 'is'),
  '-path': ofPattern(({ path }) => path, 's'),
  '-wholename': ofPattern(({ path }) => path, 's'),
  '-ipath': ofPattern(({ path }) => path, 'is'),
  '-regex': ofExpression(''),
  '-iregex': ofExpression('i'),
  '-type': ofType,
  '-size': ofSize,
  '-inum': ofNumber(({ info }) => info.inode),
  '-links': ofNumber(({ info }) => info.links),
  '-uid': ofNumber(({ info }) => info.uid),
  '-gid': ofNumber(({ info }) => info.gid),
  '-user': ofOwner(({ info }) => info.uid),
  '-group': ofOwner(({ info }) => info.gid),
  '-perm': ofMode,
  '-newer': newerThan,
  '-mmin': ofAge(MINUTE),
  '-mtime': ofAge(DAY),
  *'-empty'({ os }) {
    return isEmpty(os);
  },
  *'-true'() {
    return plain(() => true);
  },
  *'-false'() {
    return plain(() => false);
  },
  '-maxdepth': option((reader, name) => {
    reader.search.most = depthOf(reader, name);
  }),
  '-mindepth': option((reader, name) => {
    reader.search.least = depthOf(reader, name);
  }),
  '-depth': option(({ search }) => {
    search.isDepthFirst = true;
  }),
  // There is one file system below each path, or what is mounted is wanted.
  '-xdev': option(() => {}),
  '-mount': option(() => {}),
  '-follow': option(() => {}),
  *'-prune'({ search }) {
    return plain(() => {
      search.isPruned = true;
      return true;
    });
  },
  *'-quit'({ search }) {
    search.isActing = true;
    return plain(() => {
      search.hasQuit = true;
      return true;
    });
  },
  '-print': printing(({ path }) => `${path}\n`),
  '-print0': printing(({ path }) => `${path}\0`),
  '-ls': printing(longLine),
  *'-printf'(reader, name) {
    const format = reader.operand(name);
    return yield* printing((found) => formatted(format, found))(reader, name);
  },
  '-delete': deletion,
  '-exec': execution,
  '-ok': execution,
};

function ofPattern(textOf: (found: Found) => string, flags: string): Build {
  return function* (reader, name) {
    const wanted = new RegExp(wildcard(reader.operand(name)).source, flags);
    return plain((found) => wanted.test(textOf(found)));
  };
}

/** Of the whole path. */
function ofExpression(flags: string): Build {
  return function* (reader, name) {
    const given = reader.operand(name);
    const wanted = posixRegExp(`^(${given})$`, 'extended', flags);
    if (wanted === undefined) throw new FindComplaint(`invalid regular expression: ${given}`);
    return plain(({ path }) => wanted.test(path));
  };
}

function* ofType(reader: PredicateReader, name: string): Task<Test> {
  const given = reader.operand(name);
  const type = TYPES[given];
  if (type === undefined) throw new FindComplaint(`Unknown argument to -type: ${given}`);
  return plain(({ info }) => info.type === type);
}

/** In units that are begun. */
function* ofSize(reader: PredicateReader): Task<Test> {
  const word = reader.operand('-size');
  const [, sign, digits, unit] = /^([-+]?)(\d+)([cwbkMG]?)$/.exec(word) ?? [];
  if (digits === undefined) throw new FindComplaint(`Invalid argument \`${word}' to -size`);
  const compare = compared(sign!, Number(digits));
  return plain(({ info }) => compare(Math.ceil(info.size / UNITS[unit!]!)));
}

function ofNumber(numberIn: (found: Found) => number): Build {
  return function* (reader, name) {
    const { sign, number } = numberOf(reader, name);
    const compare = compared(sign, number);
    return plain((found) => compare(numberIn(found)));
  };
}

function ofOwner(numberIn: (found: Found) => number): Build {
  return function* (reader, name) {
    const given = reader.operand(name);
    return plain((found) => String(numberIn(found)) === given || ownerText(numberIn(found)) === given);
  };
}

/** `MODE` exactly, `-MODE` all of these bits, `/MODE` one of them. */
function* ofMode(reader: PredicateReader): Task<Test> {
  const word = reader.operand('-perm');
  const [, sign, digits] = /^([-/+]?)([0-7]+)$/.exec(word) ?? [];
  if (digits === undefined) throw new FindComplaint(`invalid mode \`${word}'`);
  const wanted = Number.parseInt(digits, 8);
  return plain(({ info }) => {
    const bits = info.mode & 0o7777;
    if (sign === '') return bits === wanted;
    return sign === '-' ? (bits & wanted) === wanted : wanted === 0 || (bits & wanted) !== 0;
  });
}

function* newerThan(reader: PredicateReader, name: string): Task<Test> {
  const other = reader.operand(name);
  const info = yield* reader.os.stat(other);
  if (isErrno(info)) throw new FindComplaint(`\`${other}': ${strerror(info)}`);
  return plain((found) => found.info.modifiedAt > info.modifiedAt);
}

/**
 * `-N` younger than so many units, `N` of that age with what is begun left out, `+N` older: of days by a whole one, of minutes
 * by any time.
 */
function ofAge(unit: number): Build {
  return function* (reader, name) {
    const { sign, number } = numberOf(reader, name);
    const now = reader.os.wall().sec;
    return plain(({ info }) => {
      const age = (now - info.modifiedAt) / unit;
      if (sign === '-') return age < number;
      if (sign === '+') return unit === DAY ? age >= number + 1 : age > number;
      return unit === DAY ? Math.floor(age) === number : age < number && age >= number - 1;
    });
  };
}

function isEmpty(os: Os): Test {
  return function* ({ path, info }) {
    if (info.type !== 'directory') return info.type === 'file' && info.size === 0;
    const names = yield* os.list(path);
    return !isErrno(names) && names.length === 0;
  };
}

function option(act: (reader: PredicateReader, name: string) => void): Build {
  return function* (reader, name) {
    act(reader, name);
    return plain(() => true);
  };
}

function printing(textOf: (found: Found) => string): Build {
  return function* ({ os, search }) {
    search.isActing = true;
    return plain((found) => {
      os.print(textOf(found));
      return true;
    });
  };
}

function* deletion({ os, search }: PredicateReader): Task<Test> {
  search.isActing = true;
  search.isDepthFirst = true;
  return function* ({ path, info }) {
    const refused = yield* info.type === 'directory' ? os.removeDirectory(path) : os.remove(path);
    if (refused === undefined) return true;
    os.printError(`find: cannot delete \`${path}': ${strerror(refused)}\n`);
    search.status = 1;
    return false;
  };
}

/** `-exec COMMAND … \;` for each, `-exec COMMAND … {} +` at the end for all at once. `-ok` asks nobody: the answer would be yes. */
function* execution(reader: PredicateReader, name: string): Task<Test> {
  const { os, search } = reader;
  const { words, isOfAll } = reader.command(name);
  search.isActing = true;
  const run = function* (argv: readonly string[]): Task<number> {
    const { status, output, errors } = yield* os.run(argv);
    os.print(output);
    os.printError(status === 127 ? `find: \`${argv[0]}': No such file or directory\n` : errors);
    return status;
  };
  if (!isOfAll) {
    return function* ({ path }) {
      return (yield* run(words.map((word) => word.replaceAll('{}', path)))) === 0;
    };
  }
  const paths: string[] = [];
  search.atEnd.push(function* () {
    if (paths.length > 0 && (yield* run([...words.slice(0, -1), ...paths])) !== 0) search.status = 1;
  });
  return plain(({ path }) => paths.push(path) > 0);
}

function depthOf(reader: PredicateReader, name: string): number {
  const word = reader.operand(name);
  if (/^\d+$/.test(word)) return Number(word);
  throw new FindComplaint(`Expected a positive decimal integer argument to ${name}, but got \`${word}'`);
}

/** `+N` more, `-N` less, `N` exactly. */
function numberOf(reader: PredicateReader, name: string): { readonly sign: string; readonly number: number } {
  const word = reader.operand(name);
  const [, sign, digits] = /^([-+]?)(\d+)$/.exec(word) ?? [];
  if (digits === undefined) throw new FindComplaint(`invalid argument \`${word}' to \`${name}'`);
  return { sign: sign!, number: Number(digits) };
}

function compared(sign: string, wanted: number): (value: number) => boolean {
  if (sign === '+') return (value) => value > wanted;
  return sign === '-' ? (value) => value < wanted : (value) => value === wanted;
}
