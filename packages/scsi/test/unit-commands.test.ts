import { concatBytes, fromHex, hex, SECOND, setU64, TAME_WORLD, viewOf } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../src/commands/command-set.js';
import {
  decodeDesignators,
  decodeVpd,
  IMMEDIATE_SERVICE,
  inquiry,
  type LogicalUnitConfig,
  modeSense6,
  modeSense10,
  ReserveOut,
  read10,
  readCapacity10,
  reportLuns,
  requestSense,
  reserve6,
  ScsiTarget,
  SparseStore,
  StoreError,
  senseOf,
  senseText,
  type TaskManagementFunction,
  testUnitReady,
  write10,
} from '../src/index.js';
import { Rig } from './rig.js';

function rigOf(unit: Partial<LogicalUnitConfig> = {}, ...nexuses: readonly number[]): Rig {
  return new Rig({ units: [{ service: IMMEDIATE_SERVICE, ...unit }] }).login(1, ...nexuses);
}

function filled(blocks: number, fill: number): Uint8Array {
  return new Uint8Array(blocks * 512).fill(fill);
}

/** `15 10 00 00 .. 00` with the length of the list, and the list. */
function modeSelect6(list: string): [Uint8Array, Uint8Array] {
  const data = fromHex(list);
  return [Uint8Array.of(0x15, 0x10, 0, 0, data.length, 0), data];
}

const HEADER = '00000000';
const CONTROL = '0a0a02100000 0000ffff0000'.replace(' ', '');
const WITH_SWP = CONTROL.replace('0a0a0210000', '0a0a0210080');
const WITH_D_SENSE = CONTROL.replace('0a0a02', '0a0a06');
const WITH_TAS = '0a0a02100040' + '0000ffff0000';

describe('MODE SELECT', () => {
  it('SWP protects the unit, and MODE SENSE shows it', () => {
    const rig = rigOf({}, 2);
    expect(rig.outcome(1, ...modeSelect6(HEADER + WITH_SWP))).toBe('00');
    expect(rig.outcome(1, write10(0, 1), filled(1, 1))).toBe('7/27/02');
    expect(rig.outcome(1, read10(0, 1))).toBe('00');
    const { data } = rig.run(1, modeSense6(0x0a));
    expect([data[2]! & 0x80, hex(data.subarray(12))]).toEqual([0x80, WITH_SWP]);
    expect(rig.outcome(2, testUnitReady())).toBe('6/2A/01');
    expect(rig.outcome(1, ...modeSelect6(HEADER + CONTROL))).toBe('00');
    expect(rig.outcome(1, write10(0, 1), filled(1, 1))).toBe('00');
  });

  it('D_SENSE chooses the format of the next sense data', () => {
    const rig = rigOf();
    rig.outcome(1, ...modeSelect6(HEADER + WITH_D_SENSE));
    expect(hex(rig.run(1, read10(9999, 1)).sense)).toBe('7205210000000000');
    rig.outcome(1, ...modeSelect6(HEADER + CONTROL));
    expect(rig.run(1, read10(9999, 1)).sense[0]).toBe(0x70);
  });

  it('TAS is taken, by MODE SELECT(10) with a block descriptor', () => {
    const rig = rigOf();
    const list = fromHex(`0000000000000008${'0000080000000200'}${WITH_TAS}`);
    const cdb = Uint8Array.of(0x55, 0x10, 0, 0, 0, 0, 0, 0, list.length, 0);
    expect(rig.outcome(1, cdb, list)).toBe('00');
    expect(hex(rig.run(1, modeSense10(0x0a)).data.subarray(16))).toBe(WITH_TAS);
  });

  it('what nothing changes is told to nobody', () => {
    const rig = rigOf({}, 2);
    expect(rig.outcome(1, ...modeSelect6(HEADER + CONTROL))).toBe('00');
    expect(rig.outcome(2, testUnitReady())).toBe('00');
  });

  it('what MODE SENSE gives, all pages, is taken back', () => {
    const rig = rigOf();
    for (const length of [255, 4]) {
      const list = rig.run(1, modeSense6(0x3f, length)).data.slice();
      if (length === 4) list[3] = 0;
      expect(rig.outcome(1, Uint8Array.of(0x15, 0x10, 0, 0, list.length, 0), list)).toBe('00');
    }
  });

  it('a reset gives the default values back', () => {
    const rig = rigOf();
    rig.outcome(1, ...modeSelect6(HEADER + WITH_SWP));
    rig.step({ kind: 'task-management', nexus: 1, lun: 0, function: 'lun-reset', id: 1 });
    expect([rig.outcome(1, testUnitReady()), rig.outcome(1, write10(0, 1), filled(1, 1))]).toEqual(['6/29/03', '00']);
  });

  it.each([
    ['a bit that cannot be changed', HEADER + CONTROL.replace('0210', '0310'), '5/26/00'],
    ['a page that is not there', `${HEADER}050a${'00'.repeat(10)}`, '5/26/00'],
    ['a page of another length', `${HEADER}0a0800000000000000000000`, '5/26/00'],
    ['a page that is cut off', HEADER + CONTROL.slice(0, 20), '5/1A/00'],
    ['a header that is cut off', '000000', '5/1A/00'],
    ['another block length', `00000008${'0000000000000400'}${CONTROL}`, '5/26/00'],
    ['another number of blocks', `00000008${'0000001000000200'}${CONTROL}`, '5/26/00'],
    ['two block descriptors', `00000010${'0000000000000200'.repeat(2)}${CONTROL}`, '5/26/00'],
    ['one wrong page after a good one', `${HEADER}${WITH_SWP}050a${'00'.repeat(10)}`, '5/26/00'],
    ['nothing', '', '00'],
  ])('%s: %#', (_what, list, outcome) => {
    const rig = rigOf();
    expect(rig.outcome(1, ...modeSelect6(list))).toBe(outcome);
    expect(hex(rig.run(1, modeSense6(0x0a)).data.subarray(12))).toBe(CONTROL);
  });

  it.each([
    ['PF 0', 0x00],
    ['SP 1', 0x11],
  ])('%s is refused', (_what, flags) => {
    const [cdb, list] = modeSelect6(HEADER + CONTROL);
    cdb[1] = flags;
    expect(rigOf().outcome(1, cdb, list)).toBe('5/24/00');
  });
});

