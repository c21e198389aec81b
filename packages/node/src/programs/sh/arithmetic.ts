import { ArithmeticScanner } from './arithmetic-tokens.js';
import { ExpansionComplaint } from './script.js';

/** Where an expression reads and writes its variables. What stands in the brackets behind a name is not read yet. */
export interface ArithmeticVariables {
  get(name: string, subscript: string | undefined): string;
  set(name: string, subscript: string | undefined, value: string): void;
}

/** Operators of two operands, from those that bind least. */
const BINARY: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const ASSIGNING = /^(?:[-+*/%&|^]|<<|>>)?=$/;

/** Deeper ones are refused: a variable may name itself. */
const DEPTH_MAX = 100;

/**
 * The value of an expression of `$(( ))`: whole numbers of 64 bits, with C's operators, `**` and assignments.
 *
 * @throws ExpansionComplaint when it is none, or divides by zero.
 */
export function evaluate(expression: string, variables: ArithmeticVariables): bigint {
  return new Evaluation(expression, variables, 0).value();
}

/** A variable, as an expression names it. */
interface Variable {
  readonly text: string;
  readonly subscript?: string | undefined;
}

/** Recursive descent; the levels are those of bash's expr.c. */
class Evaluation {
  readonly #scanner: ArithmeticScanner;
  readonly #variables: ArithmeticVariables;
  readonly #depth: number;
  /** What stands here is read and not done: the side of `&&`, `||` or `?:` that does not count. */
  #isIdle = false;

  constructor(expression: string, variables: ArithmeticVariables, depth: number) {
    this.#scanner = new ArithmeticScanner(expression);
    this.#variables = variables;
    this.#depth = depth;
  }

  value(): bigint {
    if (this.#isAtEnd()) return 0n;
    const value = this.#comma();
    if (!this.#isAtEnd()) throw this.#scanner.complaint('syntax error in expression');
    return value;
  }

  #isAtEnd(): boolean {
    return this.#scanner.token.kind === 'end';
  }

  #take(...operators: readonly string[]): string | undefined {
    const { kind, text } = this.#scanner.token;
    if (kind !== 'operator' || !operators.includes(text)) return undefined;
    this.#scanner.advance();
    return text;
  }

  #comma(): bigint {
    let value = this.#assignment();
    while (this.#take(',')) value = this.#assignment();
    return value;
  }

