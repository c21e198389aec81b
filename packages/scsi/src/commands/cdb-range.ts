import { Opcode } from '../opcode.js';

/**
 * LBA and number of blocks in the CDB of a command that addresses the medium, by the group of its opcode.
 *
 * bytes LBA   blocks
 *     6 1-3   4              21 bits; 0 blocks are 256
 *    10 2-5   7-8
 *    12 2-5   6-9
 *    16 2-9   10-13          13 for COMPARE AND WRITE, 12-13 for WRITE ATOMIC
 *
 * Source: SBC-3, "Commands for direct access block devices".
 */
export function lbaOf(cdb: Uint8Array): number {
  switch (cdb[0]! >> 5) {
    case 0:
      return ((cdb[1]! & 0x1f) << 16) | (cdb[2]! << 8) | cdb[3]!;
    case 4:
      return u32(cdb, 2) * 0x1_0000_0000 + u32(cdb, 6);
    default:
      return u32(cdb, 2);
  }
}

export function blocksOf(cdb: Uint8Array): number {
  switch (cdb[0]! >> 5) {
    case 0:
      return cdb[4] === 0 ? 256 : cdb[4]!;
    case 4:
      if (cdb[0] === Opcode.compareAndWrite) return cdb[13]!;
      return cdb[0] === Opcode.writeAtomic16 ? (cdb[12]! << 8) | cdb[13]! : u32(cdb, 10);
    case 5:
      return u32(cdb, 6);
    default:
      return (cdb[7]! << 8) | cdb[8]!;
  }
}

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
