import { fromHex } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import { encodeSense, MAX_SENSE_BYTES, NO_SENSE, type Sense } from '../sense.js';
import type { Command } from './command.js';
import { allocationAt } from './transfer.js';

/** Takes the oldest unit attention away, or tells why the unit is not ready or what was predicted, as data with GOOD. DESC chooses the format. */
export const REQUEST_SENSE: Command = {
  name: 'REQUEST SENSE',
  opcode: Opcode.requestSense,
  usage: fromHex('03 01 00 00 ff 00'),
  service: 'other',
  transfer: allocationAt(4, 1),
  runsDuringSanitize: true,
  passesUnitAttention: true,
  execute({ medium, mode }, { cdb, from }, reply, now) {
    const sense = from.attentions.take() ?? medium.notReady(now) ?? mode.exceptions.requested ?? NO_SENSE;
    reply.give(requestedSense(cdb, sense), cdb[4]!);
  },
};

/** Sense data in the format that the CDB of a REQUEST SENSE asks for. */
export function requestedSense(cdb: Uint8Array, sense: Sense): Uint8Array {
  const bytes = new Uint8Array(MAX_SENSE_BYTES);
  return bytes.subarray(0, encodeSense(sense, (cdb[1]! & 1) !== 0 ? 'descriptor' : 'fixed', bytes));
}
