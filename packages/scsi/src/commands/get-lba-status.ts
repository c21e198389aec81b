import { fromHex, getU64, setU64, viewOf } from '@quorate/kernel';
import { Opcode, ServiceActionIn16 } from '../opcode.js';
import { LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE } from '../sense.js';
import type { BlockStore, StoreExtent } from '../store/block-store.js';
import type { Command } from './command.js';
import { allocationAt } from './transfer.js';

/** Descriptors in one answer, whatever the allocation length. */
const MAX_DESCRIPTORS = 256;

const ProvisioningStatus = { mapped: 0, deallocated: 1 } as const;

/**
 * GET LBA STATUS: as many descriptors as fit, at least one; the first begins at the LBA asked for.
 *
 * offset size field
 *      0    4 length       of what follows
 *      8      descriptors  u64 LBA, u32 number of blocks, bits 3-0 of byte 12: 0 mapped, 1 deallocated
 *
 * Source: SBC-3, "GET LBA STATUS parameter data".
 */
export const GET_LBA_STATUS: Command = {
  name: 'GET LBA STATUS',
  opcode: Opcode.serviceActionIn16,
  serviceAction: ServiceActionIn16.getLbaStatus,
  usage: fromHex('9e 1f ffffffffffffffff ffffffff 00 00'),
  service: 'other',
  transfer: allocationAt(10, 4),
  needsMedium: true,
  validate(unit, { cdb }) {
    return getU64(viewOf(cdb), 2) >= unit.store.blocks ? LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE : undefined;
  },
  execute({ store }, { cdb }, reply) {
    const view = viewOf(cdb);
    const length = view.getUint32(10);
    const room = Math.max(1, Math.min(MAX_DESCRIPTORS, Math.floor((length - 8) / 16)));
    reply.give(encodeExtents(store, getU64(view, 2), room), length);
  },
};

function encodeExtents(store: BlockStore, first: number, room: number): Uint8Array {
  const bytes = new Uint8Array(8 + 16 * room);
  const view = viewOf(bytes);
  let count = 0;
  for (let lba = first; lba < store.blocks && count < room; count++) {
    const { blocks, isMapped } = extentAt(store, lba);
    const at = 8 + 16 * count;
    const told = Math.min(blocks, 0xffff_ffff);
    setU64(view, at, lba);
    view.setUint32(at + 8, told);
    bytes[at + 12] = isMapped ? ProvisioningStatus.mapped : ProvisioningStatus.deallocated;
    lba += told;
  }
  view.setUint32(0, 4 + 16 * count);
  return bytes.subarray(0, 8 + 16 * count);
}

/** A store that does not tell has room for everything. */
function extentAt(store: BlockStore, lba: number): StoreExtent {
  return store.extentAt?.(lba) ?? { blocks: store.blocks - lba, isMapped: true };
}

/** What GET LBA STATUS says of a run of blocks. */
export interface LbaStatus {
  readonly lba: number;
  readonly blocks: number;
  /** False when it has no room in the store and reads as zeros. */
  readonly isMapped: boolean;
}

/** Reads the answer to GET LBA STATUS; a descriptor that is cut off ends the list. */
export function decodeLbaStatus(bytes: Uint8Array): LbaStatus[] {
  const found: LbaStatus[] = [];
  if (bytes.length < 8) return found;
  const view = viewOf(bytes);
  const end = Math.min(bytes.length, 4 + view.getUint32(0));
  for (let at = 8; at + 16 <= end; at += 16) {
    const isMapped = (bytes[at + 12]! & 0x0f) === ProvisioningStatus.mapped;
    found.push({ lba: getU64(view, at), blocks: view.getUint32(at + 8), isMapped });
  }
  return found;
}
