import { asciiBytes, ConfigError, crc32c, hex } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AptplRecord,
  decodeAptpl,
  decodeFullStatus,
  decodeKeys,
  encodeAptpl,
  type LogicalUnitConfig,
  persistentReserveIn,
  ReserveIn,
  ReserveOut,
  registerAndMove as registerAndMoveOf,
  StoreError,
  write10,
} from '../src/index.js';
import { portOf, Rig } from './rig.js';

const { register, reserve, release, clear, preempt, preemptAndAbort, registerAndMove } = ReserveOut;
const BLOCK = new Uint8Array(512);

const TEXT = `persistent reservations 1
aptpl 1
type 5
registration 000000000000000a holder iqn.2024-01.lab:a,i,0x400000000001
registration 000000000000000b all-ports iqn.2024-01.lab:b,i,0x400000000002
`;

function bytesOf(lines: string): Uint8Array {
  return asciiBytes(`${lines}crc32c ${crc32c(asciiBytes(lines)).toString(16).padStart(8, '0')}\n`);
}

const RECORD: AptplRecord = {
  isActive: true,
  type: 5,
  registrations: [
    { port: portOf(1), key: 0xan, isHolder: true, allTargetPorts: false },
    { port: portOf(2), key: 0xbn, isHolder: false, allTargetPorts: true },
  ],
};

