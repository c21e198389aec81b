import { COMMANDS } from './commands/command-set.js';
import type { Transfer } from './commands/transfer.js';

/** Commands with Data-Out, by opcode: its service actions say the length at the same place. */
const DATA_OUT: readonly (Transfer | undefined)[] = Array.from(
  { length: 256 },
  (_, opcode) =>
    COMMANDS.find((command) => command.opcode === opcode && command.transfer.direction === 'out')?.transfer,
);

/**
 * Bytes of Data-Out that a CDB calls for on a unit of that block length; 0 for a command without Data-Out and for one that
 * no unit knows. A transport asks the initiator for no more than this, and counts its residual against it.
 *
 * `cdb` is as long as its group says.
 */
export function dataOutLength(cdb: Uint8Array, blockLength: number): number {
  return DATA_OUT[cdb[0]!]?.bytes(cdb, blockLength) ?? 0;
}
