import { Opcode } from './opcode.js';

/** Where a CDB says how much Data-Out it has: the bytes of the field, and what one unit of it stands for. */
interface Rule {
  readonly at: number;
  readonly bytes: number;
  /** Bytes are counted, blocks, or pairs of blocks. */
  readonly unit: 'byte' | 'block' | 'two-blocks';
}

const bytes = (at: number, length: number): Rule => ({ at, bytes: length, unit: 'byte' });
const blocks = (at: number, length: number): Rule => ({ at, bytes: length, unit: 'block' });

/** Commands with Data-Out whose length one field gives. Source: SPC-4 and SBC-3, the table of each command. */
const RULES: ReadonlyMap<number, Rule> = new Map<number, Rule>([
  [Opcode.write10, blocks(7, 2)],
  [Opcode.write12, blocks(6, 4)],
  [Opcode.write16, blocks(10, 4)],
  [Opcode.writeAndVerify10, blocks(7, 2)],
  [Opcode.writeAndVerify12, blocks(6, 4)],
  [Opcode.writeAndVerify16, blocks(10, 4)],
  [Opcode.verify10, blocks(7, 2)],
  [Opcode.verify12, blocks(6, 4)],
  [Opcode.verify16, blocks(10, 4)],
  [Opcode.orWrite16, blocks(10, 4)],
  [Opcode.writeAtomic16, blocks(12, 2)],
  [Opcode.compareAndWrite, { at: 13, bytes: 1, unit: 'two-blocks' }],
  [Opcode.modeSelect6, bytes(4, 1)],
  [Opcode.modeSelect10, bytes(7, 2)],
  [Opcode.sendDiagnostic, bytes(3, 2)],
  [Opcode.writeBuffer, bytes(6, 3)],
  [Opcode.unmap, bytes(7, 2)],
  [Opcode.sanitize, bytes(7, 2)],
  [Opcode.logSelect, bytes(7, 2)],
  [Opcode.reserve10, bytes(7, 2)],
  [Opcode.release10, bytes(7, 2)],
  [Opcode.persistentReserveOut, bytes(5, 4)],
  [Opcode.extendedCopy, bytes(10, 4)],
]);

/**
 * Bytes of Data-Out that a CDB calls for on a unit of that block length; 0 for a command without Data-Out and for one that
 * is not known. A transport asks the initiator for no more than this, and counts its residual against it.
 *
 * `cdb` has at least the bytes of its group; what is missing counts as 0.
 */
export function dataOutLength(cdb: Uint8Array, blockLength: number): number {
  const opcode = cdb[0]!;
  switch (opcode) {
    case Opcode.write6:
      return (cdb[4] === 0 ? 256 : (cdb[4] ?? 0)) * blockLength;
    case Opcode.writeSame10:
      return blockLength;
    case Opcode.writeSame16:
      // NDOB: no Data-Out buffer, zeros are written.
      return (cdb[1]! & 0x01) !== 0 ? 0 : blockLength;
    case Opcode.verify10:
    case Opcode.verify12:
    case Opcode.verify16:
      return verifyLength(cdb, RULES.get(opcode)!, blockLength);
  }
  const rule = RULES.get(opcode);
  return rule === undefined ? 0 : field(cdb, rule) * unitLength(rule, blockLength);
}

/** BYTCHK 01b compares all blocks, 11b one block with each of them; otherwise nothing is sent. */
function verifyLength(cdb: Uint8Array, rule: Rule, blockLength: number): number {
  const byteCheck = (cdb[1]! >> 1) & 3;
  if (byteCheck === 1) return field(cdb, rule) * blockLength;
  return byteCheck === 3 ? blockLength : 0;
}

function unitLength(rule: Rule, blockLength: number): number {
  return rule.unit === 'byte' ? 1 : rule.unit === 'block' ? blockLength : 2 * blockLength;
}

function field(cdb: Uint8Array, rule: Rule): number {
  let value = 0;
  for (let i = 0; i < rule.bytes; i++) value = value * 256 + (cdb[rule.at + i] ?? 0);
  return value;
}
