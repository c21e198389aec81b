import { fromHex } from '@quorate/kernel';
import { expect, it } from 'vitest';
import {
  inquiry,
  persistentReserveIn,
  persistentReserveOut,
  read10,
  read16,
  readCapacity10,
  readCapacity16,
  reportLuns,
  testUnitReady,
  write10,
  write16,
} from '../src/cdb.js';
import { dataInLength, dataOutLength } from '../src/data-transfer.js';

it.each([
  // CDB                                  bytes of Data-Out at 512 bytes a block
  ['TEST UNIT READY', testUnitReady(), 0],
  ['READ(10)', read10(0, 8), 0],
  ['WRITE(6) of 1', fromHex('0a 00 00 00 01 00'), 512],
  ['WRITE(6) of 0, which are 256', fromHex('0a 00 00 00 00 00'), 256 * 512],
  ['WRITE(10)', write10(0, 8), 4096],
  ['WRITE(12)', fromHex('aa 00 00000000 00000002 00 00'), 1024],
  ['WRITE(16)', write16(0, 0x10000), 0x10000 * 512],
  ['WRITE(16) of 2^32 - 1', write16(0, 0xffff_ffff), 0xffff_ffff * 512],
  ['VERIFY(10) without BYTCHK', fromHex('2f 00 00000000 00 0003 00'), 0],
  ['VERIFY(10), BYTCHK 01b', fromHex('2f 02 00000000 00 0003 00'), 1536],
  ['VERIFY(10), BYTCHK 11b', fromHex('2f 06 00000000 00 0003 00'), 512],
  ['WRITE AND VERIFY(16)', fromHex('8e 00 0000000000000000 00000002 00 00'), 1024],
  ['WRITE SAME(10)', fromHex('41 00 00000000 00 0400 00'), 512],
  ['WRITE SAME(16)', fromHex('93 00 0000000000000000 00000400 00 00'), 512],
  ['WRITE SAME(16) with NDOB', fromHex('93 01 0000000000000000 00000400 00 00'), 0],
  ['COMPARE AND WRITE', fromHex('89 00 0000000000000000 000000 02 00 00'), 2048],
  ['WRITE ATOMIC(16)', fromHex('9c 00 0000000000000000 0000 0004 00 00'), 2048],
  ['UNMAP', fromHex('42 00 00000000 00 0018 00'), 24],
  ['MODE SELECT(6)', fromHex('15 10 00 00 0c 00'), 12],
  ['MODE SELECT(10)', fromHex('55 10 00000000 00 0010 00'), 16],
  ['PERSISTENT RESERVE OUT', persistentReserveOut(0, 0, 0n, 1n).cdb, 24],
  ['EXTENDED COPY', fromHex('83 00 0000000000000000 00000040 00 00'), 64],
  ['an opcode that is not known', fromHex('ff 00 00 00 00 00'), 0],
])('%s', (_name, cdb, length) => {
  expect(dataOutLength(cdb, 512)).toBe(length);
});

it.each([
  // CDB                                  room for Data-In at 512 bytes a block
  ['TEST UNIT READY', testUnitReady(), 0],
  ['INQUIRY', inquiry(undefined, 36), 36],
  ['READ(6) of 0, which are 256', fromHex('08 00 00 00 00 00'), 256 * 512],
  ['READ(10)', read10(0, 8), 4096],
  ['READ(16)', read16(0, 0x10000), 0x10000 * 512],
  ['READ CAPACITY(10)', readCapacity10(), 8],
  ['READ CAPACITY(16)', readCapacity16(), 32],
  ['REPORT LUNS', reportLuns(), 8192],
  ['MODE SENSE(6)', fromHex('1a 00 3f 00 c0 00'), 192],
  ['PERSISTENT RESERVE IN', persistentReserveIn(0), 8192],
  ['WRITE(10)', write10(0, 8), 0],
  ['an opcode that is not known', fromHex('ff 00 00 00 00 00'), 0],
])('%s expects so much', (_name, cdb, length) => {
  expect(dataInLength(cdb, 512)).toBe(length);
});
