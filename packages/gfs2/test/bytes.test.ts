import fc from 'fast-check';
import { describe, it } from 'vitest';
import { decodeInumRange, decodeQuota, decodeQuotaChange, decodeStatfsChange } from '../src/ondisk/accounting.js';
import { decodeDinode } from '../src/ondisk/dinode.js';
import { decodeDirent } from '../src/ondisk/dirent.js';
import { decodeLeaf } from '../src/ondisk/leaf.js';
import { decodeLogDescriptor } from '../src/ondisk/log-descriptor.js';
import { GFS2_MAGIC } from '../src/ondisk/meta-header.js';
import { decodeRgrpHeader } from '../src/ondisk/rgrp-header.js';
import { decodeRindex } from '../src/ondisk/rindex.js';
import { decodeSuperblock } from '../src/ondisk/superblock.js';
import { decodeXattr } from '../src/ondisk/xattr.js';

const BLOCK = 4096;

/** A block of a disk, of any content; most begin with the magic number and a type. */
const block = fc
  .tuple(fc.option(fc.integer({ min: 0, max: 15 }), { freq: 5 }), fc.uint8Array({ maxLength: 400 }), fc.nat(255))
  .map(([type, bytes, filling]) => {
    const whole = new Uint8Array(BLOCK).fill(filling);
    whole.set(bytes);
    if (type === null) return whole;
    const view = new DataView(whole.buffer);
    view.setUint32(0, GFS2_MAGIC);
    view.setUint32(4, type);
    return whole;
  });

describe('no content of a block makes reading it throw', () => {
  it.each<[string, (block: Uint8Array) => unknown]>([
    ['superblocks', decodeSuperblock],
    ['resource groups', decodeRgrpHeader],
    ['dinodes', decodeDinode],
    ['leaves', decodeLeaf],
    ['directory entries', (bytes) => decodeDirent(bytes, 232)],
    ['extended attributes', (bytes) => decodeXattr(bytes, 24)],
    ['log descriptors', decodeLogDescriptor],
    ['the index of resource groups', decodeRindex],
    ['statfs figures', decodeStatfsChange],
    ['inode numbers', decodeInumRange],
    ['quotas', decodeQuota],
    ['quota changes', (bytes) => decodeQuotaChange(bytes, 3)],
  ])('%s', (_, decode) => {
    fc.assert(fc.property(block, (bytes) => void decode(bytes)));
  });
});
