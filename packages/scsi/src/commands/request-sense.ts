import { fromHex } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import { encodeSense, MAX_SENSE_BYTES, NO_SENSE, type Sense } from '../sense.js';
import type { Command } from './command.js';

/** Takes the oldest unit attention away and gives it as data, with GOOD. The DESC bit chooses the format. */
export const REQUEST_SENSE: Command = {
  name: 'REQUEST SENSE',
  opcode: Opcode.requestSense,
  usage: fromHex('03 01 00 00 ff 00'),
  service: 'other',
  passesUnitAttention: true,
  execute(_unit, { cdb, from }, reply) {
    reply.give(requestedSense(cdb, from.attentions.take() ?? NO_SENSE), cdb[4]!);
  },
};

/** Sense data in the format that the CDB of a REQUEST SENSE asks for. */
export function requestedSense(cdb: Uint8Array, sense: Sense): Uint8Array {
  const bytes = new Uint8Array(MAX_SENSE_BYTES);
  return bytes.subarray(0, encodeSense(sense, (cdb[1]! & 1) !== 0 ? 'descriptor' : 'fixed', bytes));
}
