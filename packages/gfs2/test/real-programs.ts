import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lacksPrograms, oracleEnv } from '../../../tooling/oracle.js';
import { volumeListing } from '../src/listing.js';
import type { Volume } from '../src/volume.js';
import { SparseImage } from './sparse-image.js';

/** Whether a program is installed. Where oracles are required its absence is an error. */
export function hasProgram(name: string): boolean {
  return lacksPrograms(name) === undefined;
}

/** Runs a program that may be where only administrators look, with a file as its descriptor 3. */
function run(name: string, args: readonly string[], file: number) {
  return spawnSync(name, args, { env: oracleEnv, maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe', file] });
}

/** The scratch file of fsck.gfs2, which has no name, and what it holds: most images are the last one with a few changes. */
let scratch: { readonly fd: number; readonly held: SparseImage } | undefined;

function scratchFile(image: SparseImage): number {
  const fd = scratch?.fd ?? openUnnamed();
  if (scratch?.held.sizeBytes === image.sizeBytes) image.writeTo(fd, scratch.held);
  else {
    ftruncateSync(fd, 0);
    image.writeTo(fd);
  }
  scratch = { fd, held: image.fork() };
  return fd;
}

function openUnnamed(): number {
  const directory = mkdtempSync(join(tmpdir(), 'gfs2-'));
  const fd = openSync(join(directory, 'volume.img'), 'w+');
  rmSync(directory, { recursive: true });
  return fd;
}

/**
 * What `fsck.gfs2 -n` says to an image: exit code 0 is clean, 4 is findings, and what it prints beyond its progress. It exits
 * with 0 also after something that it would have repaired by itself.
 */
export function fsck(image: SparseImage): { status: number; complaints: string[] } {
  const { status, stdout, stderr } = run('fsck.gfs2', ['-n', '/dev/fd/3'], scratchFile(image));
  const complaints = `${stdout}${stderr}`.split(/[\r\n]/).filter((line) => line !== '' && !FSCK_PROGRESS.test(line));
  return { status: status ?? -1, complaints };
}

/** What `fsck.gfs2 -y` makes of an image: exit code 0 is clean, 1 is that it mended everything. */
export function fsckMend(image: SparseImage): { status: number; mended: SparseImage } {
  const fd = scratchFile(image);
  const { status } = run('fsck.gfs2', ['-y', '/dev/fd/3'], fd);
  const bytes = Buffer.alloc(image.sizeBytes);
  readSync(fd, bytes, 0, bytes.length, 0);
  const mended = SparseImage.fromBytes(bytes);
  scratch = { fd, held: mended.fork() };
  return { status: status ?? -1, mended };
}

const FSCK_PROGRESS =
  /^(Initializing fsck|Validating resource|Level 1 |\(level 1 passed|Journal recovery|Starting |Reconciling|\d+ percent complete|\w+ completed in |fsck.gfs2 complete)/;

/** What mkfs.gfs2 writes to a device of that size; what it complains about when it refuses. `args` do not name the device. */
export function realMkfs(sizeBytes: number, args: readonly string[], blocks?: number): SparseImage | string {
  const directory = mkdtempSync(join(tmpdir(), 'gfs2-'));
  const path = join(directory, 'volume.img');
  const fd = openSync(path, 'w+');
  try {
    ftruncateSync(fd, sizeBytes);
    const size = blocks === undefined ? [] : [String(blocks)];
    const { status, stderr } = run('mkfs.gfs2', ['-O', '-q', ...args, path, ...size], fd);
    if (status !== 0) return stderr.toString();
    const bytes = Buffer.alloc(Math.ceil(sizeBytes / 4096) * 4096);
    readSync(fd, bytes, 0, sizeBytes, 0);
    return SparseImage.fromBytes(bytes);
  } finally {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
}

const unpacked = new Map<string, SparseImage>();

/** One of the packed images, unpacked once; tests change forks of it only. Needs `xz`. */
export function recordedImage(name: 'tree-5j' | 'bs1024' | 'dirty-jid2'): SparseImage {
  let image = unpacked.get(name);
  if (image === undefined) {
    image = SparseImage.fromBytes(unxz(`${name}.img.xz`));
    unpacked.set(name, image);
  }
  return image;
}

/** The lines of a packed listing. Needs `xz`. */
export function recordedList(name: 'tree-5j' | 'bs1024' | 'dirty-jid2.after-replay'): string[] {
  return unxz(`${name}.list.xz`).toString('utf8').trimEnd().split('\n');
}

function unxz(file: string): Buffer {
  const packed = openSync(new URL(`./data/images/${file}`, import.meta.url), 'r');
  try {
    return run('xz', ['-dc', '/dev/fd/3'], packed).stdout;
  } finally {
    closeSync(packed);
  }
}

/** What an image holds, as `recordedList` has it. */
export function listing(volume: Volume): string[] {
  return [...volumeListing(volume, (bytes) => createHash('sha256').update(bytes).digest('hex'))];
}
