import { MILLISECOND, Prng, utf8Bytes } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { check } from '../src/check.js';
import type { Gfs2Input, Gfs2Output } from '../src/gfs2-ports.js';
import type { Dinode } from '../src/ondisk/dinode.js';
import { Volume } from '../src/volume.js';
import { formattedDisk } from './formatted-disk.js';
import { Model, perform, randomOperation, treeOf } from './model.js';
import { NodeDriver, WALL } from './node-driver.js';
import { fsck, hasProgram } from './real-programs.js';

/** Carries out a random program of calls on a file system and on its model; both must answer the same. */
function runProgram(driver: NodeDriver, model: Model, prng: Prng, operations: number): void {
  for (let i = 0; i < operations; i++) {
    const operation = randomOperation(prng);
    const expected = model.apply(operation);
    expect(perform(driver, operation), `${i}: ${JSON.stringify(operation)}`).toBe(expected);
  }
}

const sorted = (tree: Map<string, string>) => [...tree].sort(([a], [b]) => (a < b ? -1 : 1));

/** How many programs are run; `PROGRAMS=300` for more. */
const PROGRAMS = Number(process.env.PROGRAMS ?? (isThorough ? 12 : 3));

describe('a random program of calls', () => {
  it.each(Array.from({ length: PROGRAMS }, (_, i) => [[512, 1024, 4096][i % 3]!, i + 1]))(
    'on blocks of %i bytes does what the model does and leaves a clean image (seed %i)',
    (blockSize, seed) => {
      const disk = formattedDisk(24, { blockSize });
      const driver = NodeDriver.mounted(disk);
      const model = new Model();
      runProgram(driver, model, Prng.derive({ hi: 0, lo: seed! }, 'calls'), 200);
      driver.unmount();
      expect(check(disk.image)).toEqual([]);
      if (hasProgram('fsck.gfs2')) expect(fsck(disk.image)).toEqual({ status: 0, complaints: [] });
      const again = NodeDriver.mounted(disk);
      expect(sorted(treeOf(again))).toEqual(sorted(model.tree()));
    },
  );
});

it('a mount that waits for a lock fails when it is given up, whatever comes after that; one that has ended stays', () => {
  const disk = formattedDisk(24, { blockSize: 4096 });
  const driver = new NodeDriver(disk, { protocol: 'lock_dlm', era: 'rhel6' });
  driver.input({ kind: 'mount', jid: 1, isFirst: false, options: '', wall: WALL });
  const asked = driver.outputs.filter((output) => output.kind === 'lock');
  expect([asked.length > 0, driver.has('mount-failed')]).toEqual([true, false]);
  driver.input({ kind: 'abort-mount' });
  expect(driver.outputs.find(({ kind }) => kind === 'mount-failed')).toMatchObject({ errno: 'EIO' });
  const { length } = driver.outputs;
  for (const { handle, mode } of asked) driver.input({ kind: 'lock-cast', handle, status: 0, mode, flags: 0 });
  driver.pass(10 * MILLISECOND);
  expect(driver.outputs.slice(length).filter(({ kind }) => kind !== 'unlock')).toEqual([]);

  const mounted = NodeDriver.mounted(disk);
  mounted.input({ kind: 'abort-mount' });
  expect(mounted.has('mount-failed')).toBe(false);
  mounted.unmount();
});

it('a file system is busy while a file is being opened, and can be unmounted once it is closed', () => {
  const disk = formattedDisk(24, { blockSize: 4096 });
  const first = NodeDriver.mounted(disk);
  const made = first.run({ kind: 'open', path: '/file', flags: { write: true, create: true } }) as number;
  first.run({ kind: 'pwrite', fd: made, offset: 0, bytes: utf8Bytes('text') });
  first.run({ kind: 'close', fd: made });
  first.unmount();
  const driver = NodeDriver.mounted(disk);
  // The disk takes its time.
  const outputs: Gfs2Output[] = [];
  const hold = (input: Gfs2Input): void => driver.gfs2.step(driver.now, input, (output) => outputs.push(output));
  hold({ kind: 'operation', id: 1000, operation: { kind: 'open', path: '/file' } });
  hold({ kind: 'unmount', isLast: true });
  expect(outputs.map(({ kind }) => kind)).toEqual(['read', 'unmount-failed']);
  for (const output of outputs) {
    if (output.kind !== 'read') continue;
    hold({ kind: 'io-done', id: output.id, data: disk.read(output.block, output.count) });
  }
  const opened = outputs.find((output) => output.kind === 'result');
  expect(opened).toMatchObject({ id: 1000 });
  driver.run({ kind: 'close', fd: opened!.result as number });
  driver.unmount();
  expect(check(disk.image)).toEqual([]);
});

it.each(['pwrite', 'fallocate'] as const)(
  'a file that gets 3,000,000 bytes by one %s lies as the kernel laid it',
  (kind) => {
    const disk = formattedDisk(64, { blockSize: 4096 });
    const driver = NodeDriver.mounted(disk);
    const fd = driver.run({ kind: 'open', path: '/file', flags: { write: true, create: true } }) as number;
    const bytes = new Uint8Array(3_000_000);
    if (kind === 'pwrite') driver.run({ kind, fd, offset: 0, bytes });
    else driver.run({ kind, fd, offset: 0, length: bytes.length });
    driver.run({ kind: 'close', fd });
    driver.unmount();
    const volume = Volume.open(disk.image)!;
    const file = volume.lookup('/file') as Dinode;
    const extents = [...volume.extents(file)].map(({ block, count }) => [block - file.addr, count]);
    // What FIEMAP said of such a file under Linux 6.1: an indirect block lies in each gap.
    expect(extents).toEqual([
      [1, 483],
      [485, 26],
      [512, 224],
    ]);
  },
);
