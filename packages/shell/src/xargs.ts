import type { Os, Program, Task } from '@quorate/kernel';

interface Settings {
  /** Words for one command at most. */
  readonly most: number;
  /** Lines for one command at most. */
  readonly lines: number;
  /** Stands for a line in the command. */
  readonly mark: string | undefined;
  /** Ends a word, in place of blanks. */
  readonly end: string | undefined;
  readonly isTold: boolean;
  /** No command when nothing comes in. */
  readonly isIdleWithout: boolean;
  readonly command: readonly string[];
}

/** `xargs [-0rt] [-n WORDS] [-L LINES] [-I MARK] [-d CHARACTER] [-P N] [COMMAND…]`, one command after the other. */
export const xargs: Program = function* (argv, os) {
  const settings = settingsOf(argv.slice(1));
  if (typeof settings === 'string') {
    os.printError(`xargs: ${settings}\n`);
    return 1;
  }
  const groups = groupsOf(os.input, settings);
  if (groups === undefined) {
    os.printError(
      'xargs: unmatched single quote; by default quotes are special to xargs unless you use the -0 option\n',
    );
    return 1;
  }
  if (groups.length === 0 && !settings.isIdleWithout && settings.mark === undefined) groups.push([]);
  let status = 0;
  for (const group of groups) {
    const { mark, command } = settings;
    const line = group.join(' ');
    const words = mark === undefined ? [...command, ...group] : command.map((word) => word.replaceAll(mark, line));
    const ended = yield* runOne(os, words, settings.isTold);
    if (ended === 127 || ended === 124) return ended;
    if (ended !== 0) status = 123;
  }
  return status;
};

function* runOne(os: Os, words: readonly string[], isTold: boolean): Task<number> {
  if (isTold) os.printError(`${words.join(' ')}\n`);
  const { status, output, errors } = yield* os.run(words, { environment: os.environment });
  os.print(output);
  os.printError(status === 127 ? `xargs: ${words[0]}: No such file or directory\n` : errors);
  if (status !== 255) return status;
  os.printError(`xargs: ${words[0]}: exited with status 255; aborting\n`);
  return 124;
}

function settingsOf(given: readonly string[]): Settings | string {
  const words = [...given];
  const values = new Map<string, string>();
  const flags = new Set<string>();
  while (/^-./.test(words[0] ?? '')) {
    const word = words.shift()!;
    const letter = word[1]!;
    if ('nLIdPEs'.includes(letter)) {
      const value = word.length > 2 ? word.slice(2) : words.shift();
      if (value === undefined) return `option requires an argument -- '${letter}'`;
      values.set(letter, value);
    } else if (/^-[0rtpx]+$/.test(word)) for (const each of word.slice(1)) flags.add(each);
    else if (word === '--no-run-if-empty') flags.add('r');
    else if (word === '--null') flags.add('0');
    else return `invalid option -- '${letter}'`;
  }
  const wrong = ['n', 'L'].find((letter) => values.has(letter) && !/^[1-9]\d*$/.test(values.get(letter)!));
  if (wrong !== undefined) return `invalid number for -${wrong} option`;
  const [delimiter] = flags.has('0') ? ['\0'] : [values.get('d')?.replace('\\n', '\n').replace('\\t', '\t')];
  return {
    most: Number(values.get('n') ?? Infinity),
    lines: values.has('I') ? 1 : Number(values.get('L') ?? Infinity),
    mark: values.get('I'),
    end: delimiter,
    isTold: flags.has('t'),
    isIdleWithout: flags.has('r'),
    command: words.length === 0 ? ['echo'] : words,
  };
}

/** Words of each command; undefined when a quote is open. */
function groupsOf(input: string, { most, lines, mark, end }: Settings): string[][] | undefined {
  const rows = end === undefined ? input.split('\n').filter((row) => row.trim() !== '') : [input];
  const split: string[][] = [];
  for (const row of rows) {
    const words = end !== undefined ? pieces(row, end) : mark !== undefined ? [row.trimStart()] : wordsOf(row);
    if (words === undefined) return undefined;
    split.push(words);
  }
  const perLines =
    lines === Infinity
      ? [split.flat()]
      : Array.from({ length: Math.ceil(split.length / lines) }, (_, i) =>
          split.slice(i * lines, (i + 1) * lines).flat(),
        );
  const size = mark !== undefined && end !== undefined ? 1 : most;
  return perLines.flatMap((words) => {
    const groups: string[][] = [];
    for (let at = 0; at < words.length; at += size) groups.push(words.slice(at, at + size));
    return groups;
  });
}

function pieces(text: string, end: string): string[] {
  const parts = text.split(end);
  return parts.at(-1) === '' ? parts.slice(0, -1) : parts;
}

function wordsOf(row: string): string[] | undefined {
  const words: string[] = [];
  const word = /\s*((?:'[^']*'|"[^"]*"|\\.|[^\s'"\\])+)/y;
  for (let at = 0; row.slice(at).trim() !== ''; at = word.lastIndex) {
    word.lastIndex = at;
    const found = word.exec(row);
    if (found === null) return undefined;
    words.push(
      found[1]!.replace(/'([^']*)'|"([^"]*)"|\\(.)/g, (_, single, double, escaped) => single ?? double ?? escaped),
    );
  }
  return words;
}
