import { concatBytes, fromHex, viewOf } from '@quorate/kernel';
import { MaintenanceIn, Opcode } from '../opcode.js';
import { invalidFieldInCdb } from '../sense.js';
import type { Command, TargetContext } from './command.js';
import { allocationAt } from './transfer.js';

/** PARAMETER DATA FORMAT, byte 1 bits 7-5. */
const Format = { lengthOnlyHeader: 0, extendedHeader: 1 } as const;

/** Bits of byte 1 of a group: only one of the states is supported. */
const AO_SUP = 0x01;

/** REPORT TARGET PORT GROUPS: which ports reach the unit, and how well. */
export const REPORT_TARGET_PORT_GROUPS: Command = {
  name: 'REPORT TARGET PORT GROUPS',
  opcode: Opcode.maintenanceIn,
  serviceAction: MaintenanceIn.reportTargetPortGroups,
  usage: fromHex('a3 ff 00 00 0000 ffffffff 00 00'),
  service: 'other',
  transfer: allocationAt(6, 4),
  validate(_unit, { cdb }) {
    return cdb[1]! >> 5 > Format.extendedHeader ? invalidFieldInCdb(1, 7) : undefined;
  },
  execute({ target }, { cdb }, reply) {
    const isExtended = cdb[1]! >> 5 === Format.extendedHeader;
    const data = concatBytes(isExtended ? extendedHeader() : new Uint8Array(4), groupDescriptor(target));
    viewOf(data).setUint32(0, data.length - 4);
    reply.give(data, viewOf(cdb).getUint32(6));
  },
};

/** After the u32 length: byte 4 bits 6-4 format 1, byte 5 implicit transition time 0, as there are no transitions. */
function extendedHeader(): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(0, 0, 0, 0, Format.extendedHeader << 4, 0, 0, 0);
}

/**
 * The one group, with the one port.
 *
 * offset size field
 *      0    1 PREF 7, asymmetric access state 3-0  0: active/optimized
 *      1    1 states that are supported            bit 0 AO_SUP; never 1 AN_SUP, 2 S_SUP, 3 U_SUP, 6 O_SUP, 7 T_SUP
 *      2    2 TARGET PORT GROUP                    as in page 83h, like the port
 *      5    1 STATUS CODE                          0: the state never changed
 *      7    1 TARGET PORT COUNT                    1
 *      8    4 port                                 its relative identifier in the last two bytes
 *
 * Source: SPC-4, "REPORT TARGET PORT GROUPS parameter data".
 */
function groupDescriptor({ portGroup, relativePort }: TargetContext): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12);
  const view = viewOf(bytes);
  bytes[1] = AO_SUP;
  view.setUint16(2, portGroup);
  bytes[7] = 1;
  view.setUint16(10, relativePort);
  return bytes;
}