const startStop = (byte4: number): Uint8Array => Uint8Array.of(0x1b, 0, 0, 0, byte4, 0);
const preventAllow = (prevent: number): Uint8Array => Uint8Array.of(0x1e, 0, 0, 0, prevent, 0);
const EJECT = startStop(0x02);
const LOAD = startStop(0x03);

describe('a removable medium', () => {
  it('is ejected and loaded', () => {
    const rig = rigOf({ isRemovable: true });
    expect(rig.run(1, inquiry()).data[1]).toBe(0x80);
    expect(rig.outcome(1, EJECT)).toBe('00');
    for (const cdb of [testUnitReady(), read10(0, 1), write10(0, 1), readCapacity10()]) {
      expect(rig.outcome(1, cdb, filled(1, 0))).toBe('2/3A/00');
    }
    for (const cdb of [inquiry(), reportLuns(), modeSense6(0x3f), EJECT]) expect(rig.outcome(1, cdb)).toBe('00');
    expect(senseText(senseOf(rig.run(1, requestSense()).data)!)).toBe('2/3A/00');
    expect([rig.outcome(1, LOAD), rig.outcome(1, testUnitReady())]).toEqual(['00', '00']);
  });

  it('without LOEJ, and with a power condition, nothing happens', () => {
    const rig = rigOf({ isRemovable: true });
    for (const byte4 of [0x00, 0x01, 0x12, 0x22, 0x32]) {
      expect([rig.outcome(1, startStop(byte4)), rig.outcome(1, testUnitReady())]).toEqual(['00', '00']);
    }
  });

  it('stays while any nexus prevents its removal', () => {
    const rig = rigOf({ isRemovable: true }, 2);
    rig.outcome(1, preventAllow(1));
    rig.outcome(2, preventAllow(1));
    expect([rig.outcome(1, EJECT), rig.outcome(2, EJECT), rig.outcome(1, LOAD)]).toEqual([
      '5/53/02',
      '5/53/02',
      '5/53/02',
    ]);
    rig.outcome(1, preventAllow(0));
    expect(rig.outcome(1, EJECT)).toBe('5/53/02');
    rig.outcome(2, preventAllow(0));
    expect(rig.outcome(1, EJECT)).toBe('00');
  });

  it.each(['lun-reset', 'target-warm-reset', 'target-cold-reset', 'logout', 'nexus-lost', 'power-cycle'] as const)(
    '%s lets it go',
    (what) => {
      const rig = rigOf({ isRemovable: true }, 2);
      rig.outcome(2, preventAllow(1));
      if (what === 'power-cycle') rig.step({ kind: what });
      else if (what === 'logout' || what === 'nexus-lost') rig.step({ kind: what, nexus: 2 });
      else rig.step({ kind: 'task-management', nexus: 1, lun: 0, function: what, id: 1 });
      if (what === 'power-cycle') rig.login(1);
      rig.outcome(1, requestSense());
      expect(rig.outcome(1, EJECT)).toBe('00');
    },
  );

  it('one that cannot be removed is not ejected', () => {
    const rig = rigOf();
    expect([rig.outcome(1, EJECT), rig.outcome(1, startStop(1)), rig.outcome(1, preventAllow(1))]).toEqual([
      '5/24/00',
      '00',
      '00',
    ]);
  });
});

