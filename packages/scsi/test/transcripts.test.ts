import { it } from 'vitest';
import { checkTranscript } from '../../../tooling/transcript.js';
import { Stage } from './stage.js';

it.each([
  ['service times, attributes and the limit in service', 'service.txt'],
  ['a fence races with the write of its victim', 'fencing.txt'],
  ['crashes of initiators and of the target', 'crash.txt'],
  ['task management', 'task-management.txt'],
])('%s', (_what, file) => {
  const stage = new Stage();
  checkTranscript(new URL(`data/${file}`, import.meta.url), (lines) => lines.flatMap((line) => stage.run(line)));
});
