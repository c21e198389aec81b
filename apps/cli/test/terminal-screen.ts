const ESCAPE = '\u001b';

/** What a terminal of so many columns and rows shows after the given text: the few escapes that our views write. */
export class TerminalScreen {
  readonly #columns: number;
  readonly #rows: number;
  #lines: string[] = [''];
  #row = 0;
  #column = 0;
  isCursorShown = true;
  /** Lines that left it at the top. */
  scrolled = 0;

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** Without blanks at the ends of lines, and without empty lines at the end. */
  get lines(): readonly string[] {
    const lines = this.#lines.map((line) => line.trimEnd());
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  write(text: string): void {
    const pattern = new RegExp(`${ESCAPE}\\[([?0-9;]*)([A-Za-z])|([^])`, 'gu');
    for (const [, argument = '', command, character] of text.matchAll(pattern)) {
      if (command !== undefined) this.#control(command, argument);
      else if (character === '\n') this.#newLine();
      else this.#put(character!);
    }
  }

  #put(character: string): void {
    if (this.#column >= this.#columns) this.#newLine();
    const line = (this.#lines[this.#row] ?? '').padEnd(this.#column);
    this.#lines[this.#row] = line.slice(0, this.#column) + character + line.slice(this.#column + 1);
    this.#column += 1;
  }

  #newLine(): void {
    this.#column = 0;
    this.#row += 1;
    if (this.#row >= this.#rows) {
      this.#lines.shift();
      this.scrolled += 1;
      this.#row -= 1;
    }
    this.#lines[this.#row] ??= '';
  }

  #control(command: string, argument: string): void {
    const count = Number(argument || 1);
    switch (command) {
      case 'A':
        this.#row = Math.max(0, this.#row - count);
        break;
      case 'B':
        this.#row = Math.min(this.#rows - 1, this.#row + count);
        break;
      case 'G':
        this.#column = count - 1;
        break;
      case 'K':
        this.#lines[this.#row] = argument === '2' ? '' : (this.#lines[this.#row] ?? '').slice(0, this.#column);
        break;
      case 'h':
      case 'l':
        if (argument === '?25') this.isCursorShown = command === 'h';
        break;
      case 'm':
        break;
      default:
        throw new Error(`the screen does not know ${argument}${command}`);
    }
  }
}
