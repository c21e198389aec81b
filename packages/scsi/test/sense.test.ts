import { fromHex, hex } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itWith } from '../../../tooling/oracle.js';
import {
  COMMANDS_CLEARED_BY_ANOTHER_INITIATOR,
  encodeSense,
  INVALID_COMMAND_OPERATION_CODE,
  invalidFieldInCdb,
  invalidFieldInParameterList,
  LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE,
  MAX_SENSE_BYTES,
  NO_SENSE,
  REGISTRATIONS_PREEMPTED,
  RESERVATIONS_PREEMPTED,
  RESERVATIONS_RELEASED,
  type Sense,
  type SenseFormat,
  senseOf,
  senseText,
} from '../src/sense.js';
import { output } from './oracle.js';

function encode(sense: Sense, format: SenseFormat): Uint8Array {
  const bytes = new Uint8Array(MAX_SENSE_BYTES).fill(0xee);
  return bytes.slice(0, encodeSense(sense, format, bytes));
}

describe('sense data', () => {
  it.each([
    [NO_SENSE, '70 00 00 00000000 0a 00000000 00 00 00 000000'],
    [REGISTRATIONS_PREEMPTED, '70 00 06 00000000 0a 00000000 2a 05 00 000000'],
    [invalidFieldInCdb(2), '70 00 05 00000000 0a 00000000 24 00 00 c00002'],
    [invalidFieldInCdb(1, 4), '70 00 05 00000000 0a 00000000 24 00 00 cc0001'],
    [invalidFieldInParameterList(20), '70 00 05 00000000 0a 00000000 26 00 00 800014'],
    [{ key: 3, asc: 0x11, ascq: 0, information: 0x12345678 }, 'f0 00 03 12345678 0a 00000000 11 00 00 000000'],
    // a value that needs more than 32 bits leaves VALID at 0
    [{ key: 3, asc: 0x11, ascq: 0, information: 2 ** 32 }, '70 00 03 00000000 0a 00000000 11 00 00 000000'],
  ])('%j in fixed format', (sense, expected) => {
    expect(hex(encode(sense, 'fixed'))).toBe(expected.replaceAll(' ', ''));
  });

  it.each([
    [REGISTRATIONS_PREEMPTED, '72 06 2a 05 000000 00'],
    [invalidFieldInCdb(2), '72 05 24 00 000000 08  02 06 0000 c00002 00'],
    [{ key: 3, asc: 0x11, ascq: 0, information: 2 ** 40 }, '72 03 11 00 000000 0c  00 0a 80 00 0000010000000000'],
  ])('%j by descriptors', (sense, expected) => {
    expect(hex(encode(sense, 'descriptor'))).toBe(expected.replaceAll(' ', ''));
  });

  it.each(['fixed', 'descriptor'] as const)('%s: what is written is read', (format) => {
    const field = fc.record(
      { in: fc.constantFrom('cdb', 'data'), byte: fc.nat(0xffff), bit: fc.nat(7) },
      { requiredKeys: ['in', 'byte'] },
    );
    const sense = fc.record(
      { key: fc.constant(5), asc: fc.nat(255), ascq: fc.nat(255), information: fc.nat(0xffff_ffff), field },
      { requiredKeys: ['key', 'asc', 'ascq'] },
    );
    fc.assert(
      fc.property(sense, (value) => {
        expect(senseOf(encode(value as Sense, format))).toEqual(value);
      }),
    );
  });

  it('any bytes are read or refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(0x70, 0x71, 0x72, 0x73, 0xf0, 0), fc.uint8Array({ maxLength: 40 }), (code, rest) => {
        senseOf(Uint8Array.of(code, ...rest));
        senseOf(rest);
      }),
    );
    expect(senseOf(new Uint8Array(0))).toBeUndefined();
    expect(senseOf(fromHex('00 00 05'))).toBeUndefined();
  });

  it('reads as people write it', () => {
    expect(senseText(REGISTRATIONS_PREEMPTED)).toBe('6/2A/05');
  });

  describe('sg_decode_sense agrees', () => {
    const cases: readonly (readonly [Sense, string, string])[] = [
      [INVALID_COMMAND_OPERATION_CODE, 'Illegal Request', 'Invalid command operation code'],
      [LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE, 'Illegal Request', 'Logical block address out of range'],
      [invalidFieldInCdb(2, 5), 'Illegal Request', 'Error in Command: byte 2 bit 5'],
      [invalidFieldInParameterList(20), 'Illegal Request', 'Error in Data parameters: byte 20'],
      [RESERVATIONS_PREEMPTED, 'Unit Attention', 'Reservations preempted'],
      [RESERVATIONS_RELEASED, 'Unit Attention', 'Reservations released'],
      [REGISTRATIONS_PREEMPTED, 'Unit Attention', 'Registrations preempted'],
      [COMMANDS_CLEARED_BY_ANOTHER_INITIATOR, 'Unit Attention', 'Commands cleared by another initiator'],
    ];
    for (const [sense, key, text] of cases) {
      itWith(['sg_decode_sense'], text, () => {
        for (const format of ['fixed', 'descriptor'] as const) {
          const printed = output('sg_decode_sense', '--nospace', hex(encode(sense, format)));
          expect(printed).toContain(`Sense key: ${key}`);
          expect(printed).toContain(text);
        }
      });
    }
  });
});
