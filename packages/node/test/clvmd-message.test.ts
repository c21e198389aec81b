import { fromHex, hex, utf8Bytes } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClvmdMessage, decodeClvmdMessage, encodeClvmdMessage } from '../src/stack/clvmd-message.js';

const RESOURCE = 'g1ERWAEb9DH0XycnjopfJQ5PntrACLy5ivrr7psH7KrMqJY6Z05AvVeSceFk30un';
const LOCK = { kind: 'lock-volume', transaction: 0x0102, client: 7, resource: RESOURCE } as const;
const REPLY = { kind: 'reply', transaction: 0x0102, client: 7 } as const;

/** Structures of clvm.h on x86, by hand: command, flags, xid, clientid, status, arglen, node, args. */
const GOLDEN: readonly (readonly [ClvmdMessage, string])[] = [
  [{ kind: 'version', version: [0, 2, 1] }, '02 00 0000 00000000 00000000 0000000c 00 00000000 00000002 00000001 00'],
  [{ ...LOCK, command: 'activate' }, `32 00 0102 07000000 00000000 00000042 00 89 04 ${hex(utf8Bytes(RESOURCE))} 00`],
  [
    { ...LOCK, command: 'activate-exclusive' },
    `32 00 0102 07000000 00000000 00000042 00 8d 04 ${hex(utf8Bytes(RESOURCE))} 00`,
  ],
  [{ ...REPLY, status: 0, text: '' }, '01 00 0102 07000000 00000000 00000000 00 00'],
  [{ ...REPLY, status: 5, text: 'busy' }, '01 00 0102 07000000 00000005 00000005 00 62757379 00 00'],
];

describe('a message of clvmd', () => {
  it.each(GOLDEN)('%j', (message, bytes) => {
    expect(hex(encodeClvmdMessage(message))).toBe(hex(fromHex(bytes)));
    expect(decodeClvmdMessage(fromHex(bytes))).toEqual(message);
  });

  it.each([
    ['nothing', ''],
    ['half a header', '32 00 0102 07000000 00000000 000000'],
    ['for a node by name', `32 00 0102 07000000 00000000 00000042 61 89 04 ${hex(utf8Bytes(RESOURCE))} 00`],
    ['the name of something else', `32 00 0102 07000000 00000000 00000006 00 89 04 ${hex(utf8Bytes('V_vg'))} 00`],
    ['a mode that we have not', `32 00 0102 07000000 00000000 00000042 00 8c 04 ${hex(utf8Bytes(RESOURCE))} 00`],
    ['a version that is cut off', '02 00 0000 00000000 00000000 0000000c 00 00000000 00000002'],
    ['another command', '28 00 0000 00000000 00000000 00000000 00 00'],
  ])('%s is none', (_what, bytes) => {
    expect(decodeClvmdMessage(fromHex(bytes))).toBeUndefined();
  });

  it('arbitrary bytes are a message or none', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void decodeClvmdMessage(bytes)));
  });
});
