/** What of a line that refers to others bash says when there is none. */
export class EventNotFound extends Error {
  /** `reference`: `!9`. */
  constructor(reference: string) {
    super(`-bash: ${reference}: event not found`);
    this.name = 'EventNotFound';
  }
}

/** The lines that were typed at one prompt: numbered from 1, walked through with the arrow keys, and referred to with `!`. */
export class History {
  readonly #most: number;
  readonly #lines: string[] = [];
  /** Number of the oldest line that is kept. */
  #first = 1;
  /** Where the arrow keys have led to; `#lines.length` is the line that is being typed. */
  #at = 0;
  #draft = '';

  /** `most`: lines that are kept; HISTSIZE of RHEL 6 is 1000. */
  constructor(most = 1000) {
    this.#most = most;
  }

  /** Keeps a line, unless there is nothing in it; the arrow keys begin behind it. */
  add(line: string): void {
    if (line.trim() !== '') this.#lines.push(line);
    while (this.#lines.length > this.#most) {
      this.#lines.shift();
      this.#first += 1;
    }
    this.#at = this.#lines.length;
  }

  /** Arrow up, where `current` is in the line: the line before; undefined when there is none. */
  previous(current: string): string | undefined {
    if (this.#at === 0) return undefined;
    if (this.#at === this.#lines.length) this.#draft = current;
    this.#at -= 1;
    return this.#lines[this.#at];
  }

  /** Arrow down: the line after, at last the one that was being typed; undefined behind that. */
  next(): string | undefined {
    if (this.#at === this.#lines.length) return undefined;
    this.#at += 1;
    return this.#lines[this.#at] ?? this.#draft;
  }

  /**
   * A line with `!!`, `!5`, `!-2` and `!ssh` replaced by the lines that they mean. Within single quotes, and before a space, `=` or
   * the end, `!` is itself.
   *
   * @throws {EventNotFound} when there is no such line.
   */
  expand(line: string): string {
    return line.replace(/'[^']*'|\\.|!(!|-?\d+|[^\s=!'"();&|<>]+)/g, (text, reference: string | undefined) => {
      if (reference === undefined) return text;
      const found = this.#refer(reference);
      if (found === undefined) throw new EventNotFound(text);
      return found;
    });
  }

  #refer(reference: string): string | undefined {
    if (reference === '!') return this.#lines.at(-1);
    const number = Number(reference);
    if (Number.isNaN(number)) return [...this.#lines].reverse().find((line) => line.startsWith(reference));
    if (number === 0) return undefined;
    return number < 0 ? this.#lines.at(number) : this.#lines[number - this.#first];
  }

  /** What `history [N]` prints: all lines, or the last N. */
  text(last: number = this.#lines.length): string {
    const skipped = Math.max(0, this.#lines.length - last);
    const numbered = this.#lines.map((line, i) => `${String(this.#first + i).padStart(5)}  ${line}\n`);
    return numbered.slice(skipped).join('');
  }
}