describe('task management', () => {
  it.each([
    ['lun-reset', '6/29/03'],
    ['target-warm-reset', '6/29/00'],
    ['target-cold-reset', '6/29/00'],
  ] as const)('%s ends all tasks and RESERVE, and every nexus learns of it', (what, attention) => {
    const rig = new Rig({ units: [{}, {}] }).login(1, 2);
    rig.outcome(2, reserve6());
    const late = rig.send(2, write10(0, 1), filled(1, 1));
    rig.step({ kind: 'task-management', nexus: 1, lun: 0, function: what, id: 7 });
    expect(rig.other.at(-1)).toEqual({ kind: 'task-management-ended', nexus: 1, id: 7, response: 'function-complete' });
    rig.advance();
    expect(rig.responseTo(2, late)).toBeUndefined();
    expect([rig.outcome(1, testUnitReady()), rig.outcome(2, testUnitReady())]).toEqual([attention, attention]);
    expect(rig.outcome(1, reserve6())).toBe('00');
    // the other unit is reset with the target only
    expect(rig.outcome(1, testUnitReady(), undefined, 1)).toBe(what === 'lun-reset' ? '00' : attention);
  });

  it.each([
    ['clear-aca', 0, 'function-complete'],
    ['clear-aca', 9, 'incorrect-lun'],
    ['target-warm-reset', 9, 'function-complete'],
    ['abort-task', 0, 'task-does-not-exist'],
  ] as const)('%s on LUN %i: %s', (what: TaskManagementFunction, lun, response) => {
    const rig = rigOf();
    rig.step({ kind: 'task-management', nexus: 1, lun, function: what, id: 1 });
    expect(rig.other.at(-1)).toMatchObject({ response });
  });
});

/** REPORT SUPPORTED OPERATION CODES. */
function rsoc(options: number, opcode = 0, serviceAction = 0, length = 65_535): Uint8Array {
  const cdb = Uint8Array.of(0xa3, 0x0c, options, opcode, 0, serviceAction, 0, 0, 0, 0, 0, 0);
  viewOf(cdb).setUint32(6, length);
  return cdb;
}

