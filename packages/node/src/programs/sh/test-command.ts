import { type FileInfo, isErrno, type Os, type Task } from '@quorate/kernel';

const OF_NUMBERS = new Map<string, (a: bigint, b: bigint) => boolean>([
  ['-eq', (a, b) => a === b],
  ['-ne', (a, b) => a !== b],
  ['-lt', (a, b) => a < b],
  ['-le', (a, b) => a <= b],
  ['-gt', (a, b) => a > b],
  ['-ge', (a, b) => a >= b],
]);

const OF_FILES = new Map<string, (info: FileInfo, path: string) => boolean>([
  ['-a', () => true],
  ['-b', (_info, path) => isDevice(path)],
  ['-c', (_info, path) => !isDevice(path) && path.startsWith('/dev/')],
  ['-d', ({ type }) => type === 'directory'],
  ['-e', () => true],
  ['-f', ({ type }, path) => type === 'file' && !path.startsWith('/dev/')],
  ['-h', ({ type }) => type === 'symlink'],
  ['-L', ({ type }) => type === 'symlink'],
  ['-p', () => false],
  ['-r', () => true],
  ['-s', ({ size }) => size > 0],
  ['-S', () => false],
  ['-w', () => true],
  ['-x', ({ mode }) => (mode & 0o111) !== 0],
]);

/** Disks and volumes; the rest of /dev are devices of characters. */
function isDevice(path: string): boolean {
  return /^\/dev\/(sd|dm-|block\/|mapper\/(?!control)|disk\/)/.test(path);
}

/** How two whole numbers are compared; undefined for another operator. */
export function comparesNumbers(operator: string): ((a: bigint, b: bigint) => boolean) | undefined {
  return OF_NUMBERS.get(operator);
}

/** The answer to a question about a file; undefined for another operator. */
export function* isOfFile(os: Os, operator: string, path: string): Task<boolean | undefined> {
  const question = OF_FILES.get(operator);
  if (question === undefined) return undefined;
  const info = yield* os.stat(path, operator !== '-h' && operator !== '-L');
  return !isErrno(info) && question(info, path);
}

/** `-nt`, `-ot` and `-ef`: newer, older, the same. A file is newer than none. */
export function* comparesFiles(os: Os, operator: string, first: string, second: string): Task<boolean> {
  const [a, b] = [yield* os.stat(first), yield* os.stat(second)];
  if (operator === '-ef') return !isErrno(a) && !isErrno(b) && first === second;
  const [older, newer] = operator === '-nt' ? [b, a] : [a, b];
  return !isErrno(newer) && (isErrno(older) || newer.modifiedAt > older.modifiedAt);
}

/** Whether the condition of test(1) holds: of strings, whole numbers and files, with `!`, `-a`, `-o` and parentheses. Else bash's complaint. */
export function* holds(os: Os, words: readonly string[]): Task<boolean | string> {
  const [first = '', second = '', third = ''] = words;
  switch (words.length) {
    case 0:
    case 1:
      return first !== '';
    case 2:
      return first === '!' ? second === '' : yield* unary(os, first, second);
    case 3: {
      const answer = yield* binary(os, first, second, third);
      if (answer !== undefined) return answer;
      if (second === '-a') return first !== '' && third !== '';
      if (second === '-o') return first !== '' || third !== '';
      if (first === '!') return negated(yield* holds(os, words.slice(1)));
      return first === '(' && third === ')' ? second !== '' : `${second}: binary operator expected`;
    }
    default:
      return yield* compound(os, words);
  }
}

function* compound(os: Os, words: readonly string[]): Task<boolean | string> {
  for (const joint of ['-o', '-a']) {
    const at = jointOf(words, joint);
    if (at < 0) continue;
    const left = yield* holds(os, words.slice(0, at));
    if (typeof left === 'string' || left === (joint === '-o')) return left;
    return yield* holds(os, words.slice(at + 1));
  }
  if (words[0] === '!') return negated(yield* holds(os, words.slice(1)));
  if (words[0] === '(' && words.at(-1) === ')') return yield* holds(os, words.slice(1, -1));
  return 'too many arguments';
}

/** Place of a joint that stands between two conditions, and not in parentheses; -1 when there is none. */
function jointOf(words: readonly string[], joint: string): number {
  let depth = 0;
  for (let i = 1; i < words.length - 1; i++) {
    if (words[i - 1] === '(') depth += 1;
    if (words[i] === ')') depth -= 1;
    if (words[i] === joint && depth === 0) return i;
  }
  return -1;
}

function negated(answer: boolean | string): boolean | string {
  return typeof answer === 'string' ? answer : !answer;
}

function* unary(os: Os, operator: string, operand: string): Task<boolean | string> {
  if (operator === '-z') return operand === '';
  if (operator === '-n') return operand !== '';
  if (operator === '-t') return true;
  return (yield* isOfFile(os, operator, operand)) ?? `${operator}: unary operator expected`;
}

/** Undefined when the middle word is no operator. */
function* binary(os: Os, first: string, operator: string, second: string): Task<boolean | string | undefined> {
  switch (operator) {
    case '=':
    case '==':
      return first === second;
    case '!=':
      return first !== second;
    case '<':
      return first < second;
    case '>':
      return first > second;
    case '-nt':
    case '-ot':
    case '-ef':
      return yield* comparesFiles(os, operator, first, second);
  }
  const compare = OF_NUMBERS.get(operator);
  if (compare === undefined) return undefined;
  const wrong = [first, second].find((word) => !/^\s*[-+]?\d+\s*$/.test(word));
  if (wrong !== undefined) return `${wrong}: integer expression expected`;
  return compare(BigInt(first.trim().replace(/^\+/, '')), BigInt(second.trim().replace(/^\+/, '')));
}
