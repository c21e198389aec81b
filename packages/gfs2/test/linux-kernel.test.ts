import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Prng } from '@quorate/kernel';
import { afterAll, expect, it } from 'vitest';
import { lacksForGuest, runGuest } from '../../../tooling/linux-guest/guest.js';
import { itUnless } from '../../../tooling/oracle.js';
import { isThorough } from '../../../tooling/thorough.js';
import { check } from '../src/check.js';
import { repair } from '../src/repair.js';
import { Volume } from '../src/volume.js';
import { CrashWorkload } from './crash-workload.js';
import { formattedDisk } from './formatted-disk.js';
import { WALL } from './node-driver.js';
import { fsck, listing } from './real-programs.js';
import { SparseImage } from './sparse-image.js';

/** In the order in which they can be loaded. */
const MODULES = [
  ...['virtio_ring', 'virtio', 'virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci', 'virtio_blk'],
  ...['crc32c_generic', 'libcrc32c', 'configfs', 'dlm', 'gfs2'],
];

/** Where everything of one run is. */
const folder = mkdtempSync(join(tmpdir(), 'quorate-gfs2-'));
afterAll(() => rmSync(folder, { recursive: true }));

const own = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const empty = (blockSize: number) =>
  formattedDisk(160, { journals: 5, lockTable: 'my-cluster:storage', rgrpMiB: 32, blockSize });

/** What nodes leave when they lose power in the middle of their work, and what they leave when they end in order. */
const LEFT = [
  { name: 'power cut', image: cut(4096, 2), errors: '' },
  // The target of a symbolic link is in its dinode.
  { name: 'small blocks', image: cut(1024, 4), errors: 'ln: a/b/long-symlink: File name too long' },
  { name: 'power cut, all five nodes', image: cut(4096, 1), errors: '' },
  { name: 'power cut, the others at rest', image: cut(4096, 3), errors: '' },
  { name: 'unmounted', image: unmounted(5), errors: '' },
];

/** The first so many Linux adds something to. */
const WRITTEN = 2;

function cut(blockSize: number, seed: number): SparseImage {
  return new CrashWorkload(empty(blockSize), seed).run();
}

function unmounted(seed: number): SparseImage {
  const workload = new CrashWorkload(empty(4096), seed);
  workload.run();
  workload.recover();
  return workload.cluster.disk.image;
}

function written(image: SparseImage, name: string): string {
  const path = join(folder, name);
  const file = openSync(path, 'w');
  image.writeTo(file);
  closeSync(file);
  truncateSync(path, image.sizeBytes);
  return path;
}

const linesOf = (name: string): string[] =>
  readFileSync(join(folder, 'out', name), 'utf8')
    .replace(/\n$/, '')
    .split('\n');

/** The tree is large: of extended attributes Linux lists those where the names say that there are any. */
const isListed = (line: string): boolean => !line.startsWith('xattr|') || /^xattr\|[^|]*xattr/.test(line);

it('there are dirty journals among them', () => {
  expect(LEFT.filter(({ image }) => check(image).length > 0).length).toBeGreaterThan(2);
});

itUnless(
  isThorough ? lacksForGuest(['gcc', 'tar']) : 'QUORATE_REQUIRE_ORACLES=1 boots a kernel for it',
  'Linux mounts what our nodes leave, finds what we find there, and what it adds we read to the last attribute',
  async () => {
    const tool = join(folder, 'tool');
    execFileSync('gcc', ['-static', '-O1', '-w', '-x', 'c', own('data/kernel/tool.c.txt'), '-o', tool]);
    const volumes = LEFT.map(({ image }, i) => written(image, `volume-${i}`));
    const results = join(folder, 'results');
    writeFileSync(results, '');
    truncateSync(results, 64 << 20);
    const console = await runGuest(folder, {
      work: own('linux-kernel.sh'),
      modules: MODULES,
      variables: { WRITTEN: String(WRITTEN) },
      files: {
        'in/list.sh': own('data/kernel/list.sh'),
        'in/populate.sh': own('data/kernel/populate.sh'),
        'in/coll.txt': own('data/kernel/colliding-names.txt'),
        'in/tool': tool,
      },
      disks: [...volumes, results],
    });
    mkdirSync(join(folder, 'out'));
    try {
      execFileSync('tar', ['-xf', results, '-C', join(folder, 'out')], { stdio: 'ignore' });
    } catch {
      throw new Error(`no results: ${console.slice(-2000)}`);
    }
    for (const [i, { name, image, errors }] of LEFT.entries()) {
      const disk = `vd${String.fromCharCode(97 + i)}`;
      const replayed = image.fork();
      repair(replayed, { wall: WALL, prng: new Prng(1, 2, 3, 4) });
      expect(linesOf(`${disk}.errors`), name).toEqual([errors]);
      expect(linesOf(`${disk}.before`), name).toEqual(listing(Volume.open(replayed)!));
      if (i >= WRITTEN) continue;
      const after = SparseImage.fromBytes(readFileSync(volumes[i]!));
      expect(linesOf(`${disk}.after`), name).toEqual(listing(Volume.open(after)!).filter(isListed));
      expect(
        check(after).filter(({ rule }) => rule !== 'unlinked'),
        name,
      ).toEqual([]);
      expect(fsck(after).status % 4, name).toBe(0);
    }
    expect(linesOf('kernel-log').filter((line) => /GFS2.*(fatal|error|withdr)/i.test(line))).toEqual([]);
  },
  600_000,
);