describe('REPORT SUPPORTED OPERATION CODES', () => {
  it.each([
    [0x00, 8],
    [0x80, 20],
  ])('option %i: every command of the unit, %i bytes each', (options, size) => {
    const rig = rigOf({ isThin: true });
    const { data } = rig.run(1, rsoc(options));
    expect(viewOf(data).getUint32(0)).toBe(size * COMMANDS.length);
    COMMANDS.forEach(({ name, opcode, serviceAction, usage }, i) => {
      const at = 4 + size * i;
      const flags = (size === 20 ? 2 : 0) | (serviceAction === undefined ? 0 : 1);
      const expected = Uint8Array.of(opcode, 0, 0, serviceAction ?? 0, 0, flags, 0, usage.length);
      expect(hex(data, at, at + 8), name).toBe(hex(expected));
      if (size === 20) expect(hex(data, at + 8, at + 20)).toBe(`000a${'00'.repeat(10)}`);
    });
  });

  it('one: the bits that are evaluated, with opcode and service action', () => {
    const rig = rigOf();
    expect(hex(rig.run(1, rsoc(1, 0x28)).data)).toBe('0003000a' + '281effffffff1fffff00');
    expect(hex(rig.run(1, rsoc(2, 0x9e, 0x10)).data)).toBe('00030010' + '9e10ffffffffffffffffffffffff0100');
    expect(hex(rig.run(1, rsoc(0x81, 0x00)).data)).toBe(`00830006${'00'.repeat(6)}000a${'00'.repeat(10)}`);
  });

  it('every command by itself; with the wrong option it is refused', () => {
    const rig = rigOf({ isThin: true });
    for (const { name, opcode, serviceAction = 0, usage, ...rest } of COMMANDS) {
      const has = 'serviceAction' in COMMANDS.find((each) => each.name === name)!;
      expect(rig.outcome(1, rsoc(1, opcode, serviceAction)), name).toBe(has ? '5/24/00' : '00');
      expect(rig.outcome(1, rsoc(2, opcode, serviceAction)), name).toBe(has ? '00' : '5/24/00');
      const { data } = rig.run(1, rsoc(3, opcode, serviceAction));
      expect([data[1], data[3], data[4]], name).toEqual([3, usage.length, opcode]);
      expect(rest.transfer, name).toBeDefined();
    }
  });

  it.each([
    ['an opcode that is not there', rsoc(1, 0xc0), '00010000'],
    ['a service action that is not there', rsoc(2, 0x9e, 0x1f), '00010000'],
    ['UNMAP of a thick unit', rsoc(1, 0x42), '00010000'],
  ])('%s is not supported', (_what, cdb, bytes) => {
    expect(hex(rigOf().run(1, cdb).data)).toBe(bytes);
  });

  it('an option that is not there is refused', () => {
    expect(rigOf().outcome(1, rsoc(4, 0))).toBe('5/24/00');
  });

  it('task management: all but query and wakeup', () => {
    const cdb = rsoc(0);
    cdb[1] = 0x0d;
    expect(hex(rigOf().run(1, cdb).data)).toBe('fa000000');
  });
});

it('what a CDB moves is what its command says', () => {
  const rig = rigOf({ isThin: true });
  const moved = (cdb: string): [string, number] => {
    const bytes = fromHex(cdb);
    const { transfer } = COMMANDS.find(
      (command) =>
        command.opcode === bytes[0] &&
        (command.serviceAction === undefined || command.serviceAction === (bytes[1]! & 0x1f)),
    )!;
    return [transfer.direction, transfer.bytes(bytes, rig.store.blockLength)];
  };
  expect(moved('00 0000000000')).toEqual(['none', 0]);
  expect(moved('12 00 00 0201 00')).toEqual(['in', 513]);
  expect(moved('08 000000 00 00')).toEqual(['in', 256 * 512]);
  expect(moved('28 00 00000000 00 0003 00')).toEqual(['in', 3 * 512]);
  expect(moved('aa 00 00000000 00000003 00 00')).toEqual(['out', 3 * 512]);
  expect(moved('89 00 0000000000000000 000000 02 00 00')).toEqual(['out', 4 * 512]);
  expect(moved('9c 00 0000000000000000 0000 0002 00 00')).toEqual(['out', 1024]);
  expect(moved('93 00 0000000000000000 00000009 00 00')).toEqual(['out', 512]);
  expect(moved('93 01 0000000000000000 00000009 00 00')).toEqual(['out', 0]);
  expect(moved('2f 00 00000000 00 0003 00')).toEqual(['out', 0]);
  expect(moved('2f 02 00000000 00 0003 00')).toEqual(['out', 3 * 512]);
  expect(moved('2f 06 00000000 00 0003 00')).toEqual(['out', 512]);
  expect(moved('5f 00 00 00 00 00000018 00')).toEqual(['out', 24]);
  expect(moved('25 00 00000000 0000 00 00')).toEqual(['in', 8]);
});

