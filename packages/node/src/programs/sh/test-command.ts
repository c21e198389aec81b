import { type FileInfo, isErrno, type Os, type Task } from '@quorate/kernel';

const OF_NUMBERS = new Map<string, (a: number, b: number) => boolean>([
  ['-eq', (a, b) => a === b],
  ['-ne', (a, b) => a !== b],
  ['-lt', (a, b) => a < b],
  ['-le', (a, b) => a <= b],
  ['-gt', (a, b) => a > b],
  ['-ge', (a, b) => a >= b],
]);

const OF_FILES = new Map<string, (info: FileInfo) => boolean>([
  ['-e', () => true],
  ['-f', ({ type }) => type === 'file'],
  ['-d', ({ type }) => type === 'directory'],
  ['-s', ({ size }) => size > 0],
  ['-r', () => true],
  ['-w', () => true],
  ['-x', ({ mode }) => (mode & 0o111) !== 0],
]);

/** Whether the condition of test(1) holds: of strings, whole numbers and files, with `!`, `-a` and `-o`. Else bash's complaint. */
export function* holds(os: Os, words: readonly string[]): Task<boolean | string> {
  const [first = '', second = '', third = ''] = words;
  if (words.length <= 1) return first !== '';
  if (words.length === 3 && (second === '=' || second === '==')) return first === third;
  if (words.length === 3 && second === '!=') return first !== third;
  const compare = OF_NUMBERS.get(second);
  if (words.length === 3 && compare !== undefined) {
    const wrong = [first, third].find((word) => !/^\s*-?\d+\s*$/.test(word));
    return wrong === undefined ? compare(Number(first), Number(third)) : `${wrong}: integer expression expected`;
  }
  for (const joint of ['-o', '-a']) {
    const at = words.indexOf(joint, 1);
    if (at < 0) continue;
    const left = yield* holds(os, words.slice(0, at));
    if (typeof left === 'string' || left === (joint === '-o')) return left;
    return yield* holds(os, words.slice(at + 1));
  }
  if (first === '!') {
    const inner = yield* holds(os, words.slice(1));
    return typeof inner === 'string' ? inner : !inner;
  }
  if (words.length === 2) {
    if (first === '-z') return second === '';
    if (first === '-n') return second !== '';
    const question = OF_FILES.get(first);
    if (question === undefined) return `${first}: unary operator expected`;
    const info = yield* os.stat(second);
    return !isErrno(info) && question(info);
  }
  return words.length === 3 ? `${second}: binary operator expected` : 'too many arguments';
}
