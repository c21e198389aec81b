import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { log } from './example.js';

it('the example of the README runs and prints what it says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = readFileSync(new URL('example.ts', import.meta.url), 'utf8');
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);
  expect(readme).toContain(`\`\`\`ts\n${readFileSync(new URL('counter.ts', import.meta.url), 'utf8')}\`\`\``);
  expect(readme).toContain(`\`\`\`text\n${log.join('\n')}\n\`\`\``);
});
