import type { Character } from './pattern.js';

/** The words that come of one word: characters are added to the last, until it ends. */
export class Fields {
  readonly #done: Character[][] = [];
  readonly #separators: string;
  #field: Character[] | undefined;

  /** @param separators - `$IFS`: where unquoted values are cut. */
  constructor(separators: string) {
    this.#separators = separators;
  }

  /** Also an empty text makes it a word. */
  add(text: string, isQuoted: boolean): void {
    this.#field ??= [];
    for (const character of text) this.#field.push({ text: character, isQuoted });
  }

  end(): void {
    if (this.#field !== undefined) this.#done.push(this.#field);
    this.#field = undefined;
  }

  /** A value that is cut: blanks among the separators together are one, any other is one by itself. */
  addSplit(value: string): void {
    const blanks = classOf([...this.#separators].filter((each) => /\s/.test(each)));
    const others = classOf([...this.#separators].filter((each) => /\S/.test(each)));
    const separator = new RegExp(`${blanks}*(${others})${blanks}*|${blanks}+`, 'g');
    let start = 0;
    for (const found of value.matchAll(separator)) {
      const piece = value.slice(start, found.index);
      if (piece !== '' || found[1] !== undefined) this.add(piece, false);
      this.end();
      start = found.index + found[0].length;
    }
    if (start < value.length) this.add(value.slice(start), false);
  }

  /** `"$@"`: each value is a word, joined to what stands before the first and behind the last. */
  addEach(values: readonly string[], add: (value: string) => void): void {
    values.forEach((value, i) => {
      if (i > 0) this.end();
      add(value);
    });
  }

  all(): readonly (readonly Character[])[] {
    this.end();
    return this.#done;
  }
}

/** One of these characters; what never fits when there are none. */
function classOf(characters: readonly string[]): string {
  return characters.length === 0 ? '(?!)' : `[${characters.map((each) => each.replace(/[\\\]^-]/g, '\\$&')).join('')}]`;
}
