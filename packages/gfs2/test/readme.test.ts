import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Volume } from '../src/index.js';
import { log } from './example.js';
import { growInTurns } from './example-allocator.js';
import { notes } from './example-client.js';
import { formattedDisk } from './formatted-disk.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const extents = growInTurns(Volume.open(formattedDisk(64).image)!);

it.each([
  ['example.ts', log],
  ['example-client.ts', await notes()],
  ['example-allocator.ts', extents],
])('%s runs and prints what the README says', (file, lines) => {
  const example = readFileSync(new URL(file, import.meta.url), 'utf8');
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);
  expect(readme).toContain(`\`\`\`text\n${lines.join('\n')}\n\`\`\``);
});
