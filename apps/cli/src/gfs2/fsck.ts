import { check, type Finding, repair } from '@quorate/gfs2';
import type { CommandIo } from '../command-io.js';
import { randomPrng, wallNow } from './mounted-volume.js';
import { openForReading, StoreDevice, withStore } from './volume-image.js';

/** Exit codes of fsck.gfs2. */
const Fsck = { clean: 0, corrected: 1, errorsLeft: 4, operational: 8, usage: 16 } as const;

export interface FsckOptions {
  readonly n?: boolean;
  readonly y?: boolean;
  readonly q?: boolean;
  /** Whether the quota records are looked at too. */
  readonly quotas?: boolean;
}

/** Checks a volume, or mends it, and gives the exit code. */
export async function fsck(
  path: string,
  { n = false, y = false, q = false, quotas }: FsckOptions,
  io: CommandIo,
): Promise<number> {
  if (n && y) {
    io.stderr.write('quorate: found -n and -y, expected one of them\n');
    return Fsck.usage;
  }
  return y ? await mend(path, q, quotas, io) : await look(path, q, quotas === true, io);
}

async function look(path: string, isQuiet: boolean, hasQuotas: boolean, { stdout }: CommandIo): Promise<number> {
  const image = await openForReading(path);
  try {
    const findings = check(new StoreDevice(image.store), { hasQuotas });
    for (const finding of findings) stdout.write(lineOf(finding));
    if (isNoVolume(findings)) return Fsck.operational;
    if (!isQuiet) stdout.write(findings.length === 0 ? `${path}: clean\n` : `${path}: ${findings.length} findings\n`);
    return findings.length === 0 ? Fsck.clean : Fsck.errorsLeft;
  } finally {
    await image.close();
  }
}

async function mend(
  path: string,
  isQuiet: boolean,
  hasQuotas: boolean | undefined,
  { stdout }: CommandIo,
): Promise<number> {
  const world = { wall: wallNow(), prng: randomPrng() };
  const options = hasQuotas === undefined ? world : { ...world, hasQuotas };
  const { found, left } = await withStore(path, (store) => repair(new StoreDevice(store), options));
  if (isNoVolume(left)) {
    stdout.write(left.map(lineOf).join(''));
    return Fsck.operational;
  }
  const texts = new Set(left.map(({ text }) => text));
  for (const finding of found) {
    if (texts.has(finding.text)) stdout.write(`left: ${lineOf(finding)}`);
    else if (!isQuiet) stdout.write(`mended: ${lineOf(finding)}`);
  }
  if (!isQuiet) stdout.write(`${path}: ${left.length > 0 ? `${left.length} findings are left` : 'clean'}\n`);
  if (left.length > 0) return Fsck.errorsLeft;
  return found.length > 0 ? Fsck.corrected : Fsck.clean;
}

function isNoVolume(findings: readonly Finding[]): boolean {
  return findings.some(({ rule }) => rule === 'superblock');
}

function lineOf({ pass, block, text }: Finding): string {
  return `${pass}: block ${block}: ${text}\n`;
}
