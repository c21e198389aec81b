import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { viewOf } from '@quorate/kernel';
import { NodeFile } from '@quorate/scsi/node';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundled } from '../../../tooling/tsup.base.js';
import { checkVhdx, VhdxError } from '../src/index.js';
import { createVhdxFile, ImageInUseError, openVhdxFile } from '../src/node/index.js';
import { MIB, sectors } from './images.js';
import { BYTES_PER_WRITE, batchOf, DISK_BYTES } from './kill-load.js';
import { itWithQemu, run } from './oracle.js';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(`${tmpdir()}/vhdx-`);
});
afterAll(() => rmSync(directory, { recursive: true }));

function checkFile(path: string): unknown[] {
  const file = new NodeFile(path, { isReadOnly: true });
  try {
    return checkVhdx(file).filter(({ severity }) => severity === 'error');
  } finally {
    file.close();
  }
}

describe('files of the host', () => {
  it('are made, written, closed and opened again', () => {
    const path = `${directory}/first.vhdx`;
    createVhdxFile(path, { size: 8 * MIB });
    const opened = openVhdxFile(path);
    opened.image.write(3, sectors(5));
    opened.close();
    const again = openVhdxFile(path, { isReadOnly: true });
    const bytes = sectors(0);
    again.image.read(3, 1, bytes);
    again.close();
    expect(bytes).toEqual(sectors(5));
    expect(() => createVhdxFile(path, { size: MIB })).toThrow('EEXIST');
    expect(() => createVhdxFile(`${directory}/none.vhdx`, { size: 7 })).toThrow('/size');
    expect(existsSync(`${directory}/none.vhdx`)).toBe(false);
  });

  it('one that is open for writing is not opened again, and can be when it is closed', () => {
    const path = `${directory}/lock.vhdx`;
    createVhdxFile(path, { size: 8 * MIB });
    const opened = openVhdxFile(path);
    expect(() => openVhdxFile(path)).toThrow(ImageInUseError);
    expect(() => openVhdxFile(path, { isReadOnly: true })).toThrow(`process ${process.pid}`);
    opened.close();
    openVhdxFile(path).close();
    expect(readdirSync(directory).filter((name) => name.includes('.lock'))).toEqual([]);
  });

  it.each([
    ['no process has that id', '999999999 1\n'],
    ['another process has it now', `${process.pid} 1\n`],
    ['it says nothing', ''],
  ])('a lock is stale when %s', (_why, text) => {
    const path = `${directory}/stale.vhdx`;
    if (!existsSync(path)) createVhdxFile(path, { size: 8 * MIB });
    writeFileSync(`${path}.lock`, text);
    openVhdxFile(path).close();
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it('a file that is no image is refused, and not left locked', () => {
    const path = `${directory}/other`;
    writeFileSync(path, 'conectix');
    expect(() => openVhdxFile(path)).toThrow(VhdxError);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });
});

describe('a process that is killed while it writes', () => {
  /** Runs the writer until it has said so many batches, and kills it. Gives the last batch that it said. */
  function killAfter(path: string, first: number, batches: number): Promise<number> {
    const child = spawn(process.execPath, [script, path, `${first}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.split('\n').length > batches) child.kill('SIGKILL');
    });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (_status, signal) => {
        if (signal === 'SIGKILL') resolve(Number(said.trimEnd().split('\n').at(-1)));
        else reject(new Error(`the writer ended by itself: ${said}`));
      });
    });
  }

  /** Checks every place that was written up to `last`: it holds the batch that wrote it last, or a later one. */
  function expectAcknowledged(path: string, last: number): void {
    const opened = openVhdxFile(path);
    const latest = new Map<number, number>();
    for (let batch = 0; batch <= last; batch++) for (const lba of batchOf(batch)) latest.set(lba, batch);
    const bytes = new Uint8Array(BYTES_PER_WRITE);
    for (const [lba, batch] of latest) {
      opened.image.read(lba, BYTES_PER_WRITE / 512, bytes);
      expect(viewOf(bytes).getUint32(0)).toBeGreaterThanOrEqual(batch);
    }
    opened.close();
    expect(checkFile(path)).toEqual([]);
  }

  let script = '';
  beforeAll(async () => {
    const entry = fileURLToPath(new URL('kill-writer.ts', import.meta.url));
    const outDir = `${directory}/writer`;
    await build({ ...bundled, config: false, silent: true, entry: [entry], outDir });
    script = `${outDir}/${readdirSync(outDir).find((name) => /^kill-writer\.m?js$/.test(name))}`;
  });

  itWithQemu('has everything that it flushed, four times in a row', async () => {
    const path = `${directory}/killed.vhdx`;
    createVhdxFile(path, { size: DISK_BYTES, blockSize: MIB });
    let next = 0;
    for (const batches of [1, 7, 100, 300]) {
      const last = await killAfter(path, next, batches);
      expect(last).toBeGreaterThanOrEqual(next + batches - 1);
      expectAcknowledged(path, last);
      expect(run('qemu-img', 'check', '-f', 'vhdx', path)).toMatchObject({ status: 0 });
      next = last + 1;
    }
  });
});
