import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIncomplete, parseCommandLine } from '../src/programs/sh/parser.js';

const WORDS = [
  'for',
  'i',
  'in',
  'do',
  'done',
  'if',
  'then',
  'fi',
  'while',
  '(',
  ')',
  '{',
  '}',
  '|',
  ';',
  '&',
  '<<',
  '\n',
];

describe('a command line', () => {
  it('is cut into statements, pipelines and commands', () => {
    expect(parseCommandLine('A=b ps aux 2> /dev/null | grep \'x y\' && ls "$HOME" & pwd')).toEqual([
      {
        pipelines: [
          {
            commands: [
              {
                kind: 'simple',
                line: 1,
                assignments: [{ name: 'A', value: [plain('b')] }],
                words: [[plain('ps')], [plain('aux')]],
                errors: { path: [plain('/dev/null')], append: false },
              },
              { kind: 'simple', line: 1, assignments: [], words: [[plain('grep')], [quoted('x y')]] },
            ],
            isNegated: false,
            when: 'always',
          },
          {
            commands: [
              {
                kind: 'simple',
                line: 1,
                assignments: [],
                words: [[plain('ls')], [quoted(''), { kind: 'variable', name: 'HOME', isQuoted: true }]],
              },
            ],
            isNegated: false,
            when: 'success',
          },
        ],
        background: 'A=b ps aux 2> /dev/null | grep \'x y\' && ls "$HOME"',
      },
      {
        pipelines: [
          {
            commands: [{ kind: 'simple', line: 1, assignments: [], words: [[plain('pwd')]] }],
            isNegated: false,
            when: 'always',
          },
        ],
      },
    ]);
  });

  it.each(['', '  # nothing but a comment', '\n\n'])('%j is nothing', (line) => {
    expect(parseCommandLine(line)).toEqual([]);
  });

  it.each([
    ['echo "open', `unexpected EOF while looking for matching \`"'`, true],
    ['echo $(ls', "unexpected EOF while looking for matching `)'", true],
    ['| grep x', "syntax error near unexpected token `|'", false],
    ['ls >', "syntax error near unexpected token `newline'", false],
    ['ls > | x', "syntax error near unexpected token `|'", false],
    ['ls &&', 'syntax error: unexpected end of file', true],
    ['ls |', 'syntax error: unexpected end of file', true],
    ['for i in 1 2', 'syntax error: unexpected end of file', true],
    ['for i in 1 2; do', 'syntax error: unexpected end of file', true],
    ['for 1 in 2; do ls; done', "`1': not a valid identifier", false],
    ['while true; do ls', 'syntax error: unexpected end of file', true],
    ['do ls', "syntax error near unexpected token `do'", false],
    ['for i in 1; do done', "syntax error near unexpected token `done'", false],
    ['if true; then ls; fi fi', "syntax error near unexpected token `fi'", false],
    ['(ls', 'syntax error: unexpected end of file', true],
    ['ls)', "syntax error near unexpected token `)'", false],
    [`echo \${a!b}`, `\${a!b}: bad substitution`, false],
  ])('%j is refused as by bash, and may be gone on with or not', (line, complaint, isOpen) => {
    expect(parseCommandLine(line)).toBe(complaint);
    expect(isIncomplete(line)).toBe(isOpen);
  });

  it('goes on behind a here-document that is open', () => {
    expect(isIncomplete('cat <<EOF\none')).toBe(true);
    expect(isIncomplete('cat <<EOF\none\nEOF')).toBe(false);
    expect(parseCommandLine('cat <<EOF\none')).toEqual(parseCommandLine('cat <<EOF\none\nEOF'));
  });

  it('never throws', () => {
    const line = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...WORDS)).map((words) => words.join(' ')),
    );
    fc.assert(
      fc.property(line, (text) => {
        parseCommandLine(text);
        isIncomplete(text);
      }),
    );
  });
});

function plain(text: string) {
  return { kind: 'text', text, isQuoted: false };
}

function quoted(text: string) {
  return { kind: 'text', text, isQuoted: true };
}
