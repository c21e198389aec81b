import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectIscsi, ScsiStatusError } from '@quorate/iscsi/node';
import { senseText, testUnitReady } from '@quorate/scsi';
import { afterAll, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { capturedIo } from './captured-io.js';
import { serve } from './serving.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-resize-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MIB = 1024 * 1024;
const FINE = { code: 0, errors: '' };
const at = (name: string): string => join(folder, name);

async function disk(...words: readonly string[]) {
  const io = capturedIo();
  const code = await runCommand(['disk', ...words], io);
  return { code, errors: io.stderr.text };
}

it.each([
  ['raw.img', []],
  ['thin.img', ['thin']],
  ['dynamic.vhdx', []],
])('%s is resized while it is served, and its initiators are told', async (name, words) => {
  await disk('create', at(name), '4M');
  const { url, io, stop } = await serve('--lun', [at(name), ...words].join(','));
  const events: string[] = [];
  const unit = await connectIscsi(url, {
    onUnitEvent: (lun, sense) => events.push(`LUN ${lun}: ${senseText(sense!)}`),
  });
  expect((await unit.readCapacity()).blocks).toBe((4 * MIB) / 512);

  expect(await disk('resize', at(name), '+4M')).toEqual(FINE);
  const { sense } = await unit.execute(testUnitReady());
  expect(senseText(sense!)).toBe('6/2A/09');
  expect(events).toEqual(['LUN 0: 6/2A/09']);
  expect((await unit.readCapacity()).blocks).toBe((8 * MIB) / 512);
  await unit.write((8 * MIB) / 512 - 1, new Uint8Array(512).fill(7));
  await unit.flush();

  expect((await disk('resize', at(name), '2M')).errors).toMatch(/\/size|size: found/);
  expect((await unit.readCapacity()).blocks).toBe((8 * MIB) / 512);
  expect(await disk('resize', at(name), '2M', '--discard')).toEqual(FINE);
  expect((await unit.readCapacity()).blocks).toBe((2 * MIB) / 512);
  await expect(unit.read((4 * MIB) / 512, 1)).rejects.toThrow(ScsiStatusError);
  await unit.close();

  expect(await stop()).toBe(0);
  expect(io.stderr.text).toContain('LUN 0: 16384 blocks now\n');
  expect(existsSync(`${at(name)}.control`)).toBe(false);
  if (name.endsWith('.img')) expect(statSync(at(name)).size).toBe(2 * MIB);
  expect(await disk('check', at(name))).toEqual(FINE);
});

it('what is read only is not resized through its server', async () => {
  await disk('create', at('ro.img'), '1M');
  const { stop } = await serve('--lun', `${at('ro.img')},ro`);
  expect(existsSync(`${at('ro.img')}.control`)).toBe(false);
  await stop();
});
