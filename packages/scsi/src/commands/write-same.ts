import type { Nanos } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import { invalidFieldInCdb, type Sense } from '../sense.js';
import { setRange, wrongBlocks } from './block-range.js';
import { type Command, type CommandRequest, family, type Reply, type UnitContext } from './command.js';
import type { Transfer } from './transfer.js';

const ANCHOR = 0x10;
const UNMAP = 0x08;
/** No Data-Out buffer: blocks of zeros. */
const NDOB = 0x01;

const ONE_BLOCK: Transfer = {
  direction: 'out',
  bytes: (cdb, blockLength) => (hasNoData(cdb) ? 0 : blockLength),
};

export const WRITE_SAME: readonly Command[] = family(
  { service: 'write', transfer: ONE_BLOCK, needsMedium: true, validate, execute },
  [
    ['WRITE SAME(10)', Opcode.writeSame10, '41 18 ffffffff 1f ffff 00'],
    ['WRITE SAME(16)', Opcode.writeSame16, '93 19 ffffffffffffffff ffffffff 1f 00'],
  ],
);

function hasNoData(cdb: Uint8Array): boolean {
  return cdb[0] === Opcode.writeSame16 && (cdb[1]! & NDOB) !== 0;
}

/** No blocks in the CDB are all to the end of the unit (WSNZ 0). */
function validate(unit: UnitContext, request: CommandRequest): Sense | undefined {
  const { cdb } = request;
  const { store, settings } = unit;
  if ((cdb[1]! & ANCHOR) !== 0) return invalidFieldInCdb(1, 4);
  if ((cdb[1]! & UNMAP) !== 0 && !settings.isThin) return invalidFieldInCdb(1, 3);
  const sense = setRange(unit, request);
  if (sense !== undefined) return sense;
  if (request.blocks === 0) request.blocks = store.blocks - request.lba;
  if (request.blocks > settings.maxWriteSameBlocks) return wrongBlocks(cdb);
  if (unit.writeProtection !== undefined) return unit.writeProtection;
  const expected = hasNoData(cdb) ? 0 : store.blockLength;
  return request.dataOut.length === expected ? undefined : wrongBlocks(cdb);
}

/**
 * With UNMAP the blocks are unmapped, whatever the Data-Out says: so do LIO and tgt, and libiscsi's suite expects it.
 * Differs from SBC-3, which has blocks of other data than unmapped ones show written.
 */
function execute(unit: UnitContext, request: CommandRequest, _reply: Reply, now: Nanos): void {
  const { lba, blocks, dataOut, cdb } = request;
  if ((cdb[1]! & UNMAP) !== 0) return unit.unmap(now, request, lba, blocks);
  const { blockLength } = unit.store;
  const block = dataOut.length === 0 ? new Uint8Array(blockLength) : dataOut;
  fillBlocks(blocks, block, blockLength, (at, bytes) => unit.write(now, request, lba + at, bytes));
}

/** Hands out `blocks` blocks of one repeated pattern, in pieces of at most 1 MiB. The pattern begins anew in each block. */
export function fillBlocks(
  blocks: number,
  pattern: Uint8Array,
  blockLength: number,
  write: (at: number, bytes: Uint8Array) => void,
): void {
  const atOnce = Math.min(blocks, (1024 * 1024) / blockLength);
  const piece = new Uint8Array(atOnce * blockLength);
  for (let i = 0; i < blockLength; i += pattern.length) {
    piece.set(pattern.length > blockLength - i ? pattern.subarray(0, blockLength - i) : pattern, i);
  }
  for (let filled = blockLength; filled < piece.length; filled *= 2) piece.copyWithin(filled, 0, filled);
  for (let at = 0; at < blocks; at += atOnce) {
    const count = Math.min(atOnce, blocks - at);
    write(at, count === atOnce ? piece : piece.subarray(0, count * blockLength));
  }
}
