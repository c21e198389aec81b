import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DEFAULT_LIMITS, invariants } from '../src/index.js';
import { log } from './example.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('the example of the README is the one that runs', () => {
  const example = readFileSync(new URL('example.ts', import.meta.url), 'utf8');
  expect(/```ts\n(.*?)```/s.exec(readme)![1]).toBe(example);
});

it('the example prints what the README says', () => {
  expect(/```text\n(.*?)```/s.exec(readme)![1]).toBe(`${log.join('\n')}\n`);
});

it('the README names every invariant and every limit', () => {
  for (const { id, name } of invariants) expect(readme).toContain(`**${id} ${name}**`);
  for (const name of Object.keys(DEFAULT_LIMITS)) expect(readme).toContain(`\`${name}\``);
});
