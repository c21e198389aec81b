import type { Program } from '@quorate/kernel';

/** Numbers that it prints at most: nobody could read more. */
const COUNT_MAX = 1_000_000;

/** `seq [-w] [-s SEPARATOR] [FIRST [STEP]] LAST`. */
export const seq: Program = function* (argv, os) {
  const words = argv.slice(1);
  let separator = '\n';
  let isPadded = false;
  while (/^-[ws]/.test(words[0] ?? '')) {
    const word = words.shift()!;
    if (word === '-w') isPadded = true;
    else separator = word.length > 2 ? word.slice(2) : (words.shift() ?? '');
  }
  const wrong = words.find((word) => !/^[-+]?\d+(\.\d+)?$/.test(word));
  if (words.length === 0 || words.length > 3 || wrong !== undefined) {
    const extra = words[3] === undefined ? 'missing operand' : `extra operand \`${words[3]}'`;
    const reason = wrong === undefined ? extra : `invalid floating point argument: ${wrong}`;
    os.printError(`seq: ${reason}\nTry \`seq --help' for more information.\n`);
    return 1;
  }
  const [first = '1', step = '1', last = ''] =
    words.length === 3 ? words : words.length === 2 ? [words[0]!, '1', words[1]!] : ['1', '1', words[0]!];
  const digits = Math.max(...[first, step].map((word) => (word.split('.')[1] ?? '').length));
  const count = Math.floor((Number(last) - Number(first)) / Number(step) + 1e-9) + 1;
  if (Number(step) === 0 || !(count > 0)) return 0;
  const numbers = Array.from({ length: Math.min(count, COUNT_MAX) }, (_, i) =>
    (Number(first) + i * Number(step)).toFixed(digits),
  );
  const width = isPadded ? Math.max(...numbers.map(({ length }) => length)) : 0;
  os.print(`${numbers.map((number) => padded(number, width)).join(separator)}\n`);
  return 0;
};

function padded(number: string, width: number): string {
  return number.startsWith('-') ? `-${number.slice(1).padStart(width - 1, '0')}` : number.padStart(width, '0');
}
