import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../src/programs/command-line.js';

describe('a command line', () => {
  it.each([
    ['', []],
    ['  # nothing but a comment', []],
    ['clustat', [{ commands: [{ words: ['clustat'] }], when: 'always' }]],
    [
      `echo 'hello  world' "it's" >> /mydata/a.txt`,
      [
        {
          commands: [{ words: ['echo', 'hello  world', "it's"], output: { path: '/mydata/a.txt', append: true } }],
          when: 'always',
        },
      ],
    ],
    ['ps aux | grep httpd', [{ commands: [{ words: ['ps', 'aux'] }, { words: ['grep', 'httpd'] }], when: 'always' }]],
    [
      'mkdir d && ls d || echo no; pwd;',
      [
        { commands: [{ words: ['mkdir', 'd'] }], when: 'always' },
        { commands: [{ words: ['ls', 'd'] }], when: 'success' },
        { commands: [{ words: ['echo', 'no'] }], when: 'failure' },
        { commands: [{ words: ['pwd'] }], when: 'always' },
      ],
    ],
    ['wc<f', [{ commands: [{ words: ['wc'], input: { path: 'f' } }], when: 'always' }]],
    ['echo "a\\"b" c\\ d', [{ commands: [{ words: ['echo', 'a"b', 'c d'] }], when: 'always' }]],
    [`echo ''`, [{ commands: [{ words: ['echo', ''] }], when: 'always' }]],
  ])('%s', (line, expected) => {
    expect(parseCommandLine(line)).toEqual(expected);
  });

  it.each([
    ['echo "open', `unexpected EOF while looking for matching \`"'`],
    ['| grep x', "syntax error near unexpected token `|'"],
    ['ls >', "syntax error near unexpected token `newline'"],
    ['ls &&', "syntax error near unexpected token `newline'"],
  ])('%s is refused as by bash', (line, complaint) => {
    expect(parseCommandLine(line)).toBe(complaint);
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (line) => void parseCommandLine(line)));
  });
});
