import { describe, expect, it } from 'vitest';
import {
  MaintenanceIn,
  modeSense6,
  Opcode,
  persistentReserveIn,
  ReserveIn,
  ReserveOut,
  read10,
  release6,
  reserve6,
  ServiceActionIn16,
  testUnitReady,
  write10,
} from '../src/index.js';
import { conflictsWithReservation, Standing } from '../src/reservation/conflict.js';
import { portOf, Rig } from './rig.js';

/** A CDB of that opcode, with service action or byte 4 where they matter. */
function cdb(opcode: number, options: { readonly action?: number; readonly byte4?: number } = {}): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[0] = opcode;
  bytes[1] = options.action ?? 0;
  bytes[4] = options.byte4 ?? 0;
  return bytes;
}

const COLUMNS = [
  Standing.underWriteExclusive,
  Standing.underExclusiveAccess,
  Standing.registrant,
  Standing.strangerUnderWriteExclusive,
  Standing.strangerUnderExclusiveAccess,
];

/** The table as the specification has it: WE, EA, registered under RO/AR, stranger under WE-RO/AR, under EA-RO/AR. */
const TABLE: readonly (readonly [row: string, columns: string, commands: readonly Uint8Array[]])[] = [
  [
    'what tells nothing of the content',
    'A A A A A',
    [
      cdb(Opcode.inquiry),
      cdb(Opcode.reportLuns),
      cdb(Opcode.requestSense),
      cdb(Opcode.testUnitReady),
      cdb(Opcode.logSense),
      cdb(Opcode.persistentReserveIn),
      cdb(Opcode.readCapacity10),
      cdb(Opcode.serviceActionIn16, { action: ServiceActionIn16.readCapacity16 }),
      cdb(Opcode.maintenanceIn, { action: MaintenanceIn.reportTargetPortGroups }),
      cdb(Opcode.maintenanceIn, { action: MaintenanceIn.reportAliases }),
      cdb(Opcode.maintenanceIn, { action: MaintenanceIn.reportPriority }),
      cdb(Opcode.maintenanceIn, { action: MaintenanceIn.reportTimestamp }),
    ],
  ],
  [
    'reads',
    'A C A A C',
    [
      cdb(Opcode.read6),
      cdb(Opcode.read10),
      cdb(Opcode.read12),
      cdb(Opcode.read16),
      cdb(Opcode.preFetch10),
      cdb(Opcode.preFetch16),
      cdb(Opcode.verify10),
      cdb(Opcode.verify12),
      cdb(Opcode.verify16),
      cdb(Opcode.serviceActionIn16, { action: ServiceActionIn16.getLbaStatus }),
      cdb(Opcode.readDefectData10),
      cdb(Opcode.readDefectData12),
      cdb(Opcode.modeSense6),
      cdb(Opcode.modeSense10),
      cdb(Opcode.readBuffer10),
      cdb(Opcode.receiveDiagnosticResults),
      cdb(Opcode.maintenanceIn, { action: MaintenanceIn.reportSupportedOperationCodes }),
      cdb(Opcode.maintenanceIn, { action: MaintenanceIn.reportSupportedTaskManagementFunctions }),
      cdb(Opcode.securityProtocolIn),
    ],
  ],
  [
    'writes',
    'C C A C C',
    [
      cdb(Opcode.write6),
      cdb(Opcode.write10),
      cdb(Opcode.write12),
      cdb(Opcode.write16),
      cdb(Opcode.writeAndVerify10),
      cdb(Opcode.writeAndVerify12),
      cdb(Opcode.writeAndVerify16),
      cdb(Opcode.writeSame10),
      cdb(Opcode.writeSame16),
      cdb(Opcode.writeAtomic16),
      cdb(Opcode.unmap),
      cdb(Opcode.orWrite16),
      cdb(Opcode.compareAndWrite),
      cdb(Opcode.synchronizeCache10),
      cdb(Opcode.synchronizeCache16),
      cdb(Opcode.formatUnit),
      cdb(Opcode.sanitize),
      cdb(Opcode.modeSelect6),
      cdb(Opcode.modeSelect10),
      cdb(Opcode.logSelect),
      cdb(Opcode.sendDiagnostic),
      cdb(Opcode.writeBuffer),
      cdb(Opcode.extendedCopy),
      cdb(Opcode.receiveCopyResults),
    ],
  ],
  [
    'START STOP UNIT with START and no power condition, PREVENT ALLOW with prevent 0',
    'A A A A A',
    [cdb(Opcode.startStopUnit, { byte4: 0x01 }), cdb(Opcode.preventAllowMediumRemoval, { byte4: 0 })],
  ],
  [
    'START STOP UNIT and PREVENT ALLOW otherwise',
    'C C A C C',
    [
      cdb(Opcode.startStopUnit, { byte4: 0x00 }),
      cdb(Opcode.startStopUnit, { byte4: 0x11 }),
      cdb(Opcode.startStopUnit, { byte4: 0x20 }),
      cdb(Opcode.preventAllowMediumRemoval, { byte4: 1 }),
    ],
  ],
  ['a command that nobody knows', 'C C A C C', [cdb(0xc0)]],
];

