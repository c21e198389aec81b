import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { log } from './example.js';
import { growTogether } from './example-allocator.js';
import { notes } from './example-client.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it.each([
  ['example.ts', log],
  ['example-client.ts', await notes()],
  ['example-allocator.ts', growTogether()],
])('%s runs and prints what the README says', (file, lines) => {
  const example = readFileSync(new URL(file, import.meta.url), 'utf8');
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);
  expect(readme).toContain(`\`\`\`text\n${lines.join('\n')}\n\`\`\``);
});