describe('REPORT TARGET PORT GROUPS', () => {
  const GROUP = '0001 0001 00 00 00 01 0000 0001';

  it.each([
    ['a header of the length only', 'a3 0a 00000000 000000ff 00 00', `0000000c ${GROUP}`],
    ['an extended header', 'a3 2a 00000000 000000ff 00 00', `00000010 10 00 0000 ${GROUP}`],
    ['cut off, with the length of all', 'a3 0a 00000000 00000006 00 00', '0000000c 0001'],
    ['no room', 'a3 0a 00000000 00000000 00 00', ''],
  ])('one group, active/optimized: %s', (_what, cdb, bytes) => {
    const { status, data } = rigOf().run(1, fromHex(cdb));
    expect([status, hex(data)]).toEqual([0, bytes.replaceAll(' ', '')]);
  });

  it('another header format is refused, with a pointer to the field', () => {
    const { sense } = rigOf().run(1, fromHex('a3 4a 00000000 000000ff 00 00'));
    expect(senseOf(sense)).toMatchObject({ key: 5, asc: 0x24, field: { in: 'cdb', byte: 1, bit: 7 } });
  });

  it('group and port are those of page 83h, whatever the number of the port', () => {
    const target = new ScsiTarget({
      name: 'iqn.2024-01.lab:disks',
      relativePort: 0x0203,
      logicalUnits: [{ lun: 0, serial: 'A', store: new SparseStore({ blocks: 8 }), service: IMMEDIATE_SERVICE }],
      world: TAME_WORLD,
    });
    const answer = (cdb: Uint8Array): Uint8Array => {
      const answers: Uint8Array[] = [];
      target.step(0, { kind: 'command', nexus: 1, lun: 0, tag: 1, cdb, data: new Uint8Array(0) }, (output) => {
        if (output.kind === 'response') answers.push(output.data.slice());
      });
      return answers[0]!;
    };
    target.step(0, { kind: 'login', nexus: 1, port: { name: 'iqn.2024-01.lab:a', isid: '400000000001' } }, () => {});
    answer(testUnitReady());
    const groups = answer(fromHex('a3 0a 00000000 000000ff 00 00'));
    const designators = decodeDesignators(decodeVpd(answer(inquiry(0x83)))!.body);
    const [port, group] = [4, 5].map((type) => hex(designators.find((each) => each.type === type)!.value, 2));
    expect([hex(groups, 6, 8), hex(groups, 14, 16)]).toEqual([group, port]);
    expect(port).toBe('0203');
  });

  it('runs under a reservation of somebody else', () => {
    const rig = rigOf({}, 2);
    rig.reserveOut(2, ReserveOut.register, 0, 0n, 2n);
    rig.reserveOut(2, ReserveOut.reserve, 3, 2n);
    expect(rig.outcome(1, fromHex('a3 0a 00000000 000000ff 00 00'))).toBe('00');
  });
});

describe('READ DEFECT DATA', () => {
  it.each([
    ['10', '37 00 1d 00000000 0020 00', '001d0000'],
    ['12', 'b7 1d 00000000 00000020 00 00', '001d000000000000'],
  ])('%s: empty lists', (_what, cdb, bytes) => {
    expect(hex(rigOf().run(1, fromHex(cdb)).data)).toBe(bytes);
  });
});

/** SANITIZE with its parameter list. */
function sanitize(action: number, list: Uint8Array = new Uint8Array(0), flags = 0): [Uint8Array, Uint8Array] {
  return [Uint8Array.of(0x48, flags | action, 0, 0, 0, 0, 0, list.length >> 8, list.length, 0), list];
}

function overwrite(pattern: string, count = 1, length = pattern.length / 2): Uint8Array {
  return concatBytes(Uint8Array.of(count, 0, length >> 8, length), fromHex(pattern));
}

