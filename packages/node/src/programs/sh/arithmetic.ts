import { ExpansionComplaint } from './script.js';

/** An arithmetic expression that has no value, in bash's words. */
class ArithmeticComplaint extends ExpansionComplaint {}

/** Where an expression reads and writes its variables. */
export interface ArithmeticVariables {
  get(name: string): string;
  set(name: string, value: string): void;
}

const TOKEN =
  /\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|\*\*|<<=|>>=|\+\+|--|&&|\|\||<<|>>|<=|>=|==|!=|[-+*/%&|^]=|[-+*/%<>=!~&|^?:(),])/y;

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

/** Deeper ones are refused: a variable may name itself. */
const DEPTH_MAX = 100;

/**
 * The value of an expression of `$(( ))`: whole numbers of 64 bits, with C's operators, `**` and assignments.
 *
 * @throws ExpansionComplaint when it is none, or divides by zero.
 */
export function evaluate(expression: string, variables: ArithmeticVariables): string {
  return String(new Evaluation(expression, variables, 0).value());
}

class Evaluation {
  readonly #expression: string;
  readonly #variables: ArithmeticVariables;
  readonly #depth: number;
  readonly #tokens: readonly string[];
  #next = 0;
  /** What stands here is read and not done: the side of `&&`, `||` or `?:` that does not count. */
  #isIdle = false;

  constructor(expression: string, variables: ArithmeticVariables, depth: number) {
    this.#expression = expression.trim();
    this.#variables = variables;
    this.#depth = depth;
    this.#tokens = this.#cut();
  }

  value(): bigint {
    if (this.#tokens.length === 0) return 0n;
    const value = this.#comma();
    if (this.#peek !== undefined) throw this.#complaint('syntax error in expression');
    return value;
  }

  #cut(): readonly string[] {
    const tokens: string[] = [];
    for (let at = 0; at < this.#expression.length; at = TOKEN.lastIndex) {
      TOKEN.lastIndex = at;
      const found = TOKEN.exec(this.#expression);
      if (found === null) {
        const rest = this.#expression.slice(at).trim();
        const what = /^(\w|\)$)/.test(tokens.at(-1) ?? '') ? 'invalid arithmetic operator' : 'operand expected';
        throw new ArithmeticComplaint(`${this.#expression}: syntax error: ${what} (error token is "${rest}")`);
      }
      tokens.push(found[1]!);
    }
    return tokens;
  }

  get #peek(): string | undefined {
    return this.#tokens[this.#next];
  }

  #take(...tokens: readonly string[]): string | undefined {
    const token = this.#peek;
    if (token === undefined || !tokens.includes(token)) return undefined;
    this.#next += 1;
    return token;
  }

  #complaint(what: string): ArithmeticComplaint {
    const rest = this.#tokens.slice(this.#peek === undefined ? -1 : this.#next).join(' ');
    return new ArithmeticComplaint(`${this.#expression}: ${what} (error token is "${rest}")`);
  }

  #comma(): bigint {
    let value = this.#assignment();
    while (this.#take(',')) value = this.#assignment();
    return value;
  }

  #assignment(): bigint {
    const name = this.#peek;
    const operator = this.#tokens[this.#next + 1];
    const isAssigned = name !== undefined && isName(name) && /^(?:[-+*/%&|^]|<<|>>)?=$/.test(operator ?? '');
    if (!isAssigned) return this.#choice();
    this.#next += 2;
    const value = this.#assignment();
    return this.#set(name, operator === '=' ? value : this.#apply(operator!.slice(0, -1), this.#valueOf(name), value));
  }

  #choice(): bigint {
    const condition = this.#binary(0);
    if (!this.#take('?')) return condition;
    const yes = this.#idly(condition === 0n, () => this.#assignment());
    if (!this.#take(':')) throw this.#complaint("`:' expected for conditional expression");
    const no = this.#idly(condition !== 0n, () => this.#choice());
    return condition === 0n ? no : yes;
  }

  #binary(level: number): bigint {
    const operators = BINARY[level];
    if (operators === undefined) return this.#power();
    let left = this.#binary(level + 1);
    for (let operator = this.#take(...operators); operator !== undefined; operator = this.#take(...operators)) {
      const isDecided = operator === '&&' ? left === 0n : operator === '||' && left !== 0n;
      const right = this.#idly(isDecided, () => this.#binary(level + 1));
      left = this.#apply(operator, left, right);
    }
    return left;
  }

  #power(): bigint {
    const base = this.#unary();
    if (!this.#take('**')) return base;
    return this.#apply('**', base, this.#power());
  }

  #unary(): bigint {
    const step = this.#take('++', '--');
    if (step !== undefined) {
      const name = this.#peek;
      if (name === undefined || !isName(name)) throw this.#complaint('syntax error: operand expected');
      this.#next += 1;
      return this.#set(name, this.#valueOf(name) + (step === '++' ? 1n : -1n));
    }
    switch (this.#take('-', '+', '!', '~')) {
      case '-':
        return int64(-this.#unary());
      case '+':
        return this.#unary();
      case '!':
        return this.#unary() === 0n ? 1n : 0n;
      case '~':
        return ~this.#unary();
      default:
        return this.#operand();
    }
  }

  #operand(): bigint {
    const token = this.#peek;
    if (this.#take('(')) {
      const value = this.#comma();
      if (!this.#take(')')) throw this.#complaint("missing `)'");
      return value;
    }
    if (token === undefined || !/^\w/.test(token)) throw this.#complaint('syntax error: operand expected');
    this.#next += 1;
    if (!isName(token)) return this.#number(token);
    const value = this.#valueOf(token);
    const step = this.#take('++', '--');
    if (step !== undefined) this.#set(token, value + (step === '++' ? 1n : -1n));
    return value;
  }

  #number(text: string): bigint {
    if (!/^0\d/.test(text)) return int64(BigInt(text));
    if (/[89]/.test(text)) {
      throw new ArithmeticComplaint(`${text}: value too great for base (error token is "${text}")`);
    }
    return int64(BigInt(`0o${text.slice(1)}`));
  }

  /** A variable's text is an expression of its own; without one it is 0. */
  #valueOf(name: string): bigint {
    if (this.#isIdle) return 0n;
    if (this.#depth === DEPTH_MAX) throw this.#complaint('expression recursion level exceeded');
    return new Evaluation(this.#variables.get(name), this.#variables, this.#depth + 1).value();
  }

  #set(name: string, value: bigint): bigint {
    if (!this.#isIdle) this.#variables.set(name, String(int64(value)));
    return int64(value);
  }

  #idly(isIdle: boolean, read: () => bigint): bigint {
    const before = this.#isIdle;
    this.#isIdle ||= isIdle;
    const value = read();
    this.#isIdle = before;
    return value;
  }

  #apply(operator: string, left: bigint, right: bigint): bigint {
    if (this.#isIdle) return 0n;
    if ((operator === '/' || operator === '%') && right === 0n) throw this.#complaint('division by 0');
    if (operator === '**' && right < 0n) throw this.#complaint('exponent less than 0');
    return int64(OPERATIONS[operator]!(left, right));
  }
}

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

function int64(value: bigint): bigint {
  const low = value & 0xffff_ffff_ffff_ffffn;
  return low >= 0x8000_0000_0000_0000n ? low - 0x1_0000_0000_0000_0000n : low;
}

function isName(token: string): boolean {
  return /^[A-Za-z_]/.test(token);
}
