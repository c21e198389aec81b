import { bytesEqual, concatBytes, hex } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLbaStatus } from '../src/commands/get-lba-status.js';
import { decodeInquiry } from '../src/commands/inquiry.js';
import { decodeModePages } from '../src/commands/mode-sense.js';
import { decodeCapacity10, decodeCapacity16 } from '../src/commands/read-capacity.js';
import { decodeLuns, encodeLuns } from '../src/commands/report-luns.js';
import { decodeDesignators, decodeVpd } from '../src/commands/vital-product-data.js';
import { ReserveOut } from '../src/opcode.js';
import {
  decodeRegisterAndMoveList,
  decodeReserveOutList,
  encodeRegisterAndMoveList,
  encodeReserveOutList,
} from '../src/reservation/parameter-list.js';
import {
  decodeCapabilities,
  decodeFullStatus,
  decodeKeys,
  decodeReservation,
  encodeCapabilities,
  encodeFullStatus,
  encodeKeys,
  encodeReservation,
} from '../src/reservation/reserve-in-data.js';
import { decodeTransportId, encodeTransportId } from '../src/transport-id.js';

const key = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const port = fc.record({
  name: fc.stringMatching(/^iqn\.[a-z0-9.:-]{1,60}$/),
  isid: fc.stringMatching(/^[0-9a-f]{12}$/),
});
const type = fc.constantFrom(1, 3, 5, 6, 7, 8);

describe('TransportID', () => {
  it('a name with isid, NUL terminated and padded to 4', () => {
    const id = encodeTransportId({ name: 'iqn.2024-01.example:node', isid: '400000000001' });
    expect(hex(id.subarray(0, 4))).toBe('4500002c');
    expect(id.length).toBe(48);
    expect(String.fromCharCode(...id.subarray(4, 45))).toBe('iqn.2024-01.example:node,i,0x400000000001');
    expect([...id.subarray(45)]).toEqual([0, 0, 0]);
  });

  it('one character more adds four bytes when the NUL needs them', () => {
    const length = (name: string): number => encodeTransportId({ name, isid: '400000000001' }).length;
    expect([length('iqn.abcde'), length('iqn.abcdef'), length('iqn.abcdefg')]).toEqual([32, 32, 36]);
  });

  it('what is written is read', () => {
    fc.assert(
      fc.property(port, (value) => {
        expect(decodeTransportId(encodeTransportId(value))).toEqual(value);
      }),
    );
  });

  it.each([
    ['of another protocol', (id: Uint8Array) => id.fill(0x46, 0, 1)],
    ['of a device, without isid', (id: Uint8Array) => id.fill(0x05, 0, 1)],
    ['cut off', (id: Uint8Array) => id.subarray(0, id.length - 4)],
    ['without NUL', (id: Uint8Array) => id.fill(0x41, 4)],
    ['with something else than a name', (id: Uint8Array) => id.fill(0x41, 4, id.length - 1)],
  ])('%s is no port', (_what, spoil) => {
    const id = encodeTransportId({ name: 'iqn.2024-01.example:node', isid: '400000000001' });
    expect(decodeTransportId(spoil(id))).toBeUndefined();
  });
});

