import { expect, it } from 'vitest';
import { checkTranscript } from '../../../tooling/transcript.js';
import { coloursOf } from '../src/command-io.js';
import { PlainView } from '../src/views/plain-view.js';
import { capturedIo } from './captured-io.js';
import { tell } from './watch-script.js';

const { stdout } = capturedIo();
const NAMES = ['my-vm1', 'my-vm2'];

it('the plain view prints a line for each thing that happened', () => {
  let lines: string[] = [];
  const view = new PlainView((line) => lines.push(line), NAMES, coloursOf(stdout, {}));
  checkTranscript(new URL('./data/plain-view.txt', import.meta.url), (commands) => {
    lines = [];
    for (const command of commands) tell(view, command);
    return lines.length === 0 ? 'nothing' : lines.map((line) => `|${line}`).join('\n');
  });
});

it('titles and verdicts are coloured where colours are wanted', () => {
  const lines: string[] = [];
  const view = new PlainView((line) => lines.push(line), NAMES, coloursOf(stdout, { FORCE_COLOR: '1' }));
  tell(view, '1 step 1/1 a step');
  tell(view, '1 observed it holds');
  expect(lines).toEqual(['    1.0 s  \u001b[1m[1/1] a step\u001b[22m', '    1.0 s    \u001b[32mok\u001b[39m it holds']);
});
