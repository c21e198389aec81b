import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { captureExample } from './capture-example.js';
import { example } from './example.js';

it.each([
  ['example', example],
  ['capture-example', captureExample],
])('the README quotes %s, and what it prints', (name, run) => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const source = readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8');
  expect(readme).toContain(source.replace('../src/index.js', '@quorate/trace'));
  expect(readme).toContain(`\`\`\`\n${run().join('\n')}\n\`\`\``);
});
