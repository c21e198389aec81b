import { describe, expect, it } from 'vitest';
import { getopt, parseOptions } from '../src/programs/options.js';

function words(line: string, optstring: string): string[] {
  return [...getopt(line.split(' '), optstring)].map((each) => {
    if (each.kind === 'operand') return each.word;
    return each.kind === 'error'
      ? `! ${each.text}`
      : `-${each.letter}${each.value === undefined ? '' : `=${each.value}`}`;
  });
}

describe('getopt', () => {
  it.each([
    // line          optstring    what it makes of it
    ['-ab x', 'ab', ['-a', '-b', 'x']],
    ['-c3 -c 4', 'c:', ['-c=3', '-c=4']],
    ['-qc3', 'qc:', ['-q', '-c=3']],
    ['-c -q', 'c:q', ['-c=-q']],
    ['-d -d5 5', 'd::', ['-d', '-d=5', '5']],
    ['x -a y', 'a', ['x', '-a', 'y']],
    ['-a -- -a', 'a', ['-a', '-a']],
    ['- -a', 'a', ['-', '-a']],
    ['-xa', 'a', ["! invalid option -- 'x'", '-a']],
    ['-a -c', 'ac:', ['-a', "! option requires an argument -- 'c'"]],
    ['-:', 'c:', ["! invalid option -- ':'"]],
  ])('%s by %s', (line, optstring, expected) => {
    expect(words(line, optstring)).toEqual(expected);
  });
});

it('of an option given twice the last counts, and the first mistake is told', () => {
  const options = parseOptions(['-c3', '-x', '-y', '-c', '4', '-q', 'operand'], { flags: 'q', values: 'c' });
  expect([options.number('c', 0), options.number('d', 7), [...options.flags]]).toEqual([4, 7, ['q']]);
  expect([options.operands, options.error]).toEqual([['operand'], "invalid option -- 'x'"]);
});