describe('SANITIZE', () => {
  const rigWithData = (): Rig => {
    const rig = rigOf({ sanitizeTime: 2 * SECOND }, 2);
    rig.store.write(0, filled(8, 0x77));
    return rig;
  };

  it('OVERWRITE leaves the pattern in every block, and answers when it is over', () => {
    const rig = rigWithData();
    const tag = rig.send(1, ...sanitize(1, overwrite('aabbcc')));
    expect(rig.responseTo(1, tag)).toBeUndefined();
    rig.advance();
    expect(rig.responseTo(1, tag)).toMatchObject({ status: 0, at: 2 * SECOND });
    const bytes = new Uint8Array(1024);
    rig.store.read(2046, 2, bytes);
    expect([hex(bytes, 0, 4), hex(bytes, 510, 516)]).toEqual(['aabbccaa', 'aabb' + 'aabbccaa']);
  });

  it.each([2, 3])('action %i leaves zeros', (action) => {
    const rig = rigWithData();
    expect(rig.outcome(1, ...sanitize(action))).toBe('00');
    expect([...rig.store.pages()]).toEqual([]);
  });

  it('while it runs the unit is not ready, but for what asks about it', () => {
    const rig = rigWithData();
    expect(rig.send(1, ...sanitize(2, undefined, 0x80))).toBe(rig.ended.at(-1)!.tag);
    rig.advance(SECOND);
    for (const cdb of [testUnitReady(), read10(0, 1), EJECT, write10(0, 1), ...[sanitize(2)[0]]]) {
      expect(rig.outcome(2, cdb, new Uint8Array(0))).toBe('2/04/1B');
    }
    expect(senseOf(rig.ended.at(-1)!.sense)!.progress).toBe(0x8000);
    for (const cdb of [inquiry(), reportLuns(), modeSense6(0x3f), rsoc(0)]) expect(rig.outcome(2, cdb)).toBe('00');
    expect(senseOf(rig.run(2, requestSense()).data)).toEqual({ key: 2, asc: 4, ascq: 0x1b, progress: 0x8000 });
    rig.advance(2 * SECOND);
    expect(rig.outcome(2, testUnitReady())).toBe('00');
  });

  it.each(['abort-task-set', 'lun-reset', 'target-cold-reset', 'logout', 'power-cycle'] as const)(
    '%s does not end it',
    (what) => {
      const rig = rigWithData();
      const tag = rig.send(1, ...sanitize(2));
      rig.advance(SECOND);
      if (what === 'logout') rig.step({ kind: what, nexus: 1 });
      else if (what === 'power-cycle') rig.step({ kind: what });
      else rig.step({ kind: 'task-management', nexus: 1, lun: 0, function: what, id: 1 });
      if (what === 'power-cycle') rig.login(2);
      rig.run(2, requestSense());
      expect(rig.outcome(2, testUnitReady())).toBe('2/04/1B');
      rig.advance(2 * SECOND);
      expect(rig.responseTo(1, tag)).toBeUndefined();
      expect(rig.outcome(2, testUnitReady())).toBe('00');
    },
  );

  it.each([
    ['count 0', 1, overwrite('aa', 0)],
    ['a pattern of no bytes', 1, overwrite('aa', 1, 0)],
    ['a pattern longer than the list', 1, overwrite('aa', 1, 2)],
    ['a pattern longer than a block', 1, overwrite('aa'.repeat(513))],
    ['no list', 1, new Uint8Array(0)],
    ['a list for a block erase', 2, overwrite('aa')],
    ['a list for the exit from failure mode', 0x1f, overwrite('aa')],
    ['service action 0', 0, new Uint8Array(0)],
    ['a reserved bit', 0x42, new Uint8Array(0)],
  ])('%s is refused', (_what, action, list) => {
    const rig = rigWithData();
    expect(rig.outcome(1, ...sanitize(action, list))).toBe('5/24/00');
    expect(rig.outcome(1, testUnitReady())).toBe('00');
  });

  it('a write-protected unit, a reservation', () => {
    expect(rigOf({ isWriteProtected: true }).outcome(1, ...sanitize(2))).toBe('7/27/00');
    const rig = rigWithData();
    rig.outcome(2, reserve6());
    expect(rig.outcome(1, ...sanitize(2))).toBe('18');
    expect(rig.outcome(2, ...sanitize(0x1f))).toBe('00');
  });
});

/** EXTENDED COPY between units named by their NAA identifiers. */
function extendedCopy(
  targets: readonly string[],
  segments: readonly (readonly [source: number, from: number, destination: number, to: number, blocks: number])[],
  change: (list: Uint8Array) => void = () => {},
): [Uint8Array, Uint8Array] {
  const list = new Uint8Array(16 + 32 * targets.length + 28 * segments.length);
  const view = viewOf(list);
  list[0] = 9;
  view.setUint16(2, 32 * targets.length);
  view.setUint32(8, 28 * segments.length);
  targets.forEach((naa, i) => {
    list.set([0xe4, 0, 0, 0, 0x01, 0x03, 0, naa.length / 2], 16 + 32 * i);
    list.set(fromHex(naa), 24 + 32 * i);
  });
  segments.forEach(([source, from, destination, to, blocks], i) => {
    const at = 16 + 32 * targets.length + 28 * i;
    list.set([0x02, 0, 0, 0x18], at);
    view.setUint16(at + 4, source);
    view.setUint16(at + 6, destination);
    view.setUint16(at + 10, blocks);
    setU64(view, at + 12, from);
    setU64(view, at + 20, to);
  });
  change(list);
  const cdb = new Uint8Array(16);
  cdb[0] = 0x83;
  viewOf(cdb).setUint32(10, list.length);
  return [cdb, list];
}