describe('commands under a reservation held by somebody else', () => {
  for (const [row, columns, commands] of TABLE) {
    it(row, () => {
      for (const command of commands) {
        const found = COLUMNS.map((standing) => (conflictsWithReservation(command, standing, false) ? 'C' : 'A'));
        expect(found.join(' '), `opcode ${command[0]!.toString(16)}`).toBe(columns);
      }
    });
  }

  it('the holder may do everything', () => {
    for (const [, , commands] of TABLE) {
      for (const command of commands) {
        expect(conflictsWithReservation(command, Standing.unrestricted, true)).toBe(false);
      }
    }
  });

  it.each([
    ['REGISTER', ReserveOut.register, 'A', 'A'],
    ['REGISTER AND IGNORE', ReserveOut.registerAndIgnoreExistingKey, 'A', 'A'],
    ['CLEAR', ReserveOut.clear, 'A', 'C'],
    ['PREEMPT', ReserveOut.preempt, 'A', 'C'],
    ['PREEMPT AND ABORT', ReserveOut.preemptAndAbort, 'A', 'C'],
    ['RELEASE', ReserveOut.release, 'A', 'C'],
    ['RESERVE', ReserveOut.reserve, 'C', 'C'],
    ['REGISTER AND MOVE', ReserveOut.registerAndMove, 'C', 'C'],
  ])('PERSISTENT RESERVE OUT %s: registered %s, unregistered %s', (_name, action, registered, unregistered) => {
    const command = cdb(Opcode.persistentReserveOut, { action });
    for (const standing of COLUMNS) {
      const answer = (isRegistered: boolean): string =>
        conflictsWithReservation(command, standing, isRegistered) ? 'C' : 'A';
      expect([answer(true), answer(false)]).toEqual([registered, unregistered]);
    }
  });
});

describe('the access matrix, by a second initiator', () => {
  it.each([
    // type       registered reads, writes, unregistered reads, writes
    ['WE', 1, '1010'],
    ['EA', 3, '0000'],
    ['WERO', 5, '1110'],
    ['EARO', 6, '1100'],
    ['WEAR', 7, '1110'],
    ['EAAR', 8, '1100'],
  ])('%s', (_name, type, expected) => {
    const rig = new Rig().login(1, 2);
    rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n);
    rig.reserveOut(2, ReserveOut.register, 0, 0n, 2n);
    rig.reserveOut(1, ReserveOut.reserve, type, 1n);
    const access = (): string =>
      [rig.outcome(2, read10(0, 1)), rig.outcome(2, write10(0, 1), new Uint8Array(512))]
        .map((outcome) => (outcome === '00' ? '1' : '0'))
        .join('');
    const registered = access();
    rig.reserveOut(2, ReserveOut.register, 0, 2n, 0n);
    expect(registered + access()).toBe(expected);
    // the holder may do everything
    expect([rig.outcome(1, read10(0, 1)), rig.outcome(1, write10(0, 1), new Uint8Array(512))]).toEqual(['00', '00']);
  });
});

