import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundled } from '../../../tooling/tsup.base.js';

let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-dlm-'));
  const entry = { counter: fileURLToPath(new URL('counter.ts', import.meta.url)) };
  await build({
    ...bundled,
    entry,
    outDir: directory,
    outExtension: () => ({ js: '.mjs' }),
    silent: true,
    config: false,
  });
});

afterAll(() => rmSync(directory, { recursive: true }));

it('four threads without a server count together', () => {
  expect(execFileSync(process.execPath, [join(directory, 'counter.mjs')], { encoding: 'utf8' })).toBe(
    'counted to 4000\n',
  );
});
