import { fromHex, getU64, type Nanos, viewOf } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import {
  invalidFieldInParameterList,
  LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE,
  PARAMETER_LIST_LENGTH_ERROR,
  type Sense,
} from '../sense.js';
import type { Command, CommandRequest, Reply, UnitContext } from './command.js';
import { parameterListAt } from './transfer.js';

const HEADER_BYTES = 8;
const DESCRIPTOR_BYTES = 16;

/** UNMAP, for thin units. All descriptors are checked before anything is unmapped. */
export const UNMAP: Command = {
  name: 'UNMAP',
  opcode: Opcode.unmap,
  usage: fromHex('42 00 00000000 1f ffff 00'),
  service: 'write',
  transfer: parameterListAt(7, 2),
  needsMedium: true,
  isOn: (settings) => settings.isThin,
  validate: (unit) => unit.writeProtection,
  execute,
};

/**
 * offset size field
 *      0    2 length        of what follows
 *      2    2 length        of the block descriptors; an incomplete one at the end is ignored
 *      8      descriptors   u64 LBA, u32 number of blocks, 4 bytes 0
 *
 * Source: SBC-3, "UNMAP parameter list".
 */
function execute(unit: UnitContext, request: CommandRequest, reply: Reply, now: Nanos): void {
  const length = viewOf(request.cdb).getUint16(7);
  if (length === 0) return;
  const list = request.dataOut.subarray(0, length);
  if (list.length < HEADER_BYTES) return reply.check(PARAMETER_LIST_LENGTH_ERROR);
  const descriptors = Math.floor(Math.min(viewOf(list).getUint16(2), list.length - HEADER_BYTES) / DESCRIPTOR_BYTES);
  const sense = checkList(unit, list, descriptors);
  if (sense !== undefined) return reply.check(sense);
  for (let i = 0; i < descriptors; i++) {
    const { lba, blocks } = descriptorAt(list, i);
    if (blocks > 0) unit.unmap(now, request, lba, blocks);
  }
}

function checkList({ settings, store }: UnitContext, list: Uint8Array, descriptors: number): Sense | undefined {
  if (descriptors > settings.maxUnmapDescriptors) return invalidFieldInParameterList(2);
  let total = 0;
  for (let i = 0; i < descriptors; i++) {
    const { lba, blocks } = descriptorAt(list, i);
    if (lba > store.blocks || blocks > store.blocks - lba) return LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE;
    total += blocks;
    if (total > settings.maxUnmapBlocks) return invalidFieldInParameterList(HEADER_BYTES + DESCRIPTOR_BYTES * i + 8);
  }
  return undefined;
}

function descriptorAt(list: Uint8Array, i: number): { readonly lba: number; readonly blocks: number } {
  const view = viewOf(list);
  const at = HEADER_BYTES + DESCRIPTOR_BYTES * i;
  return { lba: getU64(view, at), blocks: view.getUint32(at + 8) };
}
