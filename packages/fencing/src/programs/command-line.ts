/** A command line taken apart as `getopt` does it: options in any place, joined or apart. */
export interface CommandLine {
  /** How often each flag was given. */
  readonly flags: ReadonlyMap<string, number>;
  readonly values: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
  /** What getopt complains about first, without the program's name: `invalid option -- 'x'`. */
  readonly complaint: string | undefined;
}

/** @param optstring as getopt's: letters, those with a value followed by a colon. */
export function parseCommandLine(args: readonly string[], optstring: string): CommandLine {
  const flags = new Map<string, number>();
  const values = new Map<string, string>();
  const operands: string[] = [];
  const rest = [...args];
  let complaint: string | undefined;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!word.startsWith('-') || word === '-') {
      operands.push(word);
      continue;
    }
    if (word === '--') {
      operands.push(...rest);
      break;
    }
    for (let i = 1; i < word.length; i++) {
      const letter = word[i]!;
      const at = letter === ':' ? -1 : optstring.indexOf(letter);
      if (at < 0) complaint ??= `invalid option -- '${letter}'`;
      else if (optstring[at + 1] === ':') {
        const value = word.slice(i + 1) || rest.shift();
        if (value === undefined) complaint ??= `option requires an argument -- '${letter}'`;
        else values.set(letter, value);
        break;
      } else flags.set(letter, (flags.get(letter) ?? 0) + 1);
    }
  }
  return { flags, values, operands, complaint };
}
