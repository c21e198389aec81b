import { expect, it } from 'vitest';
import { EventNotFound, History } from '../src/index.js';

function historyOf(...lines: readonly string[]): History {
  const history = new History(4);
  for (const line of lines) history.add(line);
  return history;
}

it('is walked through with the arrow keys, and gives back what was being typed', () => {
  const history = historyOf('one', ' ', 'two');
  expect(history.next()).toBeUndefined();
  const walked = [history.previous('thr'), history.previous('two'), history.previous('one')];
  expect(walked).toEqual(['two', 'one', undefined]);
  expect([history.next(), history.next(), history.next()]).toEqual(['two', 'thr', undefined]);
});

it('begins behind a line that was typed', () => {
  const history = historyOf('one', 'two');
  history.previous('');
  history.add('three');
  expect(history.previous('')).toBe('three');
});

it('keeps so many lines, with the numbers that they had', () => {
  const history = historyOf('one', 'two', 'three', 'four', 'five');
  expect(history.text()).toBe('    2  two\n    3  three\n    4  four\n    5  five\n');
  expect(history.text(1)).toBe('    5  five\n');
  expect(history.expand('!2')).toBe('two');
});

it.each([
  ['!!', 'ssh my-vm2 date'],
  ['!! | wc', 'ssh my-vm2 date | wc'],
  ['!1', 'clustat'],
  ['!-2', 'df -h'],
  ['!clu', 'clustat'],
  ['!df; !ssh', 'df -h; ssh my-vm2 date'],
  ["echo '!!'", "echo '!!'"],
  ['echo \\!! no', 'echo \\!! no'],
  ['echo hello! x != y', 'echo hello! x != y'],
  ['plain', 'plain'],
])('%s is %s', (line, expected) => {
  expect(historyOf('clustat', 'df -h', 'ssh my-vm2 date').expand(line)).toBe(expected);
});

it.each(['!9', '!0', '!-4', '!none'])('%s is no line', (line) => {
  expect(() => historyOf('clustat', 'df').expand(line)).toThrow(new EventNotFound(line));
});
