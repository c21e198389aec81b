import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hex } from '@quorate/kernel';
import type { SparseStore } from '@quorate/scsi';
import { expect, it } from 'vitest';
import { itWith, oracleEnv } from '../../../tooling/oracle.js';
import { DEVICES, TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';
import { formattedDisk } from './volume.js';

const { path: DEVICE, start: START, blocks: BLOCKS } = DEVICES[1]!;

function machineWith(store: SparseStore): TestMachine {
  const machine = new TestMachine({ programs: { ...TEST_PROGRAMS, '/etc/rc.d/rc': TEST_PROGRAMS.echo! }, store });
  machine.boot();
  return machine;
}

/** Marks a free block as used, in the bitmap of the last resource group. */
function damaged(): SparseStore {
  const store = formattedDisk();
  const sector = new Uint8Array(512);
  const isHeader = (): boolean => hex(sector, 0, 8) === '0116197000000002';
  let header = START + BLOCKS - 8;
  do {
    header -= 8;
    store.read(header, 1, sector);
  } while (!isHeader());
  // The first four blocks of the second sector's part of the bitmap.
  store.read(header + 1, 1, sector);
  expect(sector[0]).toBe(0);
  sector[0] = 1;
  store.write(header + 1, sector);
  return store;
}

itWith(['fsck.gfs2'], 'a sound file system: fsck.gfs2 says the same, but for what it takes', () => {
  const store = formattedDisk();
  const image = new Uint8Array(BLOCKS * 512);
  store.read(START, BLOCKS, image);
  const directory = mkdtempSync(join(tmpdir(), 'quorate-fsck-'));
  try {
    const path = join(directory, 'volume.img');
    writeFileSync(path, image);
    const untimed = (text: string): string => text.replace(/\d\.\d{3}s/g, '');
    const theirs = execFileSync('fsck.gfs2', ['-n', path], { env: oracleEnv, encoding: 'utf8' });
    const ours = machineWith(store).type(`fsck.gfs2 -n ${DEVICE}`)!;
    expect(ours).toMatchObject({ status: 0, errors: '' });
    expect(untimed(ours.output)).toBe(untimed(theirs));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it('damage is told, mended when that is wanted, and gone then', () => {
  const machine = machineWith(damaged());
  const found = /Reconciling bitmaps\.\n(Block .*\n)*Block \d+: block \d+ is in state 1, 0 is right\n/;
  const looked = machine.type(`fsck.gfs2 -n ${DEVICE}`)!;
  expect(looked).toMatchObject({ status: 4, errors: '' });
  expect(looked.output).toMatch(found);
  const asked = machine.type(`echo n | fsck.gfs2 ${DEVICE}`)!;
  expect(asked.status).toBe(4);
  expect(asked.output).toContain('Okay to fix what was found? (y/n) ');
  const mended = machine.type(`fsck.gfs2 -y ${DEVICE}`)!;
  expect(mended.status).toBe(1);
  expect(mended.output).toContain('\nFixed: Block ');
  expect(machine.type(`fsck.gfs2 -a ${DEVICE}`)).toMatchObject({
    status: 0,
    output: `Initializing fsck\n${DEVICE}: clean.\n`,
  });
});

it('what has no file system is not mended', () => {
  const store = formattedDisk();
  store.write(START + 128, new Uint8Array(512));
  const result = machineWith(store).type(`fsck.gfs2 -y ${DEVICE}`)!;
  expect(result.status).toBe(8);
  expect(result.output).toContain('no superblock at byte 65536');
});
