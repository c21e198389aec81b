import { fromHex, getU64, setU64, viewOf } from '@quorate/kernel';
import { Opcode, ServiceActionIn16 } from '../opcode.js';
import { invalidFieldInCdb } from '../sense.js';
import type { Command } from './command.js';
import { allocationAt, fixedIn } from './transfer.js';

/** Size and geometry of a logical unit. */
export interface Capacity {
  readonly blocks: number;
  readonly blockLength: number;
}

const LBPME = 0x80;
/** Unmapped blocks read as zeros. */
const LBPRZ = 0x40;

/** READ CAPACITY(10): u32 last LBA, FFFFFFFFh when it does not fit, and u32 block length. */
export const READ_CAPACITY_10: Command = {
  name: 'READ CAPACITY(10)',
  opcode: Opcode.readCapacity10,
  usage: fromHex('25 00 ff ff ff ff 00 00 01 00'),
  service: 'other',
  transfer: fixedIn(8),
  needsMedium: true,
  validate(_unit, { cdb }) {
    const hasPmi = (cdb[8]! & 1) !== 0;
    return !hasPmi && viewOf(cdb).getUint32(2) !== 0 ? invalidFieldInCdb(2) : undefined;
  },
  execute(unit, _request, reply) {
    const bytes = new Uint8Array(8);
    const view = viewOf(bytes);
    view.setUint32(0, Math.min(unit.store.blocks - 1, 0xffff_ffff));
    view.setUint32(4, unit.store.blockLength);
    reply.give(bytes, 8);
  },
};

/**
 * READ CAPACITY(16), 32 bytes.
 *
 * offset size field
 *      0    8 last LBA
 *      8    4 block length
 *     12    1 PROT_EN 0
 *     13    1 LBPPBE 3-0                logical blocks per physical block, as a power of two
 *     14    2 LBPME 15, LBPRZ 14, lowest aligned LBA
 *
 * Source: SBC-3, "READ CAPACITY (16) parameter data".
 */
export const READ_CAPACITY_16: Command = {
  name: 'READ CAPACITY(16)',
  opcode: Opcode.serviceActionIn16,
  serviceAction: ServiceActionIn16.readCapacity16,
  usage: fromHex('9e 1f ffffffffffffffff ffffffff 01 00'),
  service: 'other',
  transfer: allocationAt(10, 4),
  needsMedium: true,
  validate(_unit, { cdb }) {
    const hasPmi = (cdb[14]! & 1) !== 0;
    return !hasPmi && getU64(viewOf(cdb), 2) !== 0 ? invalidFieldInCdb(2) : undefined;
  },
  execute(unit, { cdb }, reply) {
    const bytes = new Uint8Array(32);
    const view = viewOf(bytes);
    setU64(view, 0, unit.store.blocks - 1);
    view.setUint32(8, unit.store.blockLength);
    bytes[13] = unit.settings.physicalBlockExponent;
    if (unit.settings.isThin) bytes[14] = LBPME | LBPRZ;
    reply.give(bytes, viewOf(cdb).getUint32(10));
  },
};

/** Undefined when the data are cut off, or the unit is too large for READ CAPACITY(10): then ask READ CAPACITY(16). */
export function decodeCapacity10(bytes: Uint8Array): Capacity | undefined {
  if (bytes.length < 8) return undefined;
  const view = viewOf(bytes);
  const last = view.getUint32(0);
  return last === 0xffff_ffff ? undefined : { blocks: last + 1, blockLength: view.getUint32(4) };
}

/** Undefined when the data are cut off or the size is beyond 2^53. */
export function decodeCapacity16(bytes: Uint8Array): Capacity | undefined {
  if (bytes.length < 12) return undefined;
  const view = viewOf(bytes);
  const blocks = getU64(view, 0) + 1;
  return Number.isSafeInteger(blocks) ? { blocks, blockLength: view.getUint32(8) } : undefined;
}