  #assignment(): bigint {
    const scanner = this.#scanner;
    const name = scanner.token;
    if (name.kind !== 'name' || !ASSIGNING.test(scanner.next().text)) {
      const value = this.#choice();
      if (ASSIGNING.test(scanner.token.text)) throw scanner.complaint('attempted assignment to non-variable');
      return value;
    }
    scanner.advance();
    const operator = scanner.token.text.slice(0, -1);
    scanner.advance();
    const { at } = scanner.token;
    const value = this.#assignment();
    return this.#set(name, operator === '' ? value : this.#apply(operator, this.#valueOf(name), value, at));
  }

  #choice(): bigint {
    const condition = this.#binary(0);
    if (!this.#take('?')) return condition;
    const yes = this.#side(condition === 0n, () => this.#comma());
    if (!this.#take(':')) throw this.#scanner.complaint("`:' expected for conditional expression");
    const no = this.#side(condition !== 0n, () => this.#choice());
    return condition === 0n ? no : yes;
  }

  /** One side of `?:`. */
  #side(isIdle: boolean, read: () => bigint): bigint {
    const { kind, text } = this.#scanner.token;
    if (kind === 'end' || text === ':') throw this.#scanner.complaint('expression expected');
    return this.#idly(isIdle, read);
  }

  #binary(level: number): bigint {
    const operators = BINARY[level];
    if (operators === undefined) return this.#power();
    let left = this.#binary(level + 1);
    for (let operator = this.#take(...operators); operator !== undefined; operator = this.#take(...operators)) {
      const isDecided = operator === '&&' ? left === 0n : operator === '||' && left !== 0n;
      const { at } = this.#scanner.token;
      const right = this.#idly(isDecided, () => this.#binary(level + 1));
      left = this.#apply(operator, left, right, at);
    }
    return left;
  }

  #power(): bigint {
    const base = this.#unary();
    if (!this.#take('**')) return base;
    return this.#apply('**', base, this.#power());
  }

  #unary(): bigint {
    const operator = this.#take('++', '--', '-', '+', '!', '~');
    switch (operator) {
      case undefined:
        return this.#operand();
      case '++':
      case '--': {
        const name = this.#scanner.token;
        this.#scanner.advance();
        return this.#set(name, this.#valueOf(name) + STEPS[operator]);
      }
      case '-':
        return int64(-this.#unary());
      case '!':
        return truth(this.#unary() === 0n);
      case '~':
        return ~this.#unary();
      default:
        return this.#unary();
    }
  }

  #operand(): bigint {
    if (this.#take('(')) {
      const value = this.#comma();
      if (!this.#take(')')) throw this.#scanner.complaint("missing `)'");
      return value;
    }
    const token = this.#scanner.token;
    if (token.kind === 'number') {
      this.#scanner.advance();
      return numberOf(token.text);
    }
    if (token.kind !== 'name') throw this.#scanner.complaint('syntax error: operand expected');
    this.#scanner.advance();
    const value = this.#valueOf(token);
    const step = this.#take('++', '--') as '++' | '--' | undefined;
    if (step !== undefined) this.#set(token, value + STEPS[step]);
    return value;
  }

  /** A variable's text is an expression of its own; without one it is 0. */
  #valueOf({ text, subscript }: Variable): bigint {
    if (this.#isIdle) return 0n;
    if (this.#depth === DEPTH_MAX) throw this.#scanner.complaint('expression recursion level exceeded');
    return new Evaluation(this.#variables.get(text, subscript), this.#variables, this.#depth + 1).value();
  }

  #set({ text, subscript }: Variable, value: bigint): bigint {
    if (!this.#isIdle) this.#variables.set(text, subscript, String(int64(value)));
    return int64(value);
  }

  #idly(isIdle: boolean, read: () => bigint): bigint {
    const before = this.#isIdle;
    this.#isIdle ||= isIdle;
    const value = read();
    this.#isIdle = before;
    return value;
  }

  /** @param at - where the right operand begins. */
  #apply(operator: string, left: bigint, right: bigint, at?: number): bigint {
    if (this.#isIdle) return 0n;
    if ((operator === '/' || operator === '%') && right === 0n) throw this.#scanner.complaint('division by 0', at);
    if (operator === '**' && right < 0n) throw this.#scanner.complaint('exponent less than 0');
    return int64(OPERATIONS[operator]!(left, right));
  }
}

const STEPS = { '++': 1n, '--': -1n } as const;
const truth = (fact: boolean): bigint => (fact ? 1n : 0n);

const OPERATIONS: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  '||': (a, b) => truth(a !== 0n || b !== 0n),
  '&&': (a, b) => truth(a !== 0n && b !== 0n),
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '&': (a, b) => a & b,
  '==': (a, b) => truth(a === b),
  '!=': (a, b) => truth(a !== b),
  '<': (a, b) => truth(a < b),
  '<=': (a, b) => truth(a <= b),
  '>': (a, b) => truth(a > b),
  '>=': (a, b) => truth(a >= b),
  '<<': (a, b) => a << (b & 63n),
  '>>': (a, b) => a >> (b & 63n),
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '**': power,
};

/** Wraps at each step, so that no number grows. */
function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = int64(result * square);
    square = int64(square * square);
  }
  return result;
}

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_';

/** `12`, `0x1f`, `017`, or `BASE#DIGITS` of a base from 2 to 64; too large ones wrap. */
function numberOf(text: string): bigint {
  const complaint = (what: string): ExpansionComplaint =>
    new ExpansionComplaint(`${text}: ${what} (error token is "${text}")`);
  const [, given, prefix = ''] = /^(?:(\d+)#|(0[xX]|0))?/.exec(text)!;
  if (given === '0') throw complaint('invalid number');
  const base = given === undefined ? (prefix === '' ? 10 : prefix === '0' ? 8 : 16) : Number(given);
  if (base < 2 || base > 64) throw complaint('invalid arithmetic base');
  const digits = text.slice(given === undefined ? prefix.length : given.length + 1);
  let value = 0n;
  for (const digit of base <= 36 ? digits.toLowerCase() : digits) {
    const worth = DIGITS.indexOf(digit);
    if (worth < 0) throw complaint('invalid number');
    if (worth >= base) throw complaint('value too great for base');
    value = int64(value * BigInt(base) + BigInt(worth));
  }
  return value;
}

function int64(value: bigint): bigint {
  const low = value & 0xffff_ffff_ffff_ffffn;
  return low >= 0x8000_0000_0000_0000n ? low - 0x1_0000_0000_0000_0000n : low;
}
