/** What getopt(3) makes of the next word of a command line. */
export type CommandWord =
  | { readonly kind: 'option'; readonly letter: string; readonly value: string | undefined }
  | { readonly kind: 'operand'; readonly word: string }
  /** `invalid option -- 'x'`, or that an option has no argument. */
  | { readonly kind: 'error'; readonly text: string };

/**
 * Reads a command line as getopt(3) does with that option string (`ac:d::`): options may be joined (`-qc3`) or apart
 * (`-c 3`), an optional value (`d::`) can only be joined, and after `--` there are operands only.
 *
 * As with glibc, operands may stand among the options.
 */
export function* getopt(args: readonly string[], optstring: string): Generator<CommandWord> {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      for (const word of args.slice(i + 1)) yield { kind: 'operand', word };
      return;
    }
    if (!arg.startsWith('-') || arg === '-') {
      yield { kind: 'operand', word: arg };
      continue;
    }
    for (let k = 1; k < arg.length; k++) {
      const letter = arg[k]!;
      const rest = arg.slice(k + 1);
      const takes = needOf(optstring, letter);
      if (takes === undefined) yield { kind: 'error', text: `invalid option -- '${letter}'` };
      else if (takes === 'none') yield { kind: 'option', letter, value: undefined };
      if (takes !== 'optional' && takes !== 'required') continue;
      const value = rest !== '' || takes === 'optional' ? rest : args[++i];
      if (value === undefined) yield { kind: 'error', text: `option requires an argument -- '${letter}'` };
      else yield { kind: 'option', letter, value: value === '' && takes === 'optional' ? undefined : value };
      break;
    }
  }
}

function needOf(optstring: string, letter: string): 'none' | 'required' | 'optional' | undefined {
  const at = letter === ':' ? -1 : optstring.indexOf(letter);
  if (at < 0) return undefined;
  if (optstring[at + 1] !== ':') return 'none';
  return optstring[at + 2] === ':' ? 'optional' : 'required';
}

/** Short options of a command line, as `getopt` reads them. */
export interface ShortOptions {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
  /** The first mistake: `invalid option -- 'x'`; undefined when there is none. */
  readonly error: string | undefined;
  /** The values of an option that may be given several times, in their order. */
  all(option: string): readonly string[];
  /** A numeric value, or `otherwise` when the option is absent or not a number. */
  number(option: string, otherwise: number): number;
}

/** Reads all options at once, for a program that does not care about their order. Of an option given twice the last counts. */
export function parseOptions(
  args: readonly string[],
  known: { readonly flags: string; readonly values: string },
): ShortOptions {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const given: { readonly letter: string; readonly value: string }[] = [];
  const operands: string[] = [];
  let error: string | undefined;
  for (const each of getopt(args, known.flags + [...known.values].map((letter) => `${letter}:`).join(''))) {
    if (each.kind === 'operand') operands.push(each.word);
    else if (each.kind === 'error') error ??= each.text;
    else if (each.value === undefined) flags.add(each.letter);
    else {
      values.set(each.letter, each.value);
      given.push({ letter: each.letter, value: each.value });
    }
  }
  return {
    flags,
    values,
    operands,
    error,
    all: (option) => given.filter(({ letter }) => letter === option).map(({ value }) => value),
    number: (option, otherwise) => {
      const value = values.get(option);
      const number = value === undefined ? Number.NaN : Number(value);
      return Number.isFinite(number) ? number : otherwise;
    },
  };
}

/** The word after an option, wherever it stands: for programs whose options are words. */
export function valueAfter(argv: readonly string[], option: string): string | undefined {
  const at = argv.indexOf(option);
  return at < 0 ? undefined : argv[at + 1];
}