function withByte(at: number, byte: number): (list: Uint8Array) => void {
  return (list) => {
    list[at] = byte;
  };
}

/** The last segment descriptor becomes inline data. */
function inlineData(list: Uint8Array): void {
  list[11]! -= 28;
  list[15] = 28;
}

const A = `6${'a'.repeat(31)}`;
const B = `6${'b'.repeat(31)}`;

function receiveCopyResults(action: number, listId: number): Uint8Array {
  return fromHex(`84 0${action} 0${listId} 00000000000000 00000400 00 00`);
}

describe('EXTENDED COPY and RECEIVE COPY RESULTS', () => {
  const twoUnits = (): Rig => {
    const units = [A, B].map((naa) => ({ naa, service: IMMEDIATE_SERVICE }));
    const rig = new Rig({ units }).login(1, 2);
    rig.store.write(10, filled(4, 5));
    return rig;
  };
  const firstByte = (store: SparseStore, lba: number): number => {
    const bytes = new Uint8Array(512);
    store.read(lba, 1, bytes);
    return bytes[0]!;
  };

  it('copies within a unit and to another one', () => {
    const rig = twoUnits();
    const segments = [
      [0, 10, 0, 100, 2],
      [0, 10, 1, 7, 4],
    ] as const;
    expect(rig.outcome(1, ...extendedCopy([A, B], segments))).toBe('00');
    expect([firstByte(rig.stores[0]!, 101), firstByte(rig.stores[0]!, 102)]).toEqual([5, 0]);
    expect([firstByte(rig.stores[1]!, 10), firstByte(rig.stores[1]!, 11)]).toEqual([5, 0]);
    expect(hex(rig.run(1, receiveCopyResults(0, 9)).data)).toBe('00000008' + '01' + '0002' + '00' + '00000c00');
    expect(rig.outcome(2, receiveCopyResults(0, 9))).toBe('5/24/00');
    expect(rig.outcome(1, receiveCopyResults(0, 8))).toBe('5/24/00');
  });

  it.each([
    ['a list that is cut off', [A], [[0, 10, 0, 100, 2]], withByte(11, 56), '5/1A/00'],
    ['another kind of target', [A], [[0, 10, 0, 100, 2]], withByte(16, 0xe0), '5/26/07'],
    ['another kind of segment', [A], [[0, 10, 0, 100, 2]], withByte(48, 0x03), '5/26/09'],
    ['too many targets', new Array(9).fill(A), [[0, 10, 0, 100, 2]], () => {}, '5/26/06'],
    ['too many segments', [A], new Array(9).fill([0, 10, 0, 100, 2]), () => {}, '5/26/08'],
    ['an index without a target', [A], [[0, 10, 1, 100, 2]], () => {}, 'A/0D/02'],
    ['a unit that is not there', [A.replace('a', 'c')], [[0, 10, 0, 100, 2]], () => {}, 'A/0D/02'],
    ['beyond the end', [A], [[0, 10, 0, 2047, 2]], () => {}, 'A/00/00'],
    ['inline data', [A], [[0, 10, 0, 100, 2]], inlineData, '5/26/0B'],
    ['no list identifier, and one that is given', [A], [[0, 10, 0, 100, 2]], withByte(1, 0x18), '5/26/00'],
  ] as const)('%s', (_what, targets, segments, change, outcome) => {
    const rig = twoUnits();
    const before = rig.facts.filter((fact) => fact.kind === 'scsi.written').length;
    expect(rig.outcome(1, ...extendedCopy(targets, segments as never, change as never))).toBe(outcome);
    expect(rig.facts.filter((fact) => fact.kind === 'scsi.written').length).toBe(before);
  });

  it('a threshold of the unit that is copied to is told there, to who copies', () => {
    const units = [A, B].map((naa) => ({ naa, isThin: true, service: IMMEDIATE_SERVICE }));
    const rig = new Rig({ units }).login(1, 2);
    // LBPERE; SITUA, and one threshold: half a set of 1 MiB is used.
    const pages = `010a000000000080000000005c02002c01${'00'.repeat(11)}81020000${'00'.repeat(28)}`;
    expect(rig.outcome(1, ...modeSelect6(HEADER + pages), 1)).toBe('00');
    expect(rig.outcome(2, testUnitReady(), undefined, 1)).toBe('6/2A/01');
    expect(rig.outcome(1, ...extendedCopy([A, B], [[0, 0, 1, 0, 1024]]))).toBe('00');
    const heard = [1, 2].map((nexus) => [0, 1].map((lun) => rig.outcome(nexus, testUnitReady(), undefined, lun)));
    expect(heard).toEqual([
      ['00', '6/38/07'],
      ['00', '00'],
    ]);
  });

  it('without a list identifier nothing is kept of it, and what was kept before stays', () => {
    const rig = twoUnits();
    expect(rig.outcome(1, ...extendedCopy([A], [[0, 10, 0, 100, 2]]))).toBe('00');
    const unnamed = (list: Uint8Array): void => list.set([0, 0x18]);
    expect(rig.outcome(1, ...extendedCopy([A], [[0, 10, 0, 200, 4]], unnamed))).toBe('00');
    expect(firstByte(rig.store, 203)).toBe(5);
    expect(rig.outcome(1, receiveCopyResults(0, 0))).toBe('5/24/00');
    expect(hex(rig.run(1, receiveCopyResults(0, 9)).data, 8)).toBe('00000400');
  });

  it('has the rights of who asked for it, on every unit', () => {
    const rig = twoUnits();
    rig.reserveOut(2, ReserveOut.register, 0, 0n, 2n);
    rig.reserveOut(2, ReserveOut.reserve, 3, 2n);
    const onTheOther = (cdb: Uint8Array, data: Uint8Array): string => rig.outcome(1, cdb, data, 1);
    expect(onTheOther(...extendedCopy([A, B], [[0, 10, 1, 0, 1]]))).toBe('A/0D/02');
    expect(onTheOther(...extendedCopy([A, B], [[1, 0, 0, 10, 1]]))).toBe('A/0D/02');
    expect(onTheOther(...extendedCopy([A, B], [[1, 0, 1, 10, 1]]))).toBe('00');
    expect(rig.outcome(1, ...extendedCopy([A], [[0, 10, 0, 0, 1]]))).toBe('18');
  });

  it('an empty list is GOOD; the operating parameters name the limits', () => {
    const rig = twoUnits();
    const cdb = new Uint8Array(16);
    cdb[0] = 0x83;
    expect(rig.outcome(1, cdb)).toBe('00');
    expect(hex(rig.run(1, receiveCopyResults(3, 0)).data)).toBe(
      // its length; SNLID; 8 targets, 8 segments in 1024 bytes of descriptors, segments of 16 MiB, no inline or held data
      `0000002a 01000000 0008 0008 00000400 01000000 ${'00000000'.repeat(2)}`.replaceAll(' ', '') +
        // no stream device; one copy at a time, in multiples of 512 bytes; block to block, by identification
        `${'00'.repeat(6)} 0001 01 09 ${'00'.repeat(5)} 02 02e4`.replaceAll(' ', ''),
    );
  });
});

