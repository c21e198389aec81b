import { closingOf } from './closing.js';
import { ExpansionComplaint } from './script.js';

/** A part of an arithmetic expression; the end is one too. */
export interface ArithmeticToken {
  readonly kind: 'name' | 'number' | 'operator' | 'end';
  readonly text: string;
  /** What stands in the brackets behind a name. */
  readonly subscript?: string;
  /** Where it begins in the expression. */
  readonly at: number;
}

const NUMBER = /\d[\w#@]*/y;
const NAME = /[A-Za-z_]\w*/y;
const OPERATOR = /<<=|>>=|\*\*|&&|\|\||<<|>>|<=|>=|==|!=|[-+*/%&|^]=|[-+*/%<>=!~&|^?:(),]/y;
/** Behind a blank or none there is a variable that a step can change. */
const STEPPED = /(?:\+\+|--)(?=\s*[A-Za-z_])/y;

/** Reads an arithmetic expression, one token at a time: what stands behind a mistake is not looked at. */
export class ArithmeticScanner {
  readonly #expression: string;
  #token: ArithmeticToken = { kind: 'operator', text: '', at: 0 };
  /** The last that was not the end: a complaint names it and what follows. */
  #named = 0;
  #at = 0;

  /** @throws ExpansionComplaint as `advance`. */
  constructor(expression: string) {
    this.#expression = expression.trimStart();
    this.advance();
  }

  get token(): ArithmeticToken {
    return this.#token;
  }

  /** The token behind this one; this one stays. */
  next(): ArithmeticToken {
    const [token, at, named] = [this.#token, this.#at, this.#named];
    this.advance();
    const next = this.#token;
    [this.#token, this.#at, this.#named] = [token, at, named];
    return next;
  }

  /** @throws ExpansionComplaint when no token begins there. */
  advance(): void {
    const expression = this.#expression;
    const isBehindName = this.#token.kind === 'name';
    while (/\s/.test(expression[this.#at] ?? '')) this.#at += 1;
    const at = this.#at;
    if (at === expression.length) {
      this.#token = { kind: 'end', text: '', at };
      return;
    }
    this.#named = at;
    const number = this.#match(NUMBER);
    if (number !== undefined) this.#token = { kind: 'number', text: number, at };
    else {
      const name = this.#match(NAME);
      this.#token = name === undefined ? this.#operator(at, isBehindName) : this.#nameToken(name, at);
    }
  }

  /** Bash's words for a mistake: the expression, what is wrong, and where; at the last token unless told. */
  complaint(what: string, at: number = this.#named): ExpansionComplaint {
    const expression = this.#expression;
    return new ExpansionComplaint(`${expression}: ${what} (error token is "${expression.slice(at)}")`);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#expression)?.[0];
    this.#at += text?.length ?? 0;
    return text;
  }

  #nameToken(text: string, at: number): ArithmeticToken {
    if (this.#expression[this.#at] !== '[') return { kind: 'name', text, at };
    const end = closingOf(this.#expression.slice(this.#at), '[', ']');
    if (end <= 1) throw this.complaint('bad array subscript');
    const subscript = this.#expression.slice(this.#at + 1, this.#at + end);
    this.#at += end + 1;
    return { kind: 'name', text, subscript, at };
  }

  #operator(at: number, isBehindName: boolean): ArithmeticToken {
    const step = isBehindName && /^(\+\+|--)/.test(this.#expression.slice(at)) ? /\+\+|--/y : STEPPED;
    const text = this.#match(step) ?? this.#match(OPERATOR);
    if (text !== undefined) return { kind: 'operator', text, at };
    const isOperandDue = this.#token.kind === 'operator';
    throw this.complaint(`syntax error: ${isOperandDue ? 'operand expected' : 'invalid arithmetic operator'}`);
  }
}
