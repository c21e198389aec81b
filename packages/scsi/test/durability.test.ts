import { concatBytes, fromHex } from '@quorate/kernel';
import { expect, it } from 'vitest';
import {
  type BlockStore,
  decodeVpd,
  FileStore,
  inquiry,
  MemoryFile,
  modeSense6,
  SparseStore,
  synchronizeCache10,
  VpdPage,
} from '../src/index.js';
import { Rig } from './rig.js';

/** A unit on a file, and how often the file was flushed. */
function onFile(): { readonly rig: Rig; readonly flushes: () => number } {
  const file = new MemoryFile();
  let flushes = 0;
  file.flush = () => {
    flushes += 1;
  };
  const rig = new Rig({ units: [{ store: new FileStore(file, { blocks: 64 }) }] });
  rig.login(1);
  return { rig, flushes: () => flushes };
}

it.each<[string, BlockStore, boolean]>([
  ['in memory', new SparseStore({ blocks: 64 }), false],
  ['on a file', new FileStore(new MemoryFile(), { blocks: 64 }), true],
])('a unit %s tells initiators whether they have to flush', (_, store, hasCache) => {
  const rig = new Rig({ units: [{ store }] });
  rig.login(1);
  const caching = rig.run(1, modeSense6(0x08)).data.slice(-20);
  expect([caching[0], caching[2]! & 0x04]).toEqual([0x08, hasCache ? 0x04 : 0]);
  const extended = decodeVpd(rig.run(1, inquiry(VpdPage.extendedInquiry)).data)!;
  expect(extended.body[2]! & 0x01).toBe(hasCache ? 1 : 0);
});

const block = new Uint8Array(512).fill(7);

it.each([
  ['WRITE(10)', '2a 00 00000001 00 0001 00', block, 0],
  ['WRITE(10) with FUA', '2a 08 00000001 00 0001 00', block, 1],
  ['WRITE(12) with FUA', 'aa 08 00000001 00000001 00 00', block, 1],
  ['WRITE(16) with FUA', '8a 08 0000000000000001 00000001 00 00', block, 1],
  // Byte 1 is part of the LBA there.
  ['WRITE(6)', '0a 00 0008 01 00', block, 0],
  ['WRITE ATOMIC(16) with FUA', '9c 08 0000000000000000 0000 0001 00 00', block, 1],
  ['ORWRITE(16)', '8b 00 0000000000000001 00000001 00 00', block, 0],
  ['ORWRITE(16) with FUA', '8b 08 0000000000000001 00000001 00 00', block, 1],
  ['COMPARE AND WRITE', '89 00 0000000000000001 000000 01 00 00', concatBytes(new Uint8Array(512), block), 0],
  ['COMPARE AND WRITE with FUA', '89 08 0000000000000001 000000 01 00 00', concatBytes(new Uint8Array(512), block), 1],
  ['WRITE AND VERIFY(10)', '2e 00 00000001 00 0001 00', block, 1],
  ['SYNCHRONIZE CACHE(10)', '35 00 00000000 00 0000 00', new Uint8Array(0), 1],
])('%s is durable when it ends, or not yet', (_, cdb, data, expected) => {
  const { rig, flushes } = onFile();
  expect(rig.run(1, fromHex(cdb), data).status).toBe(0);
  expect(flushes()).toBe(expected);
  expect(rig.run(1, synchronizeCache10()).status).toBe(0);
});
