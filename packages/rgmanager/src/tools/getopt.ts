export interface Option {
  /** `?`: not one of the options, or its value is missing. */
  readonly letter: string;
  /** Its value; of `?` what is wrong: `invalid option -- 'x'`. */
  readonly value: string;
}

/**
 * Options of a command line in the order in which they are given, in any place, joined or apart. Operands are skipped:
 * clustat and clusvcadm have none.
 *
 * @param letters as getopt's optstring: those with a value are followed by a colon
 */
export function* getopt(args: readonly string[], letters: string): Generator<Option, void> {
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined && word !== '--'; word = rest.shift()) {
    if (!word.startsWith('-')) continue;
    for (let i = 1; i < word.length; i++) {
      const letter = word[i]!;
      const at = letter === ':' ? -1 : letters.indexOf(letter);
      if (at < 0) {
        yield { letter: '?', value: `invalid option -- '${letter}'` };
      } else if (letters[at + 1] !== ':') {
        yield { letter, value: '' };
      } else {
        const value = word.slice(i + 1) || rest.shift();
        if (value === undefined) yield { letter: '?', value: `option requires an argument -- '${letter}'` };
        else yield { letter, value };
        break;
      }
    }
  }
}
