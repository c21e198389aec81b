import { readFileSync } from 'node:fs';
import { type ConfigError, getU64, Prng, viewOf } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { check } from '../src/check.js';
import type { WritableDevice } from '../src/device.js';
import type { MkfsOptions } from '../src/mkfs/options.js';
import { mkfs } from '../src/mkfs.js';
import { decodeStatfsChange } from '../src/ondisk/accounting.js';
import type { Dinode } from '../src/ondisk/dinode.js';
import { DINODE_BYTES } from '../src/ondisk/geometry.js';
import { isMetaBlock, META_TYPE } from '../src/ondisk/meta-header.js';
import { decodeRgrpHeader } from '../src/ondisk/rgrp-header.js';
import { Volume } from '../src/volume.js';
import { randomGeometry } from './random-geometry.js';
import { fsck, hasProgram, realMkfs } from './real-programs.js';
import { SparseImage } from './sparse-image.js';

/** A file as mkfs.gfs2 3.5 made it; recordings name some of what it has. */
interface FileLayout {
  readonly name: string;
  readonly addr: number;
}

/** What mkfs.gfs2 3.5 laid out. `rindex` has the columns addr, length, data0, data, bitbytes, free, dinodes, skip. */
interface Layout {
  readonly device: string;
  readonly options: string;
  readonly bsize: number;
  readonly deviceBlocks: number;
  readonly journals: readonly FileLayout[];
  readonly masterFiles: readonly FileLayout[];
  readonly perNode: readonly FileLayout[];
  readonly master: { readonly formal: number; readonly addr: number };
  readonly root: { readonly formal: number; readonly addr: number };
  readonly statfs: { readonly total: number; readonly free: number; readonly dinodes: number };
  readonly inum: number;
  readonly rindex: readonly (readonly number[])[];
}

const { layouts } = JSON.parse(readFileSync(new URL('data/mkfs-layouts.json', import.meta.url), 'utf8')) as {
  readonly layouts: readonly Layout[];
};

const DEFAULTS = { wall: { sec: 1_782_900_000, nsec: 0 }, prng: new Prng(1, 2, 3, 4) };

/** `-p lock_dlm -t my-cluster:vol -j 5 -J 8` as we take it. */
function parseOptions(line: string): MkfsOptions {
  const value = (letter: string) => line.match(new RegExp(`-${letter} (\\S+)`))?.[1];
  const number = (letter: string, name: string) => (value(letter) ? { [name]: Number(value(letter)) } : {});
  return {
    ...DEFAULTS,
    lockProtocol: value('p')!,
    lockTable: value('t')!,
    ...number('j', 'journals'),
    ...number('J', 'journalMiB'),
    ...number('r', 'rgrpMiB'),
    ...number('b', 'blockSize'),
  };
}

function sizeOf(device: string): number {
  return Number.parseInt(device, 10) * 2 ** (device.endsWith('G') ? 30 : 20);
}

/** The system files that a layout names, as they are on a volume. */
function filesOf(volume: Volume, directory: string, names: readonly FileLayout[]) {
  return names.map(({ name }) => {
    const dinode = volume.systemFile(`${directory}${name}`) as Dinode;
    const { formalIno, addr, size, height, flags, payloadFormat, blocks } = dinode;
    return {
      name,
      formal: formalIno,
      addr,
      size,
      height,
      flags,
      payload: payloadFormat,
      blocks,
      sizeMiB: size / 2 ** 20,
    };
  });
}

function rgrpsOf(volume: Volume) {
  const rindex = volume.rindex();
  if (typeof rindex === 'string') throw new Error(rindex);
  return rindex.map(({ addr, length, data0, data, bitbytes }) => {
    const { free, dinodes, skip } = decodeRgrpHeader(volume.readBlock(addr)!)!;
    return [addr, length, data0, data, bitbytes, free, dinodes, skip];
  });
}

/** Takes all but the blocks of journals, which are hundreds of MiB on a large device. */
function withoutJournals(image: SparseImage): WritableDevice {
  return {
    sizeBytes: image.sizeBytes,
    write: (at, bytes) => {
      if (!isMetaBlock(bytes, META_TYPE.LH)) image.write(at, bytes);
    },
  };
}

describe.each(layouts)('$device $options', (layout) => {
  const image = new SparseImage(sizeOf(layout.device));
  const isLarge = image.sizeBytes > 2 ** 30;
  mkfs(parseOptions(layout.options), isLarge ? withoutJournals(image) : image);
  const volume = Volume.open(image)!;

  it('has every file and every resource group where mkfs.gfs2 puts it', () => {
    expect(volume.geometry.blockSize).toBe(layout.bsize);
    expect(volume.blocks).toBe(layout.deviceBlocks);
    expect(rgrpsOf(volume)).toEqual(layout.rindex);
    expect(filesOf(volume, '', layout.masterFiles)).toMatchObject(layout.masterFiles);
    expect(filesOf(volume, 'per_node/', layout.perNode)).toMatchObject(layout.perNode);
    expect(filesOf(volume, 'jindex/', layout.journals)).toMatchObject(layout.journals);
    for (const name of ['master', 'root'] as const) {
      expect(volume[name]).toMatchObject({ formalIno: layout[name].formal, addr: layout[name].addr });
    }
    const content = (name: string) => volume.read(volume.systemFile(name) as Dinode) as Uint8Array;
    expect(decodeStatfsChange(content('statfs'))).toEqual(layout.statfs);
    expect(getU64(viewOf(content('inum')), 0)).toBe(layout.inum);
  });

  it.skipIf(isLarge)('is clean', () => {
    expect(check(image)).toEqual([]);
  });
});

