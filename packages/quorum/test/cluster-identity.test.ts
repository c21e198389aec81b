import { expect, it } from 'vitest';
import { clusterIdOf, multicastAddress6Of, multicastAddressOf } from '../src/index.js';

it.each([
  // name        hashed  id     address
  ['my-cluster', true, 25554, '239.192.99.54'],
  ['my-cluster', false, 40372, '239.192.157.82'],
  ['', false, 0, '239.192.0.0'],
  ['a', false, 97, '239.192.0.97'],
  ['ab', false, 2 * 97 + 98, '239.192.1.37'],
  // Halves of the FNV-1a values 0x811c9dc5 and 0xe40c292c.
  ['', true, 0x811c ^ 0x9dc5, '239.192.28.245'],
  ['a', true, 0xe40c ^ 0x292c, '239.192.205.237'],
])('"%s", hashed %s, is %i at %s', (name, isHashed, id, address) => {
  expect(clusterIdOf(name, isHashed)).toBe(id);
  expect(multicastAddressOf(id)).toBe(address);
});

it.each([
  // The id modulo 255: 0 comes again at 255, and 255 never comes.
  [254, '239.192.0.254'],
  [255, '239.192.0.0'],
  [256, '239.192.1.1'],
  [0xffff, '239.192.255.0'],
])('%i is %s', (id, address) => {
  expect(multicastAddressOf(id)).toBe(address);
});

it('has an IPv6 address, too', () => {
  expect(multicastAddress6Of(25554)).toBe('ff15::63d2');
});
