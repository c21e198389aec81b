import { fromHex } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import type { Command } from './command.js';
import { allocationAt } from './transfer.js';

/**
 * Defect lists, both empty: a header with the flags of the CDB (bit 4 PLIST, 3 GLIST, 2-0 format) and length 0.
 *
 * Source: SBC-3, "READ DEFECT DATA (10) parameter data" and "(12)".
 */
export const READ_DEFECT_DATA: readonly Command[] = [
  {
    name: 'READ DEFECT DATA(10)',
    opcode: Opcode.readDefectData10,
    usage: fromHex('37 00 1f 00000000 ffff 00'),
    service: 'other',
    transfer: allocationAt(7, 2),
    needsMedium: true,
    execute(_unit, { cdb }, reply) {
      reply.give(Uint8Array.of(0, cdb[2]!, 0, 0), (cdb[7]! << 8) | cdb[8]!);
    },
  },
  {
    name: 'READ DEFECT DATA(12)',
    opcode: Opcode.readDefectData12,
    usage: fromHex('b7 1f ffffffff ffffffff 00 00'),
    service: 'other',
    transfer: allocationAt(6, 4),
    needsMedium: true,
    execute(_unit, request, reply) {
      const { cdb } = request;
      reply.give(Uint8Array.of(0, cdb[1]!, 0, 0, 0, 0, 0, 0), READ_DEFECT_DATA[1]!.transfer.bytes(cdb, 0));
    },
  },
];
