import type { Os, Task } from '@quorate/kernel';
import { posixRegExp } from '../regular-expression.js';
import { expandCharacters, expandPattern, expandText, type Values } from './expand.js';
import { type Condition, ExpansionComplaint } from './script.js';
import { comparesFiles, comparesNumbers, isOfFile } from './test-command.js';
import { quotedWord } from './word-quotes.js';

/** What a shell offers to `[[ … ]]`. */
interface Asking extends Values {
  readonly os: Os;
  /** Gives an array all of its elements. */
  assignAll(name: string, elements: readonly string[]): void;
  isOption(name: string): boolean;
  /** Shows a question and its operands before it is answered, with `set -x`. */
  trace(text: string): void;
}

/** Whether the condition of `[[ … ]]` holds. */
export function* meets(condition: Condition, shell: Asking): Task<boolean> {
  switch (condition.kind) {
    case 'and':
      return (yield* meets(condition.left, shell)) && (yield* meets(condition.right, shell));
    case 'or':
      return (yield* meets(condition.left, shell)) || (yield* meets(condition.right, shell));
    case 'not':
      return !(yield* meets(condition.condition, shell));
    case 'unary':
      return yield* unary(condition.operator, yield* expandText(condition.operand, shell), shell);
    case 'binary':
      return yield* binary(condition, shell);
  }
}

function* unary(operator: string, operand: string, shell: Asking): Task<boolean> {
  shell.trace(`[[ ${operator} ${quotedWord(operand)} ]]`);
  switch (operator) {
    case '-n':
      return operand !== '';
    case '-z':
      return operand === '';
    case '-o':
      return shell.isOption(operand);
    default: {
      const answer = yield* isOfFile(shell.os, operator, operand);
      if (answer === undefined) throw new ExpansionComplaint(`${operator}: conditional binary operator expected`);
      return answer;
    }
  }
}

function* binary(condition: Extract<Condition, { kind: 'binary' }>, shell: Asking): Task<boolean> {
  const { operator } = condition;
  const left = yield* expandText(condition.left, shell);
  const right = yield* expandText(condition.right, shell);
  shell.trace(`[[ ${quotedWord(left)} ${operator} ${quotedWord(right)} ]]`);
  switch (operator) {
    case '=':
    case '==':
      return (yield* expandPattern(condition.right, shell)).test(left);
    case '!=':
      return !(yield* expandPattern(condition.right, shell)).test(left);
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '=~':
      return yield* matches(left, condition, shell);
  }
  const compare = comparesNumbers(operator);
  if (compare !== undefined) return compare(BigInt(shell.valueOf(left)), BigInt(shell.valueOf(right)));
  return yield* comparesFiles(shell.os, operator, left, right);
}

/** `=~`: what fits, and what fits its groups, is in `BASH_REMATCH`. What is quoted in the expression is only itself. */
function* matches(text: string, { right }: Extract<Condition, { kind: 'binary' }>, shell: Asking): Task<boolean> {
  const characters = yield* expandCharacters(right, shell);
  const source = characters.map((each) =>
    each.isQuoted ? each.text.replace(/[\\^$.*+?()[\]{}|]/, '\\$&') : each.text,
  );
  const expression = posixRegExp(source.join(''), 'extended', 's');
  // Bash has no words for it.
  if (expression === undefined) throw new ExpansionComplaint(`${source.join('')}: invalid regular expression`);
  const found = expression.exec(text);
  shell.assignAll('BASH_REMATCH', found === null ? [] : [...found].map((each) => each ?? ''));
  return found !== null;
}
