import { COMMANDS } from './commands/command-set.js';
import type { Transfer } from './commands/transfer.js';

type TransfersByOpcode = readonly (Transfer | undefined)[];

/** Commands that move data that way, by opcode: its service actions say the length at the same place. */
function transfersTo(direction: 'in' | 'out'): TransfersByOpcode {
  return Array.from(
    { length: 256 },
    (_, opcode) =>
      COMMANDS.find((command) => command.opcode === opcode && command.transfer.direction === direction)?.transfer,
  );
}

const DATA_IN: TransfersByOpcode = transfersTo('in');
const DATA_OUT: TransfersByOpcode = transfersTo('out');

/**
 * Bytes of Data-In that a CDB has room for on a unit of that block length; 0 for a command without Data-In and for one that
 * no unit knows. An initiator of a transport that has to say beforehand how much it expects says this.
 *
 * `cdb` is as long as its group says.
 */
export function dataInLength(cdb: Uint8Array, blockLength: number): number {
  return DATA_IN[cdb[0]!]?.bytes(cdb, blockLength) ?? 0;
}

/**
 * Bytes of Data-Out that a CDB calls for on a unit of that block length; 0 for a command without Data-Out and for one that
 * no unit knows. A transport asks the initiator for no more than this, and counts its residual against it.
 *
 * `cdb` is as long as its group says.
 */
export function dataOutLength(cdb: Uint8Array, blockLength: number): number {
  return DATA_OUT[cdb[0]!]?.bytes(cdb, blockLength) ?? 0;
}