describe('the record', () => {
  it('is text with a checksum', () => {
    expect(hex(encodeAptpl(RECORD))).toBe(hex(bytesOf(TEXT)));
    expect(decodeAptpl(bytesOf(TEXT))).toEqual(RECORD);
  });

  it('is read as it was written', () => {
    const port = fc.record({
      name: fc.stringMatching(/^iqn\.[!-~]{1,40}$/),
      isid: fc.stringMatching(/^[0-9a-f]{12}$/),
    });
    const key = fc.bigInt({ min: 1n, max: 0xffff_ffff_ffff_ffffn });
    const ports = fc.uniqueArray(fc.tuple(port, key, fc.boolean()), {
      minLength: 1,
      maxLength: 5,
      selector: ([{ name, isid }]) => `${name} ${isid}`,
    });
    fc.assert(
      fc.property(ports, fc.constantFrom(0, 1, 3, 5, 6, 7, 8), (registered, type) => {
        const hasHolder = type !== 0 && type < 7;
        const registrations = registered.map(([each, eachKey, allTargetPorts], i) => ({
          port: each,
          key: eachKey,
          allTargetPorts,
          isHolder: hasHolder && i === 0,
        }));
        const record = { isActive: true, type, registrations };
        expect(decodeAptpl(encodeAptpl(record))).toEqual(record);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['another file', 'LVM2 001\n', 'line 1: aptpl: found "LVM2 001", expected "persistent reservations 1"'],
    ['a line that was cut off', TEXT.slice(0, 40), 'a line that ends'],
    ['no checksum', TEXT, 'the checksum of the lines before'],
  ])('%s is refused', (_what, text, message) => {
    expect(() => decodeAptpl(asciiBytes(text))).toThrow(message);
  });

  it.each([
    ['type 2', TEXT.replace('type 5', 'type 2'), 'line 3: aptpl: found "type 2"'],
    ['no holder', TEXT.replace(' holder', ' -'), 'found "0 holders of type 5", expected 1'],
    ['two holders', TEXT.replace(' all-ports', ' holder'), 'found "2 holders of type 5", expected 1'],
    ['a port twice', TEXT.replace(':b,i,0x400000000002', ':a,i,0x400000000001'), 'found "a port twice"'],
    ['key 0', TEXT.replace('00000a', '000000'), 'found "key 0"'],
    ['a line of another kind', TEXT.replace('registration', 'register'), 'line 4: aptpl'],
  ])('%s is refused', (_what, text, message) => {
    expect(() => decodeAptpl(bytesOf(text))).toThrow(message);
  });

  it('any flipped bit is found', () => {
    const bytes = bytesOf(TEXT);
    for (let i = 0; i < bytes.length; i++) {
      const copy = bytes.slice();
      copy[i]! ^= 0x04;
      expect(() => decodeAptpl(copy), `byte ${i}`).toThrow(ConfigError);
    }
  });
});

/** A target that keeps its records, and the new one that takes the last of them. */
function keeping(unit: Partial<LogicalUnitConfig> = {}) {
  const saved: AptplRecord[] = [];
  const rig = new Rig({ units: [{ saveAptpl: (record) => saved.push(record), ...unit }] });
  const restart = (): Rig => new Rig({ units: [{ aptpl: decodeAptpl(encodeAptpl(saved.at(-1)!)) }] });
  return { rig, saved, restart };
}

function fullStatus(rig: Rig, nexus: number): string[] {
  const { data } = rig.run(nexus, persistentReserveIn(ReserveIn.readFullStatus));
  return decodeFullStatus(data)!.registrations.map(
    ({ key, port, isHolder }) => `${port!.name.slice(-1)} ${key.toString(16)}${isHolder ? ' holds' : ''}`,
  );
}

describe('a target that starts again', () => {
  it('has registrations and reservation before the first login, and PRgeneration 0', () => {
    const { rig, restart } = keeping();
    rig.login(1, 2);
    rig.reserveOut(1, register, 0, 0n, 0xan, { aptpl: true });
    rig.reserveOut(2, register, 0, 0n, 0xbn, { aptpl: true });
    rig.reserveOut(1, reserve, 5, 0xan);
    const again = restart().login(3);
    expect(fullStatus(again, 3)).toEqual(['a a holds', 'b b']);
    expect(decodeKeys(again.readKeys(3))!.generation).toBe(0);
    expect(again.outcome(3, write10(0, 1), BLOCK)).toBe('18');
    // the ports that come back have theirs, whatever their number
    again.step({ kind: 'login', nexus: 7, port: portOf(2) });
    again.outcome(7, write10(0, 1), BLOCK);
    expect(again.outcome(7, write10(0, 1), BLOCK)).toBe('00');
    expect(fullStatus(again, 3)).toEqual(['a a holds', 'b b']);
  });

  it('a victim that has not come back is fenced all the same', () => {
    const again = new Rig({ units: [{ aptpl: RECORD }] }).login(2);
    expect(again.reserveOut(2, preemptAndAbort, 5, 0xbn, 0xan)).toBe('00');
    expect(fullStatus(again, 2)).toEqual(['b b holds']);
    again.login(1);
    expect(again.outcome(1, write10(0, 1), BLOCK)).toBe('18');
  });

  it('another isid is another nexus', () => {
    const again = new Rig({ units: [{ aptpl: RECORD }] });
    again.step({ kind: 'login', nexus: 1, port: { ...portOf(1), isid: '400000000009' } });
    again.outcome(1, write10(0, 1), BLOCK);
    expect(again.outcome(1, write10(0, 1), BLOCK)).toBe('18');
  });

  it('gives the record out at any time', () => {
    expect(new Rig({ units: [{ aptpl: RECORD }] }).target.aptplRecord(0)).toEqual(RECORD);
    expect(new Rig().target.aptplRecord(0)).toEqual({ isActive: false, type: 0, registrations: [] });
    expect(new Rig().target.aptplRecord(5)).toBeUndefined();
  });

  it('refuses a record that no unit can have', () => {
    expect(() => new Rig({ units: [{ aptpl: { ...RECORD, type: 0 } }] })).toThrow(ConfigError);
  });
});

describe('what is kept, and when', () => {
  it('every change while APTPL is active is saved before its GOOD', () => {
    const seen: string[] = [];
    const rig = new Rig({
      units: [
        {
          saveAptpl: ({ isActive, type, registrations }) => {
            seen.push(`save ${isActive ? 1 : 0} ${type} ${registrations.map(({ key }) => key).join(' ')}`);
          },
        },
      ],
      onEnded: ({ status }) => seen.push(`status ${status}`),
    }).login(1, 2);
    seen.length = 0;
    rig.reserveOut(2, register, 0, 0n, 2n);
    rig.reserveOut(1, register, 0, 0n, 1n, { aptpl: true });
    rig.reserveOut(1, reserve, 5, 1n);
    rig.reserveOut(1, reserve, 6, 1n);
    rig.reserveOut(1, preempt, 5, 1n, 2n);
    rig.reserveOut(1, release, 5, 1n);
    rig.reserveOut(1, clear, 0, 1n);
    expect(seen).toEqual([
      'status 0',
      ...['save 1 0 2 1', 'status 0'],
      ...['save 1 5 2 1', 'status 0'],
      'status 24',
      ...['save 1 5 1', 'status 0'],
      ...['save 1 0 1', 'status 0'],
      ...['save 1 0 ', 'status 0'],
    ]);
  });

  it('a REGISTER without APTPL empties the record', () => {
    const { rig, saved } = keeping();
    rig.login(1);
    rig.reserveOut(1, register, 0, 0n, 1n, { aptpl: true });
    rig.reserveOut(1, register, 0, 1n, 2n);
    expect(saved.at(-1)).toEqual({ isActive: false, type: 0, registrations: [] });
    rig.reserveOut(1, reserve, 5, 2n);
    expect(saved.length).toBe(2);
  });

  it.each([register, reserve, clear, preempt, registerAndMove])('a save that fails undoes action %i', (action) => {
    let isBroken = false;
    const rig = new Rig({
      units: [
        {
          saveAptpl: () => {
            if (isBroken) throw new StoreError('no-space', 0, 'full');
          },
        },
      ],
    }).login(1, 2);
    rig.reserveOut(1, register, 0, 0n, 1n, { aptpl: true });
    rig.reserveOut(2, register, 0, 0n, 2n, { aptpl: true });
    if (action !== reserve) rig.reserveOut(1, reserve, 5, 1n);
    isBroken = true;
    const before = [fullStatus(rig, 1), decodeKeys(rig.readKeys(1))!.generation];
    const outcome =
      action === registerAndMove
        ? rig.outcomeOf(1, moveTo(2))
        : rig.reserveOut(1, action, 5, 1n, action === register ? 9n : 2n, { aptpl: action === register });
    expect(outcome).toBe('4/44/00');
    expect([fullStatus(rig, 1), decodeKeys(rig.readKeys(1))!.generation]).toEqual(before);
    expect(rig.outcome(2, write10(0, 1), BLOCK)).toBe('00');
  });
});

function moveTo(nexus: number) {
  return registerAndMoveOf({
    key: 1n,
    serviceActionKey: 9n,
    unregister: false,
    aptpl: true,
    relativeTargetPort: 1,
    destination: portOf(nexus),
  });
}