describe('RESERVE and RELEASE of SPC-2', () => {
  const BLOCK = new Uint8Array(512);

  it('free, or held by the same nexus: GOOD', () => {
    const rig = new Rig().login(1);
    expect([rig.outcome(1, reserve6()), rig.outcome(1, reserve6())]).toEqual(['00', '00']);
  });

  it('held by another nexus: conflict', () => {
    const rig = new Rig().login(1, 2);
    rig.outcome(1, reserve6());
    expect(rig.outcome(2, reserve6())).toBe('18');
  });

  it('RELEASE by the holder frees it, by anybody else it is GOOD without effect', () => {
    const rig = new Rig().login(1, 2);
    rig.outcome(1, reserve6());
    expect([rig.outcome(2, release6()), rig.outcome(2, reserve6())]).toEqual(['00', '18']);
    expect([rig.outcome(1, release6()), rig.outcome(2, reserve6())]).toEqual(['00', '00']);
  });

  it.each([
    ['INQUIRY', Uint8Array.of(0x12, 0, 0, 0, 36, 0), '00'],
    ['REPORT LUNS', Uint8Array.of(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0), '00'],
    ['REQUEST SENSE', Uint8Array.of(0x03, 0, 0, 0, 18, 0), '00'],
    ['TEST UNIT READY', testUnitReady(), '18'],
    ['MODE SENSE', modeSense6(0x0a), '18'],
    ['READ', read10(0, 1), '18'],
    ['WRITE', write10(0, 1), '18'],
    ['PERSISTENT RESERVE IN', persistentReserveIn(ReserveIn.readKeys), '18'],
  ])('%s of another nexus: %s', (_name, command, expected) => {
    const rig = new Rig().login(1, 2);
    rig.outcome(1, reserve6());
    expect(rig.outcome(2, command, BLOCK)).toBe(expected);
  });

  it('PERSISTENT RESERVE conflicts even for the holder', () => {
    const rig = new Rig().login(1);
    rig.outcome(1, reserve6());
    expect(rig.outcome(1, persistentReserveIn(ReserveIn.readKeys))).toBe('18');
    expect(rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n)).toBe('18');
    expect(rig.outcome(1, write10(0, 1), BLOCK)).toBe('00');
  });

  it.each(['lun-reset', 'logout', 'nexus-lost', 'power-cycle', 'login'] as const)('%s releases it', (what) => {
    const rig = new Rig().login(1, 2);
    rig.outcome(1, reserve6());
    if (what === 'lun-reset') rig.step({ kind: 'task-management', nexus: 1, lun: 0, function: what, id: 1 });
    else if (what === 'power-cycle') rig.step({ kind: what });
    else if (what === 'login') rig.step({ kind: what, nexus: 1, port: portOf(1) });
    else rig.step({ kind: what, nexus: 1 });
    rig.login(2);
    expect(rig.outcome(2, reserve6())).toBe('00');
  });

  it.each([
    // held  caller                 RESERVE and RELEASE
    ['WE', 1, 'the holder', '00'],
    ['WE', 1, 'a registrant', '18'],
    ['WE', 1, 'a stranger', '18'],
    ['WERO', 5, 'the holder', '00'],
    ['WERO', 5, 'a registrant', '00'],
    ['WERO', 5, 'a stranger', '18'],
    ['EAAR', 8, 'a registrant', '00'],
    ['EAAR', 8, 'a stranger', '18'],
    ['no reservation', 0, 'a registrant', '18'],
    ['no reservation', 0, 'a stranger', '18'],
  ])('while registrations exist, %s (%i), by %s: %s, and nothing changes', (_held, type, who, expected) => {
    const rig = new Rig().login(1, 2, 3);
    rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n);
    rig.reserveOut(2, ReserveOut.register, 0, 0n, 2n);
    if (type !== 0) rig.reserveOut(1, ReserveOut.reserve, type, 1n);
    const caller = who === 'the holder' ? 1 : who === 'a registrant' ? 2 : 3;
    expect([rig.outcome(caller, reserve6()), rig.outcome(caller, release6())]).toEqual([expected, expected]);
    expect(rig.target.inspect()).toMatchObject({ units: [{ reservedBy: null, type }] });
  });
});
