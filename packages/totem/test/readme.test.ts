import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { CorosyncNode } from '../src/node/index.js';
import { example } from './example.js';
import { ringExample } from './ring-example.js';

it('the README quotes the example, and what it prints', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const source = readFileSync(new URL('./example.ts', import.meta.url), 'utf8');
  const quoted = source
    .replace('../src/index.js', '@quorate/totem')
    .replace('../src/cpg/index.js', '@quorate/totem/cpg');
  expect(readme).toContain(quoted);
  expect(readme).toContain(example().join('\n'));
});

it('the README quotes the example of a real ring, which runs', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const source = readFileSync(new URL('./ring-example.ts', import.meta.url), 'utf8');
  const quoted = source
    .replace('../src/corosync/index.js', '@quorate/totem/corosync')
    .replace('../src/node/index.js', '@quorate/totem/node');
  expect(readme).toContain(quoted);
  const state = mkdtempSync(join(tmpdir(), 'quorate-ring-'));
  const totem = 'totem {\nversion: 2\ntransport: udpu\ninterface {\nmcastport: 5455\n}\n}\n';
  const conf = `${totem}nodelist {\nnode {\nring0_addr: 127.0.0.1\nnodeid: 1\n}\n}\n`;
  const said: string[] = [];
  const node = await new Promise<CorosyncNode>((resolve, reject) => {
    const started = ringExample(conf, 1, state, (line) => {
      said.push(line);
      if (line === 'group of 1') started.then(resolve, reject);
    });
  });
  node.close();
  rmSync(state, { recursive: true });
  expect(said).toEqual(['ring of 1', 'group of 1']);
});
