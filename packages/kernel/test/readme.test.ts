import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as kernel from '../src/index.js';
import { example } from './example.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('the README quotes the example, and what it prints', () => {
  const source = readFileSync(new URL('./example.ts', import.meta.url), 'utf8');
  expect(readme).toContain(source.replace('../src/index.js', '@quorate/kernel'));
  expect(readme).toContain(`\`\`\`\n${example().join('\n')}\n\`\`\``);
});

it('the README names no export that is not there', () => {
  const table = /\| export(.*?)\n\n/s.exec(readme)![1]!;
  const names = [...table.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
  const types = new Set([
    'Machine',
    'Nanos',
    'Task',
    'Program',
    'Os',
    'Fact',
    'Observe',
    'Invariant',
    'Choices',
    'World',
    'TextEncoder',
  ]);
  expect(names.filter((name) => !(name in kernel) && !types.has(name))).toEqual([]);
});
