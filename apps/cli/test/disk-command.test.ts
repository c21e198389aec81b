import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { itWith, pathOf } from '../../../tooling/oracle.js';
import { runCommand } from '../src/run-command.js';
import { capturedIo } from './captured-io.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-disk-'));
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

async function disk(...words: readonly string[]) {
  const io = capturedIo();
  const code = await runCommand(['disk', ...words], io);
  return { code, out: io.stdout.text, errors: io.stderr.text.replaceAll(folder, 'DIR') };
}

const FINE = { code: 0, out: '', errors: '' };

describe('quorate disk', () => {
  it('makes a VHDX by its name, says what it is and finds it well', async () => {
    expect(await disk('create', at('a.vhdx'), '64M', '--block-size', '1M')).toEqual(FINE);
    const { out } = await disk('info', at('a.vhdx'));
    expect(out).toMatch(/^format: +VHDX, dynamic$/m);
    expect(out).toMatch(/^disk size: +64 MiB \(67108864 bytes\)$/m);
    expect(out).toMatch(/^blocks in place: +0 of 64$/m);
    expect(await disk('check', at('a.vhdx'))).toMatchObject({ code: 0, out: `${at('a.vhdx')}: no errors\n` });
  });

  it('makes a raw image of any other name', async () => {
    expect(await disk('create', at('a.img'), '10M')).toEqual(FINE);
    expect(statSync(at('a.img')).size).toBe(10 * 1024 * 1024);
    const { out } = await disk('info', at('a.img'), '--json');
    expect(JSON.parse(out)).toEqual({ file: at('a.img'), format: 'raw', size: 10_485_760, fileSize: 10_485_760 });
  });

  it('converts there and back with equal content', async () => {
    const bytes = new Uint8Array(3 * 1024 * 1024).fill(0x5a, 1_000_000, 2_000_000);
    writeFileSync(at('from.img'), bytes);
    for (const type of ['fixed', 'dynamic']) {
      expect(await disk('convert', at('from.img'), at(`${type}.vhdx`), '--type', type, '--block-size', '1M')).toEqual(
        FINE,
      );
      expect(await disk('convert', at(`${type}.vhdx`), at(`${type}.img`))).toEqual(FINE);
      expect(Buffer.compare(readFileSync(at(`${type}.img`)), bytes)).toBe(0);
    }
  });

  it('grows an image, and shrinks it only where nothing is lost', async () => {
    await disk('create', at('r.img'), '1M');
    expect(await disk('resize', at('r.img'), '+1M')).toEqual(FINE);
    expect(statSync(at('r.img')).size).toBe(2 * 1024 * 1024);
    expect((await disk('resize', at('r.img'), '1M')).errors).toBe(
      'quorate: DIR/r.img: size: found "1048576", expected at least the 2097152 bytes that it has, or --discard\n',
    );
    expect(await disk('resize', at('r.img'), '1M', '--discard')).toEqual(FINE);
    expect(statSync(at('r.img')).size).toBe(1024 * 1024);
    await disk('create', at('r.vhdx'), '1M');
    expect(await disk('resize', at('r.vhdx'), '100G')).toEqual(FINE);
    expect((await disk('info', at('r.vhdx'))).out).toMatch(/^disk size: +100 GiB/m);
  });

  it('names what is wrong with an image, and where', async () => {
    await disk('create', at('torn.vhdx'), '1M');
    truncateSync(at('torn.vhdx'), 70_000);
    const { code, out } = await disk('check', at('torn.vhdx'));
    expect(code).toBe(1);
    expect(out).toContain('error: log at byte 1048576: found 1048576 bytes, expected an end before that of the file');
    expect((await disk('info', at('torn.vhdx'))).errors).toMatch(/^quorate: DIR\/torn\.vhdx: log at byte 1048576/);
  });

  it.each([
    [['create', 'a.vhdx', '1M'], 'DIR/a.vhdx: EEXIST'],
    [['create', 'b.img', '-1'], 'size: found "-1", expected a size in bytes'],
    [['create', 'b.img', 'much'], 'size: found "much", expected a size in bytes, or with k, M, G or T: 64M'],
    [['create', 'b.img', '1000'], 'size: found 1000, expected a multiple of 512 bytes'],
    [['create', 'b.img', '1M', '--type', 'fixed'], '--type: a raw image has none, expected --format vhdx'],
    [
      ['create', 'b.vhdx', '1M', '--block-size', '3M'],
      'DIR/b.vhdx: /blockSize: found "3145728", expected a power of two from 1 MiB to 256 MiB',
    ],
    [['info', 'nowhere'], 'DIR/nowhere: ENOENT'],
    [['convert', 'a.vhdx', 'a.img'], 'DIR/a.img: EEXIST'],
  ])('%j: %s', async ([command = '', file = '', ...rest], message) => {
    const words = rest.map((word) => (word.includes('.') ? at(word) : word));
    const { code, out, errors } = await disk(command, at(file), ...words);
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(errors).toContain(message);
    expect(existsSync(at('b.vhdx'))).toBe(false);
  });

  itWith(['qemu-img'], 'qemu-img takes what we make, and we what it makes', async () => {
    const run = (...words: readonly string[]): string => execFileSync(pathOf('qemu-img')!, words, { encoding: 'utf8' });
    const bytes = new Uint8Array(2 * 1024 * 1024).fill(7, 600_000, 700_000);
    writeFileSync(at('q.img'), bytes);
    await disk('convert', at('q.img'), at('ours.vhdx'));
    expect(run('check', at('ours.vhdx'))).toContain('No errors were found');
    expect(run('compare', '-f', 'raw', '-F', 'vhdx', at('q.img'), at('ours.vhdx'))).toContain('Images are identical');
    run('convert', '-f', 'raw', '-O', 'vhdx', at('q.img'), at('theirs.vhdx'));
    expect(await disk('convert', at('theirs.vhdx'), at('theirs.img'))).toEqual(FINE);
    expect(Buffer.compare(readFileSync(at('theirs.img')), bytes)).toBe(0);
  });
});
