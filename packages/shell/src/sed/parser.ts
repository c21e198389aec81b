import { posixRegExp } from '@quorate/node';
import {
  type Action,
  type Address,
  type Command,
  type RangeEnd,
  ScriptComplaint,
  type Substitution,
} from './script.js';

/** @throws ScriptComplaint */
export function parseScript(text: string, kind: 'basic' | 'extended'): readonly Command[] {
  return new Parser(text, kind).commands();
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class Parser {
  readonly #text: string;
  readonly #kind: 'basic' | 'extended';
  readonly #commands: Command[] = [];
  readonly #labels = new Map<string, number>();
  readonly #jumps: { readonly action: Mutable<Extract<Action, { name: 'b' | 't' | 'T' }>>; readonly label: string }[] =
    [];
  readonly #open: { readonly action: Mutable<Extract<Action, { name: '{' }>>; readonly at: number }[] = [];
  #at = 0;

  constructor(text: string, kind: 'basic' | 'extended') {
    this.#text = text;
    this.#kind = kind;
  }

  commands(): readonly Command[] {
    for (this.#skip(/[\s;]*/y); this.#at < this.#text.length; this.#skip(/[\s;]*/y)) this.#command();
    const [open] = this.#open;
    if (open !== undefined) throw new ScriptComplaint("-e expression #1, char 0: unmatched `{'");
    for (const { action, label } of this.#jumps) {
      const target = label === '' ? this.#commands.length : this.#labels.get(label);
      if (target === undefined) throw new ScriptComplaint(`can't find label for jump to \`${label}'`);
      action.target = target;
    }
    return this.#commands;
  }

  #complaint(what: string, at = this.#at): ScriptComplaint {
    return new ScriptComplaint(`-e expression #1, char ${at}: ${what}`);
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [text] = pattern.exec(this.#text) ?? [''];
    this.#at += text.length;
    return text;
  }

  #command(): void {
    const first = this.#address();
    let end: RangeEnd | undefined;
    this.#skip(/[ \t]*/y);
    if (first !== undefined && this.#text[this.#at] === ',') {
      this.#at += 1;
      this.#skip(/[ \t]*/y);
      end = this.#rangeEnd();
      if (end === undefined) throw this.#complaint("unexpected `,'", this.#at + 1);
    }
    const isNegated = this.#skip(/[ \t]*!?[ \t!]*/y).includes('!');
    if (first?.kind === 'line' && first.number === 0 && end?.kind !== 'match') {
      throw this.#complaint('invalid usage of line address 0', this.#at + 1);
    }
    if (this.#at >= this.#text.length) throw this.#complaint('missing command');
    const action = this.#action(first);
    this.#commands.push({ first, end, isNegated, action });
  }

  #address(): Address | undefined {
    const number = this.#skip(/\d+/y);
    if (number !== '') {
      const step = this.#skip(/~\d+/y);
      if (step === '') return { kind: 'line', number: Number(number) };
      return { kind: 'step', first: Number(number), step: Number(step.slice(1)) };
    }
    if (this.#skip(/\$/y) !== '') return { kind: 'last' };
    const isCustom = this.#text[this.#at] === '\\';
    if (this.#text[this.#at] !== '/' && !isCustom) return undefined;
    if (isCustom) this.#at += 1;
    const pattern = this.#delimited(this.#text[this.#at]!, true);
    if (pattern === undefined) throw this.#complaint('unterminated address regex', this.#text.length);
    const flags = this.#skip(/[IM]*/y);
    return { kind: 'match', expression: this.#expression(pattern, flags.includes('I')) };
  }

  #rangeEnd(): RangeEnd | undefined {
    const counted = this.#skip(/[+~]\d+/y);
    if (counted === '') return this.#address();
    const number = Number(counted.slice(1));
    return counted.startsWith('+') ? { kind: 'count', lines: number } : { kind: 'multiple', of: number };
  }

  /** Undefined for an empty one: that of the last command that had one. */
  #expression(pattern: string, ignoresCase: boolean): RegExp | undefined {
    if (pattern === '') return undefined;
    const characters = pattern.replace(
      /\\([\\nt])/g,
      (found, letter) => ({ n: '\n', t: '\t' })[letter as string] ?? found,
    );
    const expression = posixRegExp(characters, this.#kind, ignoresCase ? 'gi' : 'g');
    if (expression === undefined) throw this.#complaint('Invalid regular expression');
    return expression;
  }

  #action(first: Address | undefined): Action {
    const name = this.#text[this.#at]!;
    this.#at += 1;
    switch (name) {
      case '#':
        this.#skip(/[^\n]*/y);
        return { name: ':' };
      case '{': {
        const action = { name, end: 0 } as const;
        this.#open.push({ action, at: this.#at });
        return action;
      }
      case '}': {
        if (first !== undefined) throw this.#complaint("} doesn't want any addresses");
        const open = this.#open.pop();
        if (open === undefined) throw this.#complaint("unexpected `}'");
        open.action.end = this.#commands.length;
        return this.#ended({ name });
      }
      case '=':
      case 'd':
      case 'D':
      case 'g':
      case 'G':
      case 'h':
      case 'H':
      case 'l':
      case 'n':
      case 'N':
      case 'p':
      case 'P':
      case 'x':
        return this.#ended({ name });
      case 'a':
      case 'i':
      case 'c':
        return { name, text: this.#lines() };
      case 'q':
      case 'Q':
        return this.#ended({ name, status: Number(this.#skip(/[ \t]*\d*/y)) });
      case 'r':
      case 'w':
        return { name, path: this.#rest('missing filename in r/R/w/W commands') };
      case 'b':
      case 't':
      case 'T': {
        this.#skip(/[ \t]*/y);
        const action = { name, target: 0 } as const;
        this.#jumps.push({ action, label: this.#skip(/[^\s;}]*/y) });
        return this.#ended(action);
      }
      case ':': {
        if (first !== undefined) throw this.#complaint(": doesn't want any addresses");
        this.#skip(/[ \t]*/y);
        const label = this.#skip(/[^\s;]+/y);
        if (label === '') throw this.#complaint('":" lacks a label');
        this.#labels.set(label, this.#commands.length);
        return { name };
      }
      case 's':
        return this.#ended({ name, substitution: this.#substitution() });
      case 'y':
        return this.#ended(this.#transliteration());
      default:
        throw this.#complaint(`unknown command: \`${name}'`);
    }
  }

  /** A command is followed by the next line, `;` or `}`. */
  #ended<T extends Action>(action: T): T {
    this.#skip(/[ \t]*/y);
    const next = this.#text[this.#at];
    if (next === undefined || next === '}' || next === '#' || this.#skip(/[\n;]/y) !== '') return action;
    this.#at += 1;
    throw this.#complaint('extra characters after command');
  }

  #rest(missing: string): string {
    const text = this.#skip(/[^\n]*/y).trim();
    if (text === '') throw this.#complaint(missing);
    return text;
  }

  /** The text of `a`, `i` and `c`: the rest of the line, or what follows a backslash; a line that ends in one goes on. */
  #lines(): string {
    const given = this.#skip(/(?:[^\\\n]|\\[\s\S])*/y);
    const text = given
      .replace(/^[ \t]*(?:\\\n|\\(?=[ \t]))?/, '')
      .replace(/^[ \t]*(?=\S)/, (blanks) => (/^[ \t]*\\\n/.test(given) || /^[ \t]*\\[ \t]/.test(given) ? blanks : ''));
    if (text === '' && !/\\\n/.test(given)) throw this.#complaint("expected \\ after `a', `c' or `i'");
    return `${text.replace(/\\([\s\S])/g, (_, character: string) => (character === 't' ? '\t' : character))}\n`;
  }

  #substitution(): Substitution {
    const mark = this.#text[this.#at];
    const pattern = mark === undefined ? undefined : this.#delimited(mark, true);
    this.#at -= 1;
    const replacement = pattern === undefined ? undefined : this.#delimited(mark!, false);
    if (pattern === undefined || replacement === undefined) {
      throw this.#complaint("unterminated `s' command", this.#text.length);
    }
    const flags = this.#skip(/(?:[gpiIm]|\d+)*/y);
    const unknown = this.#text[this.#at];
    if (unknown !== undefined && !/[\s;}#]/.test(unknown)) {
      this.#at += 1;
      throw this.#complaint("unknown option to `s'");
    }
    return {
      expression: this.#expression(pattern, /[iI]/.test(flags)),
      replacement,
      isGlobal: flags.includes('g'),
      occurrence: Number(/\d+/.exec(flags)?.[0] ?? 1),
      isPrinted: flags.includes('p'),
    };
  }

  #transliteration(): Extract<Action, { name: 'y' }> {
    const mark = this.#text[this.#at];
    const from = mark === undefined ? undefined : this.#delimited(mark, true);
    this.#at -= 1;
    const to = from === undefined ? undefined : this.#delimited(mark!, true);
    if (from === undefined || to === undefined) throw this.#complaint("unterminated `y' command", this.#text.length);
    const plain = (text: string): string => text.replace(/\\(.)/gs, (_, each: string) => (each === 'n' ? '\n' : each));
    if (plain(from).length !== plain(to).length) {
      throw this.#complaint("strings for `y' command are different lengths");
    }
    return { name: 'y', from: plain(from), to: plain(to) };
  }

  /** What stands between two marks, of which the first is here; the next part begins behind the second. */
  #delimited(mark: string, isPattern: boolean): string | undefined {
    let text = '';
    let isInSet = false;
    for (let i = this.#at + 1; i < this.#text.length; i++) {
      const character = this.#text[i]!;
      if (character === mark && !isInSet) {
        this.#at = i + 1;
        return text;
      }
      if (isPattern && character === '[' && !isInSet) isInSet = true;
      else if (isInSet && character === ']' && !/\[\^?$/.test(text)) isInSet = false;
      if (character !== '\\' || isInSet) {
        text += character;
        continue;
      }
      i += 1;
      text += this.#text[i] === mark ? mark : `\\${this.#text[i] ?? ''}`;
    }
    return undefined;
  }
}
