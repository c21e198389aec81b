import { describe, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { mismatchOf, type Step } from '../src/walkthrough/step.js';
import { capturedIo } from './captured-io.js';

describe('an answer is compared with that of the posts', () => {
  const answer = ' one   two\n\nthree 4\n';

  it.each<[string, Partial<Step>]>([
    ['blanks do not count', { shows: ['one two', 'three 4'], isWhole: true }],
    ['there may be more lines', { shows: [/^three \d$/] }],
    ['nothing is expected', {}],
    ['what is unwanted is not there', { lacks: ['one', /^two/] }],
  ])('%s', (_, step) => {
    expect(mismatchOf({ on: 'host', type: '', ...step }, answer)).toBeUndefined();
  });

  it.each<[Partial<Step>, string]>([
    [{ shows: ['three'] }, 'expected the line "three"'],
    [{ shows: ['three 4', 'one two'] }, 'expected the line "one two"'],
    [{ shows: [/four/] }, 'expected the line /four/'],
    [{ shows: ['three 4'], isWhole: true }, 'found the line "one two", expected "three 4"'],
    [{ shows: ['one two'], isWhole: true }, 'found the line "three 4", expected no more'],
    [{ lacks: [/^three/] }, 'found the line /^three/, expected none like it'],
  ])('%j is missed', (step, message) => {
    expect(mismatchOf({ on: 'host', type: '', ...step }, answer)).toBe(message);
  });
});

it('every command of the posts is answered as printed there', async () => {
  const io = capturedIo();
  const code = await runCommand(['walkthrough', '--quiet'], io);
  expect(io.stdout.text.split('\n')).toEqual([
    'What is not as in the posts, and why:',
    ...Array.from({ length: 8 }, () => expect.stringMatching(/^ {2}\S/)),
    '201 lines typed, 64 answers compared, 0 differ',
    '',
  ]);
  expect([code, io.stderr.text]).toEqual([0, '']);
});
