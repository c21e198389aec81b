/**
 * Operation codes, byte 0 of a CDB: those that this target knows, and those that the reservation tables name.
 *
 * Source: SPC-4 and SBC-3, "Commands". Opcodes with service actions have those in byte 1 bits 4-0.
 */
export const Opcode = {
  testUnitReady: 0x00,
  requestSense: 0x03,
  formatUnit: 0x04,
  read6: 0x08,
  write6: 0x0a,
  inquiry: 0x12,
  modeSelect6: 0x15,
  reserve6: 0x16,
  release6: 0x17,
  modeSense6: 0x1a,
  startStopUnit: 0x1b,
  receiveDiagnosticResults: 0x1c,
  sendDiagnostic: 0x1d,
  preventAllowMediumRemoval: 0x1e,
  readCapacity10: 0x25,
  read10: 0x28,
  write10: 0x2a,
  writeAndVerify10: 0x2e,
  verify10: 0x2f,
  preFetch10: 0x34,
  synchronizeCache10: 0x35,
  readDefectData10: 0x37,
  writeBuffer: 0x3b,
  readBuffer10: 0x3c,
  writeSame10: 0x41,
  unmap: 0x42,
  sanitize: 0x48,
  logSelect: 0x4c,
  logSense: 0x4d,
  modeSelect10: 0x55,
  reserve10: 0x56,
  release10: 0x57,
  modeSense10: 0x5a,
  persistentReserveIn: 0x5e,
  persistentReserveOut: 0x5f,
  extendedCopy: 0x83,
  receiveCopyResults: 0x84,
  read16: 0x88,
  compareAndWrite: 0x89,
  write16: 0x8a,
  orWrite16: 0x8b,
  writeAndVerify16: 0x8e,
  verify16: 0x8f,
  preFetch16: 0x90,
  synchronizeCache16: 0x91,
  writeSame16: 0x93,
  writeAtomic16: 0x9c,
  serviceActionIn16: 0x9e,
  reportLuns: 0xa0,
  securityProtocolIn: 0xa2,
  maintenanceIn: 0xa3,
  read12: 0xa8,
  write12: 0xaa,
  writeAndVerify12: 0xae,
  verify12: 0xaf,
  readDefectData12: 0xb7,
} as const;

/** Service actions of SERVICE ACTION IN(16), 9Eh. */
export const ServiceActionIn16 = { readCapacity16: 0x10, getLbaStatus: 0x12 } as const;

/** Service actions of MAINTENANCE IN, A3h. */
export const MaintenanceIn = {
  reportTargetPortGroups: 0x0a,
  reportAliases: 0x0b,
  reportSupportedOperationCodes: 0x0c,
  reportSupportedTaskManagementFunctions: 0x0d,
  reportPriority: 0x0e,
  reportTimestamp: 0x0f,
} as const;

/** Service actions of SANITIZE. Source: SBC-3, "SANITIZE service actions". */
export const Sanitize = { overwrite: 0x01, blockErase: 0x02, cryptographicErase: 0x03, exitFailureMode: 0x1f } as const;

/** Service actions of RECEIVE COPY RESULTS. Source: SPC-4. */
export const ReceiveCopyResults = { copyStatus: 0x00, operatingParameters: 0x03 } as const;

/** Service actions of PERSISTENT RESERVE IN. Source: SPC-4, "PERSISTENT RESERVE IN service action codes". */
export const ReserveIn = { readKeys: 0, readReservation: 1, reportCapabilities: 2, readFullStatus: 3 } as const;

export type ReserveIn = (typeof ReserveIn)[keyof typeof ReserveIn];

/** Service actions of PERSISTENT RESERVE OUT. Source: SPC-4, "PERSISTENT RESERVE OUT service action codes". */
export const ReserveOut = {
  register: 0,
  reserve: 1,
  release: 2,
  clear: 3,
  preempt: 4,
  preemptAndAbort: 5,
  registerAndIgnoreExistingKey: 6,
  registerAndMove: 7,
} as const;

export type ReserveOut = (typeof ReserveOut)[keyof typeof ReserveOut];

/**
 * Length of a CDB by its group, the three highest bits of the opcode; 0 for the groups without a fixed length.
 *
 * Source: SPC-4, "Operation code".
 */
export function cdbLengthOf(opcode: number): number {
  return GROUP_LENGTHS[opcode >> 5]!;
}

const GROUP_LENGTHS: readonly number[] = [6, 10, 10, 0, 16, 12, 0, 0];
