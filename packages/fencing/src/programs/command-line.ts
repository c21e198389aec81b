/** A command line taken apart as `getopt` does it: options in any place, joined or apart. */
export interface CommandLine {
  /** How often each flag was given. */
  readonly flags: ReadonlyMap<string, number>;
  readonly values: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
  /** What getopt complains about, without the program's name: `invalid option -- 'x'`. Nothing after it is read. */
  readonly complaint: string | undefined;
}

/**
 * @param optstring as getopt's: letters, those with a value followed by a colon.
 * @param last letters after which the program ends, as after a complaint: nothing that follows is read.
 */
export function parseCommandLine(args: readonly string[], optstring: string, last = ''): CommandLine {
  const flags = new Map<string, number>();
  const values = new Map<string, string>();
  const operands: string[] = [];
  const rest = [...args];
  const found = (complaint?: string): CommandLine => ({ flags, values, operands, complaint });
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
      if (at < 0) return found(`invalid option -- '${letter}'`);
      if (optstring[at + 1] === ':') {
        const value = word.slice(i + 1) || rest.shift();
        if (value === undefined) return found(`option requires an argument -- '${letter}'`);
        values.set(letter, value);
        break;
      }
      flags.set(letter, (flags.get(letter) ?? 0) + 1);
      if (last.includes(letter)) return found();
    }
  }
  return found();
}
