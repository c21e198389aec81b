import { asciiBytes, bytesEqual, hex, md5, SeededWorld } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { decodeBinary, encodeBinary } from '../src/chap/chap.js';
import { sha256 } from '../src/chap/sha256.js';
import { Client, INITIATOR, Rig, TARGET } from './rig.js';

it.each([
  // Vectors of RFC 1321, A.5
  ['', 'd41d8cd98f00b204e9800998ecf8427e'],
  ['a', '0cc175b9c0f1b6a831c399e269772661'],
  ['abc', '900150983cd24fb0d6963f7d28e17f72'],
  ['abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
  [
    '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
    '57edf4a22be3c955ac49da2e2107b67a',
  ],
])('MD5 of "%s"', (text, digest) => {
  expect(hex(md5(asciiBytes(text)))).toBe(digest);
});

it.each([
  // Vectors of FIPS 180-4
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
])('SHA-256 of "%s"', (text, digest) => {
  expect(hex(sha256(asciiBytes(text)))).toBe(digest);
});

it.each([
  ['0x00ff', '00ff'],
  ['0XaBc', '0abc'],
  ['0bAP8=', '00ff'],
  ['0bAAECAwQF', '000102030405'],
  ['0bAP8', undefined],
  ['00ff', undefined],
  ['0x', undefined],
  ['0xgg', undefined],
  [`0x${'00'.repeat(1025)}`, undefined],
])('the binary value %s is %s', (text, bytes) => {
  const decoded = decodeBinary(text);
  expect(decoded === undefined ? undefined : hex(decoded)).toBe(bytes);
  if (decoded !== undefined) expect(bytesEqual(decodeBinary(encodeBinary(decoded))!, decoded)).toBe(true);
});

describe('a target with CHAP', () => {
  const user = { name: 'my-vm1', secret: 'secret-of-12-b' };
  const mutual = { name: 'disks', secret: 'target-of-12-b' };
  const rig = (): Rig =>
    new Rig({
      world: new SeededWorld({ hi: 0, lo: 1 }),
      targets: [{ name: TARGET, logicalUnits: [], users: [user, { name: '0x12', secret: 'another-one-12' }], mutual }],
      discovery: { users: [user] },
    });

  it.each([
    ['nobody', {}, 'login status 0201'],
    ['the right secret', { user }, undefined],
    ['a name that looks like a number', { user: { name: '0x12', secret: 'another-one-12' } }, undefined],
    ['a wrong secret', { user: { ...user, secret: 'secret-of-12-c' } }, 'login status 0201'],
    ['a name that is not known', { user: { ...user, name: 'my-vm2' } }, 'login status 0201'],
    ['both ways', { user, mutual }, undefined],
    [
      'both ways, the target has another secret',
      { user, mutual: { ...mutual, secret: 'x' } },
      'the target did not prove who it is',
    ],
    [
      'both ways, the target has another name',
      { user, mutual: { ...mutual, name: 'x' } },
      'the target did not prove who it is',
    ],
  ])('%s', (_who, config, why) => {
    const client = new Client(rig(), { initiator: INITIATOR, world: new SeededWorld({ hi: 0, lo: 2 }), ...config });
    expect(client.of('close')[0]?.why).toBe(why);
    expect(client.of('logged-in').length).toBe(why === undefined ? 1 : 0);
  });

  it('does not prove itself to its own challenge', () => {
    // In a tame world every challenge is the same.
    const client = new Client(new Rig({ targets: [{ name: TARGET, logicalUnits: [], users: [user], mutual }] }), {
      user,
      mutual,
    });
    expect(client.of('close')[0]?.why).toBe('login status 0201');
  });

  it('discovery has users of its own', () => {
    const { initiator } = new Client(rig(), { user });
    expect(initiator.inspect().state).toBe('full-feature');
  });
});