describe('what a store cannot do', () => {
  const failing = (failure: 'unreadable' | 'unwritable' | 'no-space'): Rig => {
    const store = new SparseStore({ blocks: 2048 });
    const fail = (): never => {
      throw new StoreError(failure, 513, 'planted');
    };
    if (failure === 'unreadable') Object.assign(store, { read: fail });
    else Object.assign(store, { write: fail, flush: fail, unmap: fail });
    return rigOf({ store, isThin: true });
  };

  it.each([
    ['unreadable', '28 00 00000000 00 0002 00', '3/11/00'],
    ['unreadable', '2f 00 00000000 00 0002 00', '3/11/00'],
    ['unwritable', '2a 00 00000000 00 0002 00', '3/0C/00'],
    ['unwritable', '35 00 00000000 00 0002 00', '3/0C/00'],
    ['no-space', '2a 00 00000000 00 0002 00', '7/27/07'],
    ['no-space', '41 00 00000000 00 0002 00', '7/27/07'],
  ] as const)('%s, CDB %s: %s', (failure, cdb, outcome) => {
    const rig = failing(failure);
    const { status, sense, data } = rig.run(1, fromHex(cdb), filled(fromHex(cdb)[0] === 0x41 ? 1 : 2, 1));
    expect([status, senseText(senseOf(sense)!), senseOf(sense)!.information, data.length]).toEqual([2, outcome, 1, 0]);
    expect(rig.facts.some((fact) => fact.kind === 'scsi.written')).toBe(false);
  });
});
