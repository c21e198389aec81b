import { formatDateTime, isErrno, type Os, type Program, strerror, type Task, utf8Text } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';
import { type Change, changesBetween, type Hunk, hunksOf } from './line-changes.js';

interface Side {
  readonly path: string;
  readonly modifiedAt: number;
  readonly lines: readonly string[];
  readonly isWhole: boolean;
}

const LONG: Readonly<Record<string, string>> = { '--brief': '-q', '--recursive': '-r', '--unified': '-u' };

/** `diff [-bBiqrsuw] [-U LINES] FILE FILE`: 0 when they are the same, 1 when they differ. Directories are compared file by file. */
export const diff: Program = function* (argv, os) {
  const words = argv.slice(1).map((word) => LONG[word] ?? word.replace(/^-u(\d+)$/, '-U$1'));
  const { flags, number, values, operands, error } = parseOptions(words, { flags: 'bBiqrsuwN', values: 'U' });
  if (error !== undefined || operands.length !== 2) {
    const reason =
      operands.length > 2 ? `extra operand \`${operands[2]}'` : `missing operand after \`${operands[0] ?? 'diff'}'`;
    os.printError(`diff: ${error ?? reason}\ndiff: Try \`diff --help' for more information.\n`);
    return 2;
  }
  const context = flags.has('u') || values.has('U') ? number('U', 3) : undefined;
  return yield* compare(os, operands[0]!, operands[1]!, flags, context, false);
};

function* compare(
  os: Os,
  first: string,
  second: string,
  flags: ReadonlySet<string>,
  context: number | undefined,
  isInTree: boolean,
): Task<number> {
  const [a, b] = [yield* os.stat(first), yield* os.stat(second)];
  const [isA, isB] = [!isErrno(a) && a.type === 'directory', !isErrno(b) && b.type === 'directory'];
  if (isA && isB) return yield* compareTrees(os, first, second, flags, context);
  // A file and a directory: the file of that name in it.
  const inside = (directory: string, file: string): string => `${directory}/${file.slice(file.lastIndexOf('/') + 1)}`;
  const [left, right] = [isA ? inside(first, second) : first, isB ? inside(second, first) : second];
  const [before, after] = [yield* sideOf(os, left), yield* sideOf(os, right)];
  if (before === undefined || after === undefined) return 2;
  const changes = changesBetween(keysOf(before, flags), keysOf(after, flags));
  if (changes.length === 0) {
    if (flags.has('s')) os.print(`Files ${left} and ${right} are identical\n`);
    return 0;
  }
  if (flags.has('q')) {
    os.print(`Files ${left} and ${right} differ\n`);
    return 1;
  }
  if (isInTree) os.print(`${['diff', ...[...flags].map((flag) => `-${flag}`), left, right].join(' ')}\n`);
  if (context === undefined) for (const change of changes) os.print(normal(change, before, after));
  else {
    os.print(`--- ${left}\t${timeText(before)}\n+++ ${right}\t${timeText(after)}\n`);
    for (const hunk of hunksOf(changes, before.lines.length, context)) os.print(unified(hunk, before, after));
  }
  return 1;
}

function* compareTrees(
  os: Os,
  first: string,
  second: string,
  flags: ReadonlySet<string>,
  context: number | undefined,
): Task<number> {
  const [a, b] = [yield* os.list(first), yield* os.list(second)];
  const [left, right] = [isErrno(a) ? [] : a, isErrno(b) ? [] : b];
  let status = 0;
  for (const name of [...new Set([...left, ...right])].sort()) {
    if (!left.includes(name) || !right.includes(name)) {
      os.print(`Only in ${left.includes(name) ? first : second}: ${name}\n`);
      status = Math.max(status, 1);
      continue;
    }
    const [one, other] = [`${first}/${name}`, `${second}/${name}`];
    const info = yield* os.stat(one);
    if (!isErrno(info) && info.type === 'directory' && !flags.has('r')) {
      os.print(`Common subdirectories: ${one} and ${other}\n`);
    } else status = Math.max(status, yield* compare(os, one, other, flags, context, true));
  }
  return status;
}

function* sideOf(os: Os, path: string): Task<Side | undefined> {
  const info = path === '-' ? undefined : yield* os.stat(path);
  const bytes = path === '-' ? undefined : yield* os.readFile(path);
  if (isErrno(info) || isErrno(bytes)) {
    os.printError(`diff: ${path}: ${strerror(isErrno(info) ? info : 'EISDIR')}\n`);
    return undefined;
  }
  const text = bytes === undefined ? os.input : utf8Text(bytes);
  const isWhole = text === '' || text.endsWith('\n');
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  return { path, modifiedAt: info?.modifiedAt ?? os.wall().sec, lines, isWhole };
}

/** What of each line counts; the last one differs from others when it has no end. */
function keysOf({ lines, isWhole }: Side, flags: ReadonlySet<string>): readonly string[] {
  const keyOf = (line: string): string => {
    const blanks = flags.has('w')
      ? line.replace(/\s+/g, '')
      : flags.has('b')
        ? line.replace(/\s+/g, ' ').trimEnd()
        : line;
    return flags.has('i') ? blanks.toLowerCase() : blanks;
  };
  return lines.map((line, i) => keyOf(line) + (isWhole || i < lines.length - 1 ? '' : '\0'));
}

function timeText({ modifiedAt }: Side): string {
  return `${formatDateTime(modifiedAt)}.000000000 +0000`;
}

function shown(mark: string, side: Side, at: number): string {
  const isOpen = !side.isWhole && at === side.lines.length - 1;
  return `${mark}${side.lines[at]}\n${isOpen ? '\\ No newline at end of file\n' : ''}`;
}

/** `2c2`, `3a4,5`, `1d0`, and the lines. */
function normal({ start, end, newStart, newEnd }: Change, before: Side, after: Side): string {
  const span = (from: number, to: number): string =>
    to === from ? String(from) : to === from + 1 ? String(to) : `${from + 1},${to}`;
  const letter = start === end ? 'a' : newStart === newEnd ? 'd' : 'c';
  let text = `${span(start, end)}${letter}${span(newStart, newEnd)}\n`;
  for (let i = start; i < end; i++) text += shown('< ', before, i);
  if (letter === 'c') text += '---\n';
  for (let i = newStart; i < newEnd; i++) text += shown('> ', after, i);
  return text;
}

/** `@@ -1,4 +1,5 @@`, and the lines with what stands around them. */
function unified({ start, end, newStart, newEnd, changes }: Hunk, before: Side, after: Side): string {
  const span = (from: number, to: number): string =>
    to - from === 1 ? String(to) : `${to === from ? from : from + 1},${to - from}`;
  let text = `@@ -${span(start, end)} +${span(newStart, newEnd)} @@\n`;
  let at = start;
  for (const change of changes) {
    for (; at < change.start; at++) text += shown(' ', before, at);
    for (; at < change.end; at++) text += shown('-', before, at);
    for (let i = change.newStart; i < change.newEnd; i++) text += shown('+', after, i);
  }
  for (; at < end; at++) text += shown(' ', before, at);
  return text;
}
