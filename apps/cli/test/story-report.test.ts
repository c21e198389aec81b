import { describe, expect, it } from 'vitest';
import { checkTranscript } from '../../../tooling/transcript.js';
import { coloursOf } from '../src/command-io.js';
import { reportOf, reportWidth } from '../src/story-report.js';
import { widthOf } from '../src/views/text-width.js';
import { CapturedStream, capturedIo } from './captured-io.js';
import { storyRun } from './story-run.js';

const { stdout } = capturedIo();
const plain = coloursOf(stdout, {});

it('the report of a run', () => {
  checkTranscript(new URL('./data/story-report.txt', import.meta.url), ([command = '']) =>
    reportOf(storyRun(), Number(command.split(' ')[1]), plain)
      .split('\n')
      .map((line) => `|${line}`)
      .join('\n'),
  );
});

it.each([80, 90, 99, 100, 110, 120])('no line is wider than %i columns, coloured or not', (columns) => {
  for (const colours of [plain, coloursOf(stdout, { FORCE_COLOR: '1' })]) {
    const lines = reportOf(storyRun({ lostSlices: 1234 }), columns, colours).split('\n');
    expect(Math.max(...lines.map(widthOf))).toBe(columns);
  }
});

it.each([
  // terminal       width
  [undefined, 100],
  [40, 80],
  [80, 80],
  [101, 101],
  [120, 120],
  [300, 120],
])('a terminal of %s columns gets a report of %i', (columns, expected) => {
  const stream = new CapturedStream(columns === undefined ? undefined : { columns, rows: 24 });
  expect(reportWidth(stream)).toBe(expected);
});

describe('what is wrong stands before the verdict', () => {
  it.each([
    [
      'a fact',
      storyRun({
        verdict: 'liveness',
        story: {
          ok: false,
          steps: [],
          failures: [
            { step: 'boot', observed: { text: 'the page is served', isTrue: false, found: 'not\nwithin 60 s' } },
          ],
        },
      }),
      'boot: not observed: the page is served: not',
    ],
    [
      'a rule',
      storyRun({
        verdict: 'safety',
        violations: [{ invariant: 'S9', at: 1.5e9, nodes: [1, 2], message: 'two partitions are quorate' }],
      }),
      'S9 violated at 1.500 s by 1 2: two partitions are quorate',
    ],
    [
      'trouble',
      storyRun({ verdict: 'exception', story: undefined, trouble: 'the worker is gone' }),
      'the worker is gone',
    ],
  ])('%s', (_, run, line) => {
    const lines = reportOf(run, 100, plain).split('\n');
    expect(lines).toContain(line);
    expect(lines.find((each) => each.startsWith('The story'))).toMatch(/^The story does not hold: /);
  });
});
