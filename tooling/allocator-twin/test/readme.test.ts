import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { example } from './example.js';

it('the README quotes the example, and what it prints', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const source = readFileSync(new URL('./example.ts', import.meta.url), 'utf8');
  expect(readme).toContain(`\`\`\`ts\n${source}\`\`\``);
  expect(readme).toContain(`\`\`\`\n${example().join('\n')}\n\`\`\``);
});
