import type { UnitSettings } from '../unit-config.js';
import type { Command, KnownCommands } from './command.js';
import { COMPARE_AND_WRITE } from './compare-and-write.js';
import { EXTENDED_COPY } from './extended-copy.js';
import { GET_LBA_STATUS } from './get-lba-status.js';
import { INQUIRY } from './inquiry.js';
import { PREVENT_ALLOW_MEDIUM_REMOVAL, START_STOP_UNIT } from './medium-removal.js';
import { MODE_SELECT } from './mode-select.js';
import { MODE_SENSE_6, MODE_SENSE_10 } from './mode-sense.js';
import { ORWRITE } from './or-write.js';
import { PERSISTENT_RESERVE_IN } from './persistent-reserve-in.js';
import { PERSISTENT_RESERVE_OUT } from './persistent-reserve-out.js';
import { READ_CAPACITY_10, READ_CAPACITY_16 } from './read-capacity.js';
import { READ_DEFECT_DATA } from './read-defect-data.js';
import { READ, WRITE } from './read-write.js';
import { RECEIVE_COPY_RESULTS } from './receive-copy-results.js';
import { REPORT_LUNS } from './report-luns.js';
import { REPORT_SUPPORTED_OPERATION_CODES, REPORT_SUPPORTED_TASK_MANAGEMENT_FUNCTIONS } from './report-supported.js';
import { REPORT_TARGET_PORT_GROUPS } from './report-target-port-groups.js';
import { REQUEST_SENSE } from './request-sense.js';
import { RELEASE_6, RELEASE_10, RESERVE_6, RESERVE_10 } from './reserve.js';
import { SANITIZE } from './sanitize.js';
import { PRE_FETCH, SYNCHRONIZE_CACHE } from './synchronize-cache.js';
import { TEST_UNIT_READY } from './test-unit-ready.js';
import { UNMAP } from './unmap.js';
import { VERIFY, WRITE_AND_VERIFY } from './verify.js';
import { WRITE_ATOMIC } from './write-atomic.js';
import { WRITE_SAME } from './write-same.js';

/** Every command of this target, in the order of opcode and service action. */
export const COMMANDS: readonly Command[] = [
  TEST_UNIT_READY,
  REQUEST_SENSE,
  INQUIRY,
  ...MODE_SELECT,
  RESERVE_6,
  RELEASE_6,
  MODE_SENSE_6,
  START_STOP_UNIT,
  PREVENT_ALLOW_MEDIUM_REMOVAL,
  READ_CAPACITY_10,
  ...READ,
  ...WRITE,
  ...WRITE_AND_VERIFY,
  ...VERIFY,
  ...PRE_FETCH,
  ...SYNCHRONIZE_CACHE,
  ...READ_DEFECT_DATA,
  ...WRITE_SAME,
  UNMAP,
  ...SANITIZE,
  RESERVE_10,
  RELEASE_10,
  MODE_SENSE_10,
  ...PERSISTENT_RESERVE_IN,
  ...PERSISTENT_RESERVE_OUT,
  EXTENDED_COPY,
  ...RECEIVE_COPY_RESULTS,
  COMPARE_AND_WRITE,
  ORWRITE,
  WRITE_ATOMIC,
  READ_CAPACITY_16,
  GET_LBA_STATUS,
  REPORT_LUNS,
  REPORT_TARGET_PORT_GROUPS,
  REPORT_SUPPORTED_OPERATION_CODES,
  REPORT_SUPPORTED_TASK_MANAGEMENT_FUNCTIONS,
].sort((a, b) => a.opcode - b.opcode || (a.serviceAction ?? 0) - (b.serviceAction ?? 0));

/** Those of the commands that a unit of these settings has. */
export class CommandSet implements KnownCommands {
  readonly all: readonly Command[];
  readonly #byOpcode: readonly (Command | undefined)[];
  readonly #byServiceAction: ReadonlyMap<number, Command>;
  readonly #withServiceActions: ReadonlySet<number>;

  constructor(settings: UnitSettings) {
    const all = COMMANDS.filter((command) => command.isOn === undefined || command.isOn(settings));
    const [plain, chosen] = [false, true].map((has) =>
      all.filter((command) => (command.serviceAction !== undefined) === has),
    ) as [Command[], Command[]];
    this.all = all;
    this.#byOpcode = Array.from({ length: 256 }, (_, opcode) => plain.find((command) => command.opcode === opcode));
    this.#byServiceAction = new Map(chosen.map((command) => [keyOf(command.opcode, command.serviceAction!), command]));
    this.#withServiceActions = new Set(chosen.map((command) => command.opcode));
  }

  of(cdb: Uint8Array): Command | undefined {
    const opcode = cdb[0]!;
    return this.#byOpcode[opcode] ?? this.#byServiceAction.get(keyOf(opcode, cdb[1]! & 0x1f));
  }

  find(opcode: number, serviceAction: number): Command | undefined {
    return this.#byOpcode[opcode] ?? this.#byServiceAction.get(keyOf(opcode, serviceAction));
  }

  isKnownOpcode(opcode: number): boolean {
    return this.#byOpcode[opcode] !== undefined || this.#withServiceActions.has(opcode);
  }

  hasServiceActions(opcode: number): boolean {
    return this.#withServiceActions.has(opcode);
  }
}

function keyOf(opcode: number, serviceAction: number): number {
  return opcode * 0x1_0000 + serviceAction;
}
