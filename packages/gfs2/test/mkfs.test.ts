import { readFileSync } from 'node:fs';
import { type ConfigError, Prng } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { check } from '../src/check.js';
import type { MkfsOptions } from '../src/mkfs/options.js';
import { mkfs } from '../src/mkfs.js';
import { decodeStatfsChange } from '../src/ondisk/accounting.js';
import type { Dinode } from '../src/ondisk/dinode.js';
import { decodeRgrpHeader } from '../src/ondisk/rgrp-header.js';
import { Volume } from '../src/volume.js';
import { fsck, hasProgram } from './real-programs.js';
import { SparseImage } from './sparse-image.js';

/** What mkfs.gfs2 3.5 laid out. `rindex` has the columns addr, length, data0, data, bitbytes, free, dinodes, skip. */
interface Layout {
  readonly device: string;
  readonly options: string;
  readonly journals: readonly { readonly name: string; readonly formal: number; readonly addr: number }[];
  readonly masterFiles: readonly { readonly name: string; readonly addr: number; readonly size: number }[];
  readonly perNode: readonly { readonly name: string; readonly addr: number; readonly size: number }[];
  readonly root: { readonly formal: number; readonly addr: number };
  readonly statfs: { readonly total: number; readonly free: number; readonly dinodes: number };
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
function filesOf(volume: Volume, directory: string, names: readonly { readonly name: string }[]) {
  return names.map(({ name }) => {
    const { formalIno, addr, size, height, flags, payloadFormat } = volume.systemFile(`${directory}${name}`) as Dinode;
    return { name, formal: formalIno, addr, size, height, flags, payload: payloadFormat };
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

// The journals of the larger ones are hundreds of MiB.
describe.each(layouts.filter(({ device }) => sizeOf(device) <= 2 ** 30))('$device $options', (layout) => {
  const image = new SparseImage(sizeOf(layout.device));
  mkfs(parseOptions(layout.options), image);
  const volume = Volume.open(image)!;

  it('has every file and every resource group where mkfs.gfs2 puts it', () => {
    expect(rgrpsOf(volume)).toEqual(layout.rindex);
    expect(filesOf(volume, '', layout.masterFiles)).toMatchObject(layout.masterFiles);
    expect(filesOf(volume, 'per_node/', layout.perNode)).toMatchObject(layout.perNode);
    const placed = layout.journals.map(({ name, formal, addr }) => ({ name, formal, addr }));
    expect(filesOf(volume, 'jindex/', layout.journals)).toMatchObject(placed);
    expect(volume.root).toMatchObject({ formalIno: layout.root.formal, addr: layout.root.addr });
    const statfs = volume.read(volume.systemFile('statfs') as Dinode) as Uint8Array;
    expect(decodeStatfsChange(statfs)).toEqual(layout.statfs);
  });

  it('is clean', () => {
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
    [{ journals: 5, journalMiB: 8 }, 'device'],
  ])('%j', (options, path) => {
    const make = () => mkfs({ ...DEFAULTS, lockTable: 'my-cluster:vol', ...options }, new SparseImage(40 << 20));
    expect(make).toThrow(expect.objectContaining<Partial<ConfigError>>({ path }));
  });
});
