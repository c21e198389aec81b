import type { TextPlace } from '@quorate/kernel';

/** An attribute of a start tag that is known to be well-formed, with the blanks before it. */
const ATTRIBUTE = /[\t\n\r ]+([^\t\n\r =]+)[\t\n\r ]*=[\t\n\r ]*(?:"[^"]*"|'[^']*')/y;

/** The text of a file, asked where in it something stands. Offsets are JavaScript's, in UTF-16 code units from 0. */
export class SourceText {
  readonly #text: string;
  readonly #file: string;
  /** Offset of each line's first character, ascending. */
  readonly #lines: readonly number[];

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
    this.#lines = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map((end) => end.index + end[0].length)];
  }

  /** From 1. */
  lineNumberAt(offset: number): number {
    let [low, high] = [0, this.#lines.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#lines[middle]! > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** A column counts characters: one outside the basic plane is one. */
  placeAt(offset: number): TextPlace {
    const line = this.lineNumberAt(offset);
    const column = [...this.#text.slice(this.#lines[line - 1], offset)].length + 1;
    return { file: this.#file, line, column };
  }

  /** The whole line, its end included. */
  lineAt(offset: number): string {
    const line = this.lineNumberAt(offset);
    return this.#text.slice(this.#lines[line - 1], this.#lines[line]);
  }

  /** Offset of the `<` of a start tag, of which at least the name ends before `offset`. */
  startOfTag(name: string, offset: number): number {
    return this.#text.lastIndexOf(`<${name}`, offset);
  }

  /** Offset of the `</` of an end tag that ends at `offset`. */
  startOfEndTag(name: string, offset: number): number {
    return this.#text.lastIndexOf(`</${name}`, offset);
  }

  /** Offset of an attribute's name in the start tag that begins at `tag`; `tag` when it has no such attribute. */
  startOfAttribute(tag: number, name: string): number {
    ATTRIBUTE.lastIndex = tag + /^<[^\t\n\r />]*/.exec(this.#text.slice(tag))![0].length;
    for (let found = ATTRIBUTE.exec(this.#text); found !== null; found = ATTRIBUTE.exec(this.#text)) {
      if (found[1] === name) return found.index + found[0].search(/[^\t\n\r ]/);
    }
    return tag;
  }
}