describe.skipIf(!hasProgram('fsck.gfs2'))('fsck.gfs2 accepts (skipped where it is not installed)', () => {
  it.each([512, 1024, 2048, 4096])('an empty file system with blocks of %i bytes', (blockSize) => {
    const image = new SparseImage(24 << 20);
    mkfs({ ...DEFAULTS, lockProtocol: 'lock_nolock', journalMiB: 8, blockSize }, image);
    expect(fsck(image)).toEqual({ status: 0, complaints: [] });
  });
});

/** How many geometries are drawn; `GEOMETRIES=50` for more. */
const GEOMETRIES = Number(process.env.GEOMETRIES ?? (isThorough ? 6 : 2));

describe.skipIf(!hasProgram('mkfs.gfs2'))('as mkfs.gfs2 does (skipped where it is not installed)', () => {
  it.each(Array.from({ length: GEOMETRIES }, (_, i) => i + 1))('a random geometry, seed %i', (seed) => {
    const { sizeBytes, options, args } = randomGeometry(Prng.derive({ hi: 0, lo: seed }, 'geometry'));
    const real = realMkfs(sizeBytes, args, options.blocks);
    const image = new SparseImage(Math.ceil(sizeBytes / 4096) * 4096);
    const make = () => mkfs({ ...DEFAULTS, ...options }, { ...sinkOf(image), sizeBytes });
    if (typeof real === 'string') {
      expect(real).toContain('will not fit');
      expect(make).toThrow(expect.objectContaining<Partial<ConfigError>>({ path: 'device' }));
      return;
    }
    make();
    expect(differences(real, image)).toEqual([]);
    expect(check(image)).toEqual([]);
    expect(fsck(image)).toEqual({ status: 0, complaints: [] });
  });
});

function sinkOf(image: SparseImage) {
  return { write: (at: number, bytes: Uint8Array) => image.write(at, bytes) };
}

/** Blocks that differ in more than times, first sequence numbers and the bytes in `rindex` that mean nothing. */
function differences(real: SparseImage, ours: SparseImage): string[] {
  const [volume, own] = [Volume.open(real)!, Volume.open(ours)!];
  const rindex = volume.systemFile('rindex') as Dinode;
  const { blockSize } = volume.geometry;
  const found: string[] = [];
  for (const at of real.differences(ours)) {
    for (let block = at / blockSize; block < (at + 4096) / blockSize; block++) {
      const [theirs, mine] = [volume, own].map((one) => comparable(one.readBlock(block)!, block, rindex));
      const byte = theirs!.findIndex((value, i) => value !== mine![i]);
      if (byte >= 0) found.push(`block ${block} of type ${theirs![7]}, byte ${byte}: ${mine![byte]}, ${theirs![byte]}`);
    }
  }
  if (JSON.stringify(volume.rindex()) !== JSON.stringify(own.rindex())) found.push('rindex');
  return found.slice(0, 5);
}

function comparable(bytes: Uint8Array, block: number, rindex: Dinode): Uint8Array {
  if (isMetaBlock(bytes, META_TYPE.LH)) {
    // Sequence number and what is computed over it.
    for (const [from, to] of [
      [24, 32],
      [44, 64],
    ]) {
      bytes.fill(0, from, to);
    }
  } else if (isMetaBlock(bytes, META_TYPE.DI)) {
    bytes.fill(0, 72, 96);
    if (block === rindex.addr && rindex.height === 0) bytes.fill(0, DINODE_BYTES);
  } else if (isMetaBlock(bytes, META_TYPE.LF)) bytes.fill(0, 52, 64);
  else if (
    !isMetaBlock(bytes, META_TYPE.QC) &&
    rindex.height > 0 &&
    block > rindex.addr &&
    block <= rindex.addr + rindex.blocks
  ) {
    bytes.fill(0);
  }
  return bytes;
}

describe('mkfs refuses', () => {
  it.each([
    [{ lockTable: 'noname' }, '-t'],
    [{ lockTable: 'a:b:c' }, '-t'],
    [{ lockTable: `${'x'.repeat(33)}:vol` }, '-t'],
    [{ lockTable: `alpha:${'x'.repeat(31)}` }, '-t'],
    [{ lockTable: 'my cluster:vol' }, '-t'],
    [{ lockProtocol: 'lock_gulm' }, '-p'],
    [{ blockSize: 1000 }, '-b'],
    [{ rgrpMiB: 31 }, '-r'],
    [{ journals: 0 }, '-j'],
    [{ journalMiB: 7 }, '-J'],
    [{ format: 1803 }, '-o format'],
    [{ uuid: new Uint8Array(15) }, '-U'],
    [{ quotaChangeMiB: 65 }, '-c'],
    [{ blocks: 10_241 }, 'block-count'],
    [{ stripe: { unitBytes: 1000, widthBytes: 4000 } }, '-o sunit'],
    [{ stripe: { unitBytes: 4096, widthBytes: 6000 } }, '-o swidth'],
    [{ journals: 5, journalMiB: 8 }, 'device'],
  ])('%j', (options, path) => {
    const make = () => mkfs({ ...DEFAULTS, lockTable: 'my-cluster:vol', ...options }, new SparseImage(40 << 20));
    expect(make).toThrow(expect.objectContaining<Partial<ConfigError>>({ path }));
  });
});
