import { fromHex, viewOf } from '@quorate/kernel';
import { Opcode, ReceiveCopyResults } from '../opcode.js';
import { invalidFieldInCdb } from '../sense.js';
import type { Command } from './command.js';
import { CopyDescriptor, CopyLimits } from './extended-copy.js';
import { allocationAt } from './transfer.js';

const USAGE = '84 1f ff 00000000000000 ffffffff 00 00';

/** How the last copies of this nexus ended, and what a copy may ask for. */
export const RECEIVE_COPY_RESULTS: readonly Command[] = [
  {
    name: 'RECEIVE COPY RESULTS (COPY STATUS)',
    opcode: Opcode.receiveCopyResults,
    serviceAction: ReceiveCopyResults.copyStatus,
    usage: fromHex(USAGE),
    service: 'other',
    transfer: allocationAt(10, 4),
    validate(_unit, { cdb, from }) {
      return from.copyResult?.listId === cdb[2] ? undefined : invalidFieldInCdb(2);
    },
    execute(_unit, { cdb, from }, reply) {
      const result = from.copyResult!;
      const length = viewOf(cdb).getUint32(10);
      reply.give(encodeStatus(result.isGood, result.segments, result.bytes), length);
    },
  },
  {
    name: 'RECEIVE COPY RESULTS (OPERATING PARAMETERS)',
    opcode: Opcode.receiveCopyResults,
    serviceAction: ReceiveCopyResults.operatingParameters,
    usage: fromHex(USAGE),
    service: 'other',
    transfer: allocationAt(10, 4),
    execute(_unit, { cdb }, reply) {
      reply.give(encodeOperatingParameters(), viewOf(cdb).getUint32(10));
    },
  },
];

/**
 * offset size field
 *      0    4 length             8
 *      4    1 status             bits 6-0: 1 completed without errors, 2 with errors
 *      5    2 segments processed
 *      7    1 units              of the count: 0 bytes
 *      8    4 transfer count
 *
 * Source: SPC-4, "RECEIVE COPY STATUS(LID1)".
 */
function encodeStatus(isGood: boolean, segments: number, bytes: number): Uint8Array {
  const data = new Uint8Array(12);
  const view = viewOf(data);
  view.setUint32(0, 8);
  data[4] = isGood ? 1 : 2;
  view.setUint16(5, segments);
  view.setUint32(8, bytes);
  return data;
}

/**
 * offset size field
 *      0    4 length                     of what follows
 *      4    1 SNLID                      bit 0: a copy may go without a list identifier
 *      8    2 MAXIMUM TARGET DESCRIPTOR COUNT
 *     10    2 MAXIMUM SEGMENT DESCRIPTOR COUNT
 *     12    4 MAXIMUM DESCRIPTOR LIST LENGTH
 *     16    4 MAXIMUM SEGMENT LENGTH     in bytes
 *     20    4 MAXIMUM INLINE DATA LENGTH 0
 *     24    4 HELD DATA LIMIT            0
 *     34    2 TOTAL CONCURRENT COPIES    1
 *     36    1 MAXIMUM CONCURRENT COPIES  1
 *     37    1 DATA SEGMENT GRANULARITY   as a power of two, 9
 *     43    1 length                     of the list of descriptor codes
 *     44      descriptor codes, ascending
 *
 * Source: SPC-4, "RECEIVE COPY OPERATING PARAMETERS".
 */
function encodeOperatingParameters(): Uint8Array {
  const codes = Object.values(CopyDescriptor);
  const data = new Uint8Array(44 + codes.length);
  const view = viewOf(data);
  view.setUint32(0, data.length - 4);
  data[4] = 1;
  view.setUint16(8, CopyLimits.targetDescriptors);
  view.setUint16(10, CopyLimits.segmentDescriptors);
  view.setUint32(12, CopyLimits.descriptorListBytes);
  view.setUint32(16, CopyLimits.segmentBytes);
  view.setUint32(20, CopyLimits.inlineBytes);
  view.setUint16(34, 1);
  data[36] = 1;
  data[37] = 9;
  data[43] = codes.length;
  data.set(codes, 44);
  return data;
}
