import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { invariants } from '../src/index.js';
import { log } from './example.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('the example of the README runs and prints what it says', () => {
  const example = readFileSync(new URL('example.ts', import.meta.url), 'utf8');
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);
  expect(readme).toContain(`\`\`\`text\n${log.join('\n')}\n\`\`\``);
});

it('the README names every invariant', () => {
  for (const { id, name } of invariants) expect(readme).toContain(`**${id} ${name}**`);
});
