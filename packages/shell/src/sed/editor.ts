import { isErrno, type Os, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import type { Address, Command, Substitution } from './script.js';
import { substituted } from './substitute.js';

/** Commands that a cycle may take: a script that goes round in a circle would never end. */
const STEPS_MAX = 100_000;

/** A text, line by line. */
export interface Lines {
  readonly lines: readonly string[];
  /** The last of them has a line end. */
  readonly isWhole: boolean;
}

/** The lines of a text; of several the last counts. */
export function linesIn(texts: readonly string[]): Lines {
  const lines = texts.flatMap((text) => (text === '' ? [] : text.replace(/\n$/, '').split('\n')));
  return { lines, isWhole: texts.at(-1)?.endsWith('\n') ?? true };
}

/** How a script ended. */
export interface Edited {
  readonly text: string;
  /** With `q` or `Q`; what comes behind is not read. */
  readonly status: number | undefined;
}

/** Does what a script says to each line, as sed's cycles do. */
export class Editor {
  readonly #os: Os;
  readonly #commands: readonly Command[];
  readonly #isQuiet: boolean;
  readonly #input: Lines;
  /** Lines that ranges go on to, by their command; -1 for those that look for their end. */
  readonly #ranges = new Map<Command, number>();
  readonly #written = new Map<string, string>();
  #output = '';
  #line = 0;
  #pattern = '';
  #hold = '';
  #appended: string[] = [];
  #hasReplaced = false;
  #last: RegExp | undefined;
  #status: number | undefined;

  constructor(os: Os, commands: readonly Command[], isQuiet: boolean, input: Lines) {
    this.#os = os;
    this.#commands = commands;
    this.#isQuiet = isQuiet;
    this.#input = input;
  }

  *edit(): Task<Edited> {
    for (let isKept = false; isKept || this.#line < this.#input.lines.length; ) {
      if (!isKept) this.#read();
      const end = yield* this.#cycle();
      if (end !== 'deleted' && end !== 'restarted' && end !== 'left' && !this.#isQuiet) this.#print(this.#pattern);
      yield* this.#append();
      if (this.#status !== undefined) break;
      isKept = end === 'restarted';
    }
    for (const [path, text] of this.#written) yield* this.#os.writeFile(path, utf8Bytes(text));
    const isCut = !this.#input.isWhole && this.#status === undefined && this.#output.endsWith('\n');
    return { text: isCut ? this.#output.slice(0, -1) : this.#output, status: this.#status };
  }

  #read(): void {
    this.#pattern = this.#input.lines[this.#line]!;
    this.#line += 1;
  }

  get #isLast(): boolean {
    return this.#line === this.#input.lines.length;
  }

  #print(text: string): void {
    this.#output += `${text}\n`;
  }

  *#append(): Task {
    for (const text of this.#appended.splice(0)) this.#output += text;
  }

  /** Runs the commands on a line: how it ended. */
  *#cycle(): Task<'whole' | 'deleted' | 'restarted' | 'left'> {
    this.#hasReplaced = false;
    let steps = 0;
    for (let at = 0; at < this.#commands.length && steps < STEPS_MAX; steps++) {
      const command = this.#commands[at]!;
      at += 1;
      const { action } = command;
      const isMeant = this.#isSelected(command) !== command.isNegated;
      if (action.name === '{' && !isMeant) at = action.end;
      if (!isMeant) continue;
      switch (action.name) {
        case '=':
          this.#print(String(this.#line));
          break;
        case 'a':
          this.#appended.push(action.text);
          break;
        case 'i':
          this.#output += action.text;
          break;
        case 'c':
          // Of a range the text comes in place of the last.
          if (command.end === undefined || command.isNegated || !this.#ranges.has(command)) this.#output += action.text;
          return 'deleted';
        case 'd':
          return 'deleted';
        case 'D': {
          const end = this.#pattern.indexOf('\n');
          if (end < 0) return 'deleted';
          this.#pattern = this.#pattern.slice(end + 1);
          return 'restarted';
        }
        case 'g':
          this.#pattern = this.#hold;
          break;
        case 'G':
          this.#pattern += `\n${this.#hold}`;
          break;
        case 'h':
          this.#hold = this.#pattern;
          break;
        case 'H':
          this.#hold += `\n${this.#pattern}`;
          break;
        case 'l':
          this.#print(`${this.#pattern.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}$`);
          break;
        case 'n':
          if (this.#isLast) return 'whole';
          if (!this.#isQuiet) this.#print(this.#pattern);
          yield* this.#append();
          this.#read();
          break;
        case 'N': {
          if (this.#isLast) return 'whole';
          const before = this.#pattern;
          yield* this.#append();
          this.#read();
          this.#pattern = `${before}\n${this.#pattern}`;
          break;
        }
        case 'p':
          this.#print(this.#pattern);
          break;
        case 'P':
          this.#print(this.#pattern.split('\n')[0]!);
          break;
        case 'q':
        case 'Q':
          this.#status = action.status;
          return action.name === 'q' ? 'whole' : 'left';
        case 'r': {
          const bytes = yield* this.#os.readFile(action.path);
          if (!isErrno(bytes)) this.#appended.push(utf8Text(bytes));
          break;
        }
        case 'w':
          this.#written.set(action.path, `${this.#written.get(action.path) ?? ''}${this.#pattern}\n`);
          break;
        case 's':
          this.#substitute(action.substitution);
          break;
        case 'b':
          at = action.target;
          break;
        case 't':
        case 'T':
          if (this.#hasReplaced === (action.name === 't')) at = action.target;
          this.#hasReplaced = false;
          break;
        case 'x':
          [this.#pattern, this.#hold] = [this.#hold, this.#pattern];
          break;
        case 'y':
          this.#pattern = [...this.#pattern].map((each) => action.to[action.from.indexOf(each)] ?? each).join('');
          break;
        case '{':
        case '}':
        case ':':
          break;
      }
    }
    return 'whole';
  }

  #substitute({ expression, replacement, isGlobal, occurrence, isPrinted }: Substitution): void {
    const wanted = this.#used(expression);
    const replaced = substituted(this.#pattern, wanted, replacement, isGlobal, occurrence);
    if (replaced === undefined) return;
    this.#pattern = replaced;
    this.#hasReplaced = true;
    if (isPrinted) this.#print(replaced);
  }

  #used(expression: RegExp | undefined): RegExp {
    this.#last = expression ?? this.#last;
    return this.#last ?? /(?!)/g;
  }

  #isSelected(command: Command): boolean {
    const { first, end } = command;
    if (first === undefined) return true;
    if (end === undefined) return this.#isAt(first);
    const open = this.#ranges.get(command);
    if (open === undefined) {
      // `0,/RE/`: the end is looked for in the first line too.
      const isFromZero = first.kind === 'line' && first.number === 0;
      if (isFromZero && this.#line === 1) {
        if (!this.#isAt(end as Address)) this.#ranges.set(command, -1);
        return true;
      }
      if (!this.#isAt(first)) return false;
      this.#open(command);
      return true;
    }
    const isOver = open >= 0 ? this.#line >= open : this.#isAt(end as Address);
    if (isOver) this.#ranges.delete(command);
    // A line number that is past already ends it before this line.
    return open < 0 || this.#line <= open;
  }

  #open(command: Command): void {
    const { end } = command;
    const last =
      end?.kind === 'count'
        ? this.#line + end.lines
        : end?.kind === 'multiple'
          ? Math.ceil(this.#line / Math.max(1, end.of)) * end.of
          : end?.kind === 'line'
            ? end.number
            : -1;
    if (last < 0 ? !(end?.kind === 'last' && this.#isLast) : last > this.#line) this.#ranges.set(command, last);
  }

  #isAt(address: Address): boolean {
    switch (address.kind) {
      case 'line':
        return this.#line === address.number;
      case 'last':
        return this.#isLast;
      case 'step':
        return address.step === 0
          ? this.#line === address.first
          : this.#line >= address.first && (this.#line - address.first) % address.step === 0;
      case 'match': {
        const expression = this.#used(address.expression);
        expression.lastIndex = 0;
        return expression.test(this.#pattern);
      }
    }
  }
}
