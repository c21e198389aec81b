// Each line of data/arithmetic.txt is an expression and what bash makes of it; REWRITE=1 asks the bash of this machine again.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../src/programs/sh/arithmetic.js';
import { ExpansionComplaint } from '../src/programs/sh/script.js';

/** Given before each expression; the last is an array. */
const GIVEN = {
  a: '5',
  b: '3',
  s: '1+1',
  t: '2 + 3',
  blank: ' ',
  word: 'hello',
  x1: 'x2',
  x2: '42',
  neg: '-4',
  hex: '0x10',
  octal: '017',
  bad: '08',
  self: 'self',
};
const ARRAY = ['10', '20', '30'];
const SHOWN = ['a', 'b', 'c', 'none'];

/** The value, the variables of `SHOWN` and the array; or the complaint. */
function ours(expression: string): string {
  const texts = new Map(Object.entries(GIVEN));
  const array = [...ARRAY];
  const variables = {
    get: (name: string, subscript: string | undefined): string =>
      name === 'arr' ? (array[placeOf(subscript)] ?? '') : (texts.get(name) ?? ''),
    set: (name: string, subscript: string | undefined, value: string): void => {
      if (name === 'arr') array[placeOf(subscript)] = value;
      else texts.set(name, value);
    },
  };
  const placeOf = (subscript = '0'): number => Number(evaluate(subscript, variables));
  try {
    const value = evaluate(expression, variables);
    return [value, ...SHOWN.map((name) => texts.get(name) ?? '-'), array.filter(() => true).join(',')].join(' ');
  } catch (error) {
    if (error instanceof ExpansionComplaint) return error.message;
    throw error;
  }
}

/** As `ours`, by the bash of this machine. */
function real(expression: string): string {
  const given = Object.entries(GIVEN).map(([name, value]) => `${name}='${value}'`);
  const shown = SHOWN.map((name) => `\${${name}--}`).join(' ');
  const script = `${given.join(' ')} arr=(${ARRAY.join(' ')}); v=$((${expression})) && IFS=, && echo "$v ${shown} \${arr[*]}"`;
  const output = execFileSync('bash', ['-c', script, 'bash'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return output.trimEnd();
}

function realOrComplaint(expression: string): string {
  try {
    return real(expression);
  } catch (error) {
    return String((error as { readonly stderr?: unknown }).stderr)
      .trimEnd()
      .replace(/^bash: line \d+: /, '');
  }
}

const TABLE = new URL('data/arithmetic.txt', import.meta.url);
const SEPARATOR = ' ⇒ ';

describe('an arithmetic expression', () => {
  it('has the value, the effects or the complaint that it has in bash', () => {
    const recorded = readFileSync(TABLE, 'utf8');
    const answer = process.env.REWRITE === '1' ? realOrComplaint : ours;
    const rows = recorded.trimEnd().split('\n');
    const replayed = rows.map((row) => {
      const [expression] = row.split(SEPARATOR) as [string];
      return `${expression}${SEPARATOR}${answer(expression)}\n`;
    });
    if (process.env.REWRITE === '1') writeFileSync(TABLE, replayed.join(''));
    else expect(replayed.join('')).toBe(recorded);
  });
});
