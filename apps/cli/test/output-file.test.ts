import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { OutputFile } from '../src/output-file.js';
import { UsageError } from '../src/usage-error.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = (text: string): Uint8Array => Buffer.from(text);

it('a file keeps what it had until the run writes it', () => {
  const path = join(folder, 'kept');
  writeFileSync(path, 'of the last run');
  const file = new OutputFile('--json', path);
  expect(readFileSync(path, 'utf8')).toBe('of the last run');
  file.begin();
  file.write(bytes('new '));
  file.write(bytes('text'));
  file.close();
  expect(readFileSync(path, 'utf8')).toBe('new text');
});

it('what is not written of a given length is zeros', () => {
  const path = join(folder, 'sparse');
  writeFileSync(path, 'x'.repeat(20));
  const file = new OutputFile('--image', path);
  file.begin(8);
  file.write(bytes('ab'), 4);
  file.close();
  expect([...readFileSync(path)]).toEqual([0, 0, 0, 0, 0x61, 0x62, 0, 0]);
  expect(statSync(path).size).toBe(8);
});

it.skipIf(process.platform === 'win32')('a device is written to as it is', () => {
  const file = new OutputFile('--json', '/dev/null');
  file.begin(100);
  file.write(bytes('text'));
  file.close();
});

it.skipIf(process.platform !== 'linux')('a full disk is told by name', () => {
  const file = new OutputFile('--json', '/dev/full');
  file.begin();
  expect(() => file.write(bytes('text'))).toThrow(new UsageError('cannot write /dev/full: ENOSPC'));
  file.close();
});
