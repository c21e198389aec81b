import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConfigNode, ConfigSyntaxError, type ConfigValue, formatValue, parseConfig } from '../src/index.js';

describe('the grammar', () => {
  it.each([
    ['a = 1', [{ key: 'a', value: 1 }]],
    [
      'a=-17 b=+2',
      [
        { key: 'a', value: -17 },
        { key: 'b', value: 2 },
      ],
    ],
    [
      'a = 1.5 b = 2.',
      [
        { key: 'a', value: 1.5 },
        { key: 'b', value: 2 },
      ],
    ],
    ['a = "x \\"y\\" \\\\z"', [{ key: 'a', value: 'x "y" \\z' }]],
    ["a = 'x \\'", [{ key: 'a', value: 'x \\' }]],
    ['a = []', [{ key: 'a', value: [] }]],
    ['a = ["x", 1, [2,],]', [{ key: 'a', value: ['x', 1, [2]] }]],
    ['a "x"', [{ key: 'a', value: 'x' }]],
    ['"a b" = 1', [{ key: 'a b', value: 1 }]],
    ['devices/filter = 1', [{ key: 'devices/filter', value: 1 }]],
    [
      'a { b { } c = 1 }',
      [
        {
          key: 'a',
          nodes: [
            { key: 'b', nodes: [] },
            { key: 'c', value: 1 },
          ],
        },
      ],
    ],
    ['# one\na = 1 # two\n# three', [{ key: 'a', value: 1 }]],
    ['a = "# no comment"', [{ key: 'a', value: '# no comment' }]],
    ['', []],
    ['\n\t \0', []],
    ['1 { }', [{ key: '1', nodes: [] }]],
    ['__proto__ = 1', [{ key: '__proto__', value: 1 }]],
  ] satisfies [string, ConfigNode[]][])('%j', (text, nodes) => {
    expect(parseConfig(text)).toEqual(nodes);
  });

  it.each([
    ['a = ', 4, 'the end of the text, expected a value'],
    ['a = b', 4, '"b", expected a value'],
    ['a {', 3, 'the end of the text, expected a key'],
    ['a { b = 1', 9, 'the end of the text, expected a key'],
    ['}', 0, '"}", expected a key'],
    ['a = [1 2]', 7, '"2", expected "]"'],
    ['a = [1', 6, 'the end of the text, expected "]"'],
    ['a = "x', 4, 'a string without end'],
    ['a = "x\\"', 4, 'a string without end'],
    ['a = 9007199254740993', 4, '9007199254740993, expected an integer of at most 2^53 - 1'],
    ['x{'.repeat(40), 64, 'more than 32 sections within each other'],
    [`x = ${'['.repeat(40)}`, 36, 'more than 32 arrays within each other'],
  ])('%j is refused', (text, index, why) => {
    expect(() => parseConfig(text)).toThrow(
      expect.objectContaining({ name: 'ConfigSyntaxError', index, message: why }),
    );
  });
});

describe('any text', () => {
  it('of marks is read or refused, never anything else', () => {
    const mark = fc.constantFrom('a', '1', '"', "'", '\\', '{', '}', '[', ']', '=', ',', '#', '\n', ' ', '.', '-');
    fc.assert(
      fc.property(fc.array(mark, { maxLength: 40 }), (marks) => {
        try {
          parseConfig(marks.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigSyntaxError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('of a megabyte is read in one go', () => {
    const text = `a = "${'x\\"'.repeat(350_000)}" ${'# comment\n'.repeat(10_000)}${'\n'.repeat(100_000)}`;
    expect(parseConfig(text)).toEqual([{ key: 'a', value: 'x"'.repeat(350_000) }]);
  });
});

it('a value that is written is read', () => {
  const { value } = fc.letrec<{ value: ConfigValue }>((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, fc.string(), fc.maxSafeInteger(), fc.array(tie('value'), { maxLength: 3 })),
  }));
  fc.assert(
    fc.property(value, (each) => {
      expect(parseConfig(`a = ${formatValue(each)}`)).toEqual([{ key: 'a', value: each }]);
    }),
  );
});
