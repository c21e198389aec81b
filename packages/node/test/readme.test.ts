import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { log } from './example.js';
import { waitFor } from './example-program.js';
import { TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

it('the example of the README runs and prints what it says', () => {
  const readme = read('../README.md');
  expect(readme).toContain(`\`\`\`ts\n${read('example.ts')}\`\`\``);
  expect(readme).toContain(`\`\`\`text\n${log.join('\n')}\n\`\`\``);
});

it('the program of the README runs on a node', () => {
  expect(read('../README.md')).toContain(`\`\`\`ts\n${read('example-program.ts')}\`\`\``);
  const machine = new TestMachine({ programs: { ...TEST_PROGRAMS, 'wait-for': waitFor, '/etc/rc.d/rc': waitFor } });
  machine.boot();
  machine.type('spawn sh -c "sleep 5 ; echo x > /tmp/flag"');
  expect(machine.type('wait-for /tmp/flag')?.output).toBe('/tmp/flag is there\n');
});