describe('PERSISTENT RESERVE OUT parameter list', () => {
  it('24 bytes: both keys, and the flags in byte 20', () => {
    const list = { key: 0xan, serviceActionKey: 0xbn, aptpl: true, allTargetPorts: true, initiatorPorts: undefined };
    expect(hex(encodeReserveOutList(list))).toBe('000000000000000a000000000000000b0000000005000000');
  });

  it('what is written is read', () => {
    const list = fc.record({
      key,
      serviceActionKey: key,
      aptpl: fc.boolean(),
      allTargetPorts: fc.boolean(),
      initiatorPorts: fc.option(fc.array(port, { maxLength: 3 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(list, (value) => {
        const bytes = encodeReserveOutList(value);
        expect(decodeReserveOutList(ReserveOut.register, bytes.length, bytes)).toEqual({ ok: true, value });
      }),
    );
  });

  const plain = encodeReserveOutList({
    key: 1n,
    serviceActionKey: 2n,
    aptpl: false,
    allTargetPorts: false,
    initiatorPorts: undefined,
  });
  const withPort = encodeReserveOutList({
    key: 1n,
    serviceActionKey: 2n,
    aptpl: false,
    allTargetPorts: false,
    initiatorPorts: [{ name: 'iqn.a', isid: '000000000001' }],
  });

  it.each([
    ['L of 23', ReserveOut.register, 23, plain, 0x1a],
    ['L of 25 without SPEC_I_PT', ReserveOut.register, 25, concatBytes(plain, new Uint8Array(1)), 0x1a],
    ['less Data-Out than L', ReserveOut.register, 24, plain.subarray(0, 20), 0x1a],
    ['SPEC_I_PT with RESERVE', ReserveOut.reserve, withPort.length, withPort, 0x26],
    ['SPEC_I_PT with REGISTER AND IGNORE', ReserveOut.registerAndIgnoreExistingKey, withPort.length, withPort, 0x26],
    [
      'SPEC_I_PT and L too long',
      ReserveOut.register,
      withPort.length + 4,
      new Uint8Array([...withPort, 0, 0, 0, 0]),
      0x26,
    ],
    ['SPEC_I_PT and a TransportID cut off', ReserveOut.register, withPort.length - 4, withPort, 0x26],
  ] as const)('%s is refused', (_what, action, length, bytes, asc) => {
    const decoded = decodeReserveOutList(action, length, bytes);
    expect(decoded.ok ? undefined : [decoded.sense.key, decoded.sense.asc]).toEqual([5, asc]);
  });

  it('REGISTER AND MOVE: what is written is read', () => {
    const list = fc.record({
      key,
      serviceActionKey: key,
      unregister: fc.boolean(),
      aptpl: fc.boolean(),
      relativeTargetPort: fc.nat(0xffff),
      destination: port,
    });
    fc.assert(
      fc.property(list, (value) => {
        const bytes = encodeRegisterAndMoveList(value);
        expect(decodeRegisterAndMoveList(bytes.length, bytes)).toEqual({ ok: true, value });
      }),
    );
  });
});

describe('PERSISTENT RESERVE IN data', () => {
  it('READ KEYS: what is written is read, and keys that are cut off are left out', () => {
    const answer = fc.record({ generation: u32, keys: fc.array(key, { maxLength: 8 }) });
    fc.assert(
      fc.property(answer, fc.nat(80), (value, cut) => {
        const bytes = encodeKeys(value);
        expect(decodeKeys(bytes)).toEqual(value);
        const read = decodeKeys(bytes.subarray(0, 8 + cut))!;
        expect(read.keys).toEqual(value.keys.slice(0, Math.floor(cut / 8)));
      }),
    );
  });

  it('READ RESERVATION: what is written is read', () => {
    const reservation = fc.option(fc.record({ key, scope: fc.constant(0), type }), { nil: undefined });
    fc.assert(
      fc.property(fc.record({ generation: u32, reservation }), (value) => {
        expect(decodeReservation(encodeReservation(value))).toEqual(value);
      }),
    );
  });

  it('READ FULL STATUS: what is written is read', () => {
    const registration = fc
      .record({
        key,
        allTargetPorts: fc.boolean(),
        isHolder: fc.boolean(),
        type,
        relativeTargetPort: fc.nat(0xffff),
        port,
      })
      .map((value) => ({ ...value, scope: 0, type: value.isHolder ? value.type : 0 }));
    fc.assert(
      fc.property(u32, fc.array(registration, { maxLength: 5 }), (generation, registrations) => {
        expect(decodeFullStatus(encodeFullStatus(generation, registrations))).toEqual({ generation, registrations });
      }),
    );
  });

  it('REPORT CAPABILITIES: what is written is read', () => {
    const capabilities = fc.record({
      replaceLostReservation: fc.boolean(),
      compatibleReservationHandling: fc.boolean(),
      specifyInitiatorPorts: fc.boolean(),
      allTargetPorts: fc.boolean(),
      persistThroughPowerLoss: fc.boolean(),
      persistThroughPowerLossActivated: fc.boolean(),
      allowCommands: fc.nat(5),
      types: fc.option(fc.subarray([1, 3, 5, 6, 7, 8]), { nil: undefined }),
    });
    fc.assert(
      fc.property(capabilities, (value) => {
        expect(decodeCapabilities(encodeCapabilities(value))).toEqual(value);
      }),
    );
  });
});

describe('REPORT LUNS data', () => {
  it('LUNs up to 255 by peripheral addressing, above by flat space addressing', () => {
    expect(hex(encodeLuns([0, 255, 256]))).toBe(
      '0000001800000000' + '0000000000000000' + '00ff000000000000' + '4100000000000000',
    );
  });

  it('what is written is read', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0x3fff)), (luns) => {
        expect(decodeLuns(encodeLuns(luns))).toEqual(luns);
      }),
    );
  });
});

it('no decoder throws, whatever it reads', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      const copy = bytes.slice();
      decodeTransportId(bytes);
      for (const action of [0, 1, 2, 3, 4, 5, 6] as const) decodeReserveOutList(action, bytes.length, bytes);
      decodeRegisterAndMoveList(bytes.length, bytes);
      for (const decode of [decodeKeys, decodeReservation, decodeFullStatus, decodeCapabilities, decodeLuns])
        decode(bytes);
      for (const decode of [decodeInquiry, decodeVpd, decodeDesignators, decodeCapacity10, decodeCapacity16])
        decode(bytes);
      decodeModePages(bytes, 6);
      decodeLbaStatus(bytes);
      decodeModePages(bytes, 10);
      expect(bytesEqual(bytes, copy)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
