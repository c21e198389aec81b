import { Prng } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import type { Operation, OperationResults, Stat } from '../src/calls/operation.js';
import { check } from '../src/check.js';
import { volumeListing } from '../src/listing.js';
import { repair } from '../src/repair.js';
import { Volume } from '../src/volume.js';
import { garden } from './damaged-images.js';
import { MemoryDisk } from './memory-disk.js';
import { metadataBlocks, mutate } from './mutate.js';
import { NodeDriver, WALL } from './node-driver.js';
import { fsck, hasProgram } from './real-programs.js';
import type { SparseImage } from './sparse-image.js';

/** How many images are mutated, and the first seed; `MUTATIONS=20000` for all that the issue wants. */
const MUTATIONS = Number(process.env.MUTATIONS ?? (isThorough ? 60 : 24));
const FIRST = Number(process.env.MUTATION ?? 1);

/** Images that something was wrong with once. */
const FOUND = [
  // A directory entry leads to a block that another inode is writing: an assertion failed.
  4639,
  // The repair, mounting the volume, asked for a block behind its end.
  7768,
  // The bitmap has an inode in use as free: a new one was to be there, over and over.
  8993, 14_174,
  // The check read a journal's quota file where its dinode says that it is.
  16_210,
  // The log was written where a damaged pointer of its journal leads, which is no block.
  16_925,
  // The `quota` file could not be locked: the glock of the record stayed held.
  19_741,
];

const clean = garden().image;
const metadata = metadataBlocks(clean);

function mutated(seed: number): SparseImage {
  const image = clean.fork();
  mutate(image, metadata, Prng.derive({ hi: 0, lo: seed }, 'mutations'));
  return image;
}

/** Looks at every image, and then fails for those with which something went wrong, by their seeds. */
function forEachSeed(look: (seed: number) => void): void {
  const failures: string[] = [];
  for (const seed of [...FOUND, ...Array.from({ length: MUTATIONS }, (_, i) => FIRST + i)]) {
    try {
      look(seed);
    } catch (error) {
      failures.push(`seed ${seed}: ${(error as Error).stack}`);
    }
  }
  expect(failures.join('\n')).toBe('');
}

it(`of ${MUTATIONS} images with mutated metadata none keeps the check or the repair busy for ever`, () => {
  let mended = 0;
  forEachSeed((seed) => {
    const image = mutated(seed);
    const { left } = repair(image, { wall: WALL, prng: new Prng(1, 2, 3, 4) });
    expect(check(image), `seed ${seed}`).toHaveLength(Math.min(1000, left.length));
    if (left.length > 0) return;
    mended += 1;
    if (mended % 8 === 1 && hasProgram('fsck.gfs2')) expect(fsck(image), `seed ${seed}`).toEqual(AGREED);
  });
  // What is left has lost its superblock or a part of its journal.
  expect(mended).toBeGreaterThan(0.8 * (MUTATIONS + FOUND.length));
});

const AGREED = { status: 0, complaints: [] };

it(`${MUTATIONS} mutated images are read by path and by mount: every call ends, with an error that has a name`, () => {
  const outcomes = new Map<string, number>();
  const count = (outcome: string): void => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  forEachSeed((seed) => {
    const image = mutated(seed);
    const volume = Volume.open(image);
    const lines = volume === undefined ? 0 : [...volumeListing(volume, () => '')].length;
    expect(lines > 0, `seed ${seed}`).toBe(volume !== undefined && volume.root !== 'EIO');
    const driver = new NodeDriver(new MemoryDisk(4096, image));
    driver.fault = (output) => {
      const count = output.kind === 'read' ? output.count : output.kind === 'write' ? output.data.length / 4096 : 0;
      const isInside = !('block' in output) || (output.block + count) * 4096 <= image.sizeBytes;
      if (!isInside && output.kind === 'write') throw new Error(`a write outside, to block ${output.block}`);
      return isInside ? undefined : 'EIO';
    };
    driver.input({ kind: 'mount', jid: 0, isFirst: true, options: 'quota=on,relatime', wall: WALL });
    if (driver.has('mounted')) {
      visit(driver, '', count, new Set());
      keepUp(driver, image.sizeBytes / 4096, count, seed % 16 === 0);
    } else count('not mounted');
  });
  for (const outcome of outcomes.keys()) expect(outcome).toMatch(/^(E[A-Z0-9]+|done|not mounted)$/);
});

/** What administrators do to a volume. */
function keepUp(driver: NodeDriver, deviceBlocks: number, count: (outcome: string) => void, isLong: boolean): void {
  const operations: Operation[] = [
    { kind: 'trim' },
    { kind: 'setquota', of: 'user', id: 3, limit: 50 },
    { kind: 'syncquota' },
    { kind: 'getquota', of: 'user', id: 3 },
    { kind: 'freeze' },
    { kind: 'thaw' },
    { kind: 'grow', deviceBlocks },
    ...(isLong ? [{ kind: 'add-journals', count: 1, journalMiB: 8, quotaChangeMiB: 1 } as const] : []),
    { kind: 'sync' },
  ];
  for (const operation of operations) {
    const result = driver.run(operation);
    count(typeof result === 'string' ? result : 'done');
  }
}

/** Reads everything, and changes a little everywhere. */
function visit(driver: NodeDriver, path: string, count: (outcome: string) => void, seen: Set<number>): void {
  const stat = driver.run({ kind: 'lstat', path: path || '/' });
  if (typeof stat === 'string') return count(stat);
  const { inode, type, size } = stat as Stat;
  if (seen.has(inode)) return;
  seen.add(inode);
  const tell = (result: unknown): void => count(typeof result === 'string' ? result : 'done');
  tell(driver.run({ kind: 'listxattr', path: path || '/', isLinkFollowed: false }));
  if (type === 'symlink') tell(driver.run({ kind: 'readlink', path }));
  else if (type === 'file') {
    const fd = driver.run({ kind: 'open', path, flags: { write: true } });
    if (typeof fd !== 'number') return count(String(fd));
    tell(driver.run({ kind: 'pread', fd, offset: Math.max(0, size - 10_000), length: 10_000 }));
    tell(driver.run({ kind: 'pwrite', fd, offset: 5000, bytes: new Uint8Array(5000) }));
    tell(driver.run({ kind: 'ftruncate', fd, size: 3 }));
    tell(driver.run({ kind: 'close', fd }));
  } else if (type === 'directory') {
    tell(driver.run({ kind: 'mkdir', path: `${path}/made here` }));
    const entries = driver.run({ kind: 'readdir', path: path || '/' }) as OperationResults['readdir'] | string;
    if (typeof entries === 'string') return count(entries);
    for (const { name } of entries.slice(0, 30))
      if (name !== 'made here') visit(driver, `${path}/${name}`, count, seen);
  }
}
