import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatInterfaceAddress,
  formatIpv4,
  formatMac,
  multicastMac,
  parseInterfaceAddress,
  parseIpv4,
  parseMac,
} from '../src/index.js';

describe('addresses', () => {
  it('are read as they are written', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff_ffff), fc.nat(32), (address, mac, prefixLength) => {
        expect(parseIpv4(formatIpv4(address))).toBe(address);
        expect(parseMac(formatMac(mac))).toBe(mac);
        const text = `${formatIpv4(address)}/${prefixLength}`;
        expect(formatInterfaceAddress(parseInterfaceAddress(text)!)).toBe(text);
      }),
    );
  });

  it.each(['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.-4', ' 1.2.3.4', '1.2.3.4 '])(
    'refuses "%s"',
    (text) => {
      expect(parseIpv4(text)).toBeUndefined();
    },
  );

  it.each(['1.2.3.4/33', '1.2.3.4/', '1.2.3.4/a', '/22'])('refuses "%s"', (text) => {
    expect(parseInterfaceAddress(text)).toBeUndefined();
  });

  it('knows network and broadcast address of 10.156.76.74/22', () => {
    const { mask, network, broadcast } = parseInterfaceAddress('10.156.76.74/22')!;
    expect([mask, network, broadcast].map(formatIpv4)).toEqual(['255.255.252.0', '10.156.76.0', '10.156.79.255']);
  });

  it.each([
    ['0.0.0.0/0', '0.0.0.0'],
    ['10.156.76.58', '255.255.255.255'],
    ['10.156.76.58/31', '255.255.255.254'],
  ])('%s has the mask %s', (text, mask) => {
    expect(formatIpv4(parseInterfaceAddress(text)!.mask)).toBe(mask);
  });

  it.each([
    ['239.192.99.54', '01:00:5e:40:63:36'],
    ['224.0.0.1', '01:00:5e:00:00:01'],
    ['239.255.255.255', '01:00:5e:7f:ff:ff'],
  ])('the group %s has the MAC address %s', (group, mac) => {
    expect(formatMac(multicastMac(parseIpv4(group)!))).toBe(mac);
  });
});
