import { MaintenanceIn, Opcode, ReserveOut, ServiceActionIn16 } from '../opcode.js';

/** How a nexus stands towards the reservation of a logical unit: the columns of the table below. */
export const Standing = {
  /** There is no reservation, or the nexus holds it: everything is allowed. */
  unrestricted: -1,
  /** Somebody else holds Write Exclusive; being registered does not help. */
  underWriteExclusive: 0,
  /** Somebody else holds Exclusive Access; being registered does not help. */
  underExclusiveAccess: 1,
  /** Registered, under Registrants Only held by somebody else. */
  registrant: 2,
  /** Not registered, under Write Exclusive - Registrants Only or All Registrants. */
  strangerUnderWriteExclusive: 3,
  /** Not registered, under Exclusive Access - Registrants Only or All Registrants. */
  strangerUnderExclusiveAccess: 4,
} as const;

export type Standing = (typeof Standing)[keyof typeof Standing];

/**
 * What a command does to the medium, as far as reservations care, and who may do it: A allowed, C conflict.
 *
 * row     WE  EA  registrant  stranger WE-RO/AR  stranger EA-RO/AR
 * always  A   A   A           A                  A
 * read    A   C   A           A                  C
 * write   C   C   A           C                  C
 *
 * Source: SPC-4, "Commands that are allowed in the presence of various reservations"; SBC-3, table of the same name.
 */
const ROWS: { readonly [row in Row]: string } = {
  always: 'AAAAA',
  read: 'ACAAC',
  write: 'CCACC',
};

type Row = 'always' | 'read' | 'write';

/** Commands by row. Those whose row depends on more than the opcode are in `rowOf`. */
const COMMANDS: { readonly [row in Row]: readonly number[] } = {
  always: [
    Opcode.inquiry,
    Opcode.reportLuns,
    Opcode.requestSense,
    Opcode.testUnitReady,
    Opcode.logSense,
    Opcode.persistentReserveIn,
    Opcode.readCapacity10,
  ],
  read: [
    Opcode.read6,
    Opcode.read10,
    Opcode.read12,
    Opcode.read16,
    Opcode.preFetch10,
    Opcode.preFetch16,
    Opcode.verify10,
    Opcode.verify12,
    Opcode.verify16,
    Opcode.readDefectData10,
    Opcode.readDefectData12,
    Opcode.modeSense6,
    Opcode.modeSense10,
    Opcode.readBuffer10,
    Opcode.receiveDiagnosticResults,
    Opcode.securityProtocolIn,
  ],
  write: [
    Opcode.write6,
    Opcode.write10,
    Opcode.write12,
    Opcode.write16,
    Opcode.writeAndVerify10,
    Opcode.writeAndVerify12,
    Opcode.writeAndVerify16,
    Opcode.writeSame10,
    Opcode.writeSame16,
    Opcode.writeAtomic16,
    Opcode.unmap,
    Opcode.orWrite16,
    Opcode.compareAndWrite,
    Opcode.synchronizeCache10,
    Opcode.synchronizeCache16,
    Opcode.formatUnit,
    Opcode.sanitize,
    Opcode.modeSelect6,
    Opcode.modeSelect10,
    Opcode.logSelect,
    Opcode.sendDiagnostic,
    Opcode.writeBuffer,
    Opcode.extendedCopy,
    Opcode.receiveCopyResults,
  ],
};

const ROW_OF_OPCODE: ReadonlyMap<number, Row> = new Map(
  (['always', 'read', 'write'] as const).flatMap((row) => COMMANDS[row].map((opcode) => [opcode, row] as const)),
);

/**
 * Whether a command conflicts with the persistent reservation that somebody else holds.
 *
 * RESERVE and RELEASE of SPC-2 are not asked here: they conflict with registrations, see `Spc2Reservation`. A command
 * that the tables do not name counts as a write.
 */
export function conflictsWithReservation(cdb: Uint8Array, standing: Standing, isRegistered: boolean): boolean {
  if (standing === Standing.unrestricted) return false;
  if (cdb[0] === Opcode.persistentReserveOut) return reserveOutConflicts(cdb[1]! & 0x1f, isRegistered);
  return ROWS[rowOf(cdb)][standing] === 'C';
}

function rowOf(cdb: Uint8Array): Row {
  const serviceAction = cdb[1]! & 0x1f;
  switch (cdb[0]) {
    case Opcode.serviceActionIn16:
      return serviceAction === ServiceActionIn16.readCapacity16 ? 'always' : 'read';
    case Opcode.maintenanceIn:
      return serviceAction === MaintenanceIn.reportSupportedOperationCodes ||
        serviceAction === MaintenanceIn.reportSupportedTaskManagementFunctions
        ? 'read'
        : 'always';
    case Opcode.startStopUnit: {
      const isPlainStart = (cdb[4]! & 0xf1) === 0x01;
      return isPlainStart ? 'always' : 'write';
    }
    case Opcode.preventAllowMediumRemoval:
      return (cdb[4]! & 0x03) === 0 ? 'always' : 'write';
    default:
      return ROW_OF_OPCODE.get(cdb[0]!) ?? 'write';
  }
}

/**
 * PERSISTENT RESERVE OUT under a reservation held by somebody else: A allowed, C conflict.
 *
 * action                            registered  unregistered
 * REGISTER, REGISTER AND IGNORE     A           A
 * CLEAR, PREEMPT, PREEMPT AND ABORT A           C
 * RELEASE                           A           C             allowed, but without effect
 * RESERVE                           C           C
 * REGISTER AND MOVE                 C           C
 *
 * Source: SPC-4, "PERSISTENT RESERVE OUT service actions that are allowed in the presence of various reservations".
 */
function reserveOutConflicts(action: number, isRegistered: boolean): boolean {
  switch (action) {
    case ReserveOut.register:
    case ReserveOut.registerAndIgnoreExistingKey:
      return false;
    case ReserveOut.reserve:
    case ReserveOut.registerAndMove:
      return true;
    default:
      return !isRegistered;
  }
}
