import { it } from 'vitest';
import { Stage } from './stage.js';
import { playTranscript } from './transcript.js';

it.each([
  ['service times, attributes and the limit in service', 'service.txt'],
  ['a fence races with the write of its victim', 'fencing.txt'],
  ['crashes of initiators and of the target', 'crash.txt'],
  ['task management', 'task-management.txt'],
])('%s', (_what, file) => {
  const stage = new Stage();
  playTranscript(file, (line) => stage.run(line));
});
