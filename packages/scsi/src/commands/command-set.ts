import type { Command } from './command.js';
import { INQUIRY } from './inquiry.js';
import { MODE_SENSE_6, MODE_SENSE_10 } from './mode-sense.js';
import { PERSISTENT_RESERVE_IN } from './persistent-reserve-in.js';
import { PERSISTENT_RESERVE_OUT } from './persistent-reserve-out.js';
import { READ_CAPACITY_10, READ_CAPACITY_16 } from './read-capacity.js';
import { READ_10, READ_16, SYNCHRONIZE_CACHE_10, SYNCHRONIZE_CACHE_16, WRITE_10, WRITE_16 } from './read-write.js';
import { REPORT_LUNS } from './report-luns.js';
import { REQUEST_SENSE } from './request-sense.js';
import { RELEASE_6, RELEASE_10, RESERVE_6, RESERVE_10 } from './reserve.js';
import { TEST_UNIT_READY } from './test-unit-ready.js';

/** Every command of this target, by opcode and service action. */
export const COMMANDS: readonly Command[] = [
  TEST_UNIT_READY,
  REQUEST_SENSE,
  INQUIRY,
  RESERVE_6,
  RELEASE_6,
  MODE_SENSE_6,
  READ_CAPACITY_10,
  READ_10,
  WRITE_10,
  SYNCHRONIZE_CACHE_10,
  RESERVE_10,
  RELEASE_10,
  MODE_SENSE_10,
  ...PERSISTENT_RESERVE_IN,
  ...PERSISTENT_RESERVE_OUT,
  READ_16,
  WRITE_16,
  SYNCHRONIZE_CACHE_16,
  READ_CAPACITY_16,
  REPORT_LUNS,
];

const BY_OPCODE: readonly (Command | undefined)[] = Array.from({ length: 256 }, (_, opcode) =>
  COMMANDS.find((command) => command.opcode === opcode && command.serviceAction === undefined),
);

const BY_SERVICE_ACTION: ReadonlyMap<number, Command> = new Map(
  COMMANDS.flatMap((command) =>
    command.serviceAction === undefined ? [] : [[keyOf(command.opcode, command.serviceAction), command]],
  ),
);

const OPCODES_WITH_SERVICE_ACTIONS: ReadonlySet<number> = new Set(
  [...BY_SERVICE_ACTION.values()].map((command) => command.opcode),
);

function keyOf(opcode: number, serviceAction: number): number {
  return (opcode << 5) | serviceAction;
}

/** The command that a CDB asks for; undefined for an unknown opcode, and for an unknown service action of a known one. */
export function commandOf(cdb: Uint8Array): Command | undefined {
  const opcode = cdb[0]!;
  return BY_OPCODE[opcode] ?? BY_SERVICE_ACTION.get(keyOf(opcode, cdb[1]! & 0x1f));
}

/** Whether the opcode is known, be it with other service actions. */
export function isKnownOpcode(opcode: number): boolean {
  return BY_OPCODE[opcode] !== undefined || OPCODES_WITH_SERVICE_ACTIONS.has(opcode);
}
