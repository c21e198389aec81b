import { jhash } from '@quorate/dlm';
import { asciiBytes } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Rsb } from '../src/resource.js';
import { NameBytes, ResourceTable } from '../src/resource-table.js';

const NAMES = Array.from({ length: 5000 }, (_, i) => `r${i}`);
const resourceOf = (name: string): Rsb => new Rsb(name, jhash(name), 1);

/** That name as it stands in a message. */
const inMessage = (name: string): NameBytes => new NameBytes().turnTo(asciiBytes(`<${name}>`), 1, 1 + name.length);

it('a name hashes alike as a string and as bytes', () => {
  for (const name of ['', 'a', '123456789012', '1234567890123', '       2        0000001a']) {
    expect(inMessage(name).hash >>> 0).toBe(jhash(name));
  }
});

it('a resource is found by its name in both forms until it is dropped', () => {
  const table = new ResourceTable();
  for (const name of NAMES) table.add(resourceOf(name));
  for (const name of NAMES) expect(table.find(inMessage(name))).toBe(table.get(name));
  for (const name of NAMES.filter((_, i) => i % 3 !== 0)) table.delete(table.get(name)!);
  for (const [i, name] of NAMES.entries()) {
    expect(table.find(inMessage(name))?.name).toBe(i % 3 === 0 ? name : undefined);
    expect(table.has(name)).toBe(i % 3 === 0);
  }
  expect(table.size).toBe([...table.values()].length);
});

it('another name with the same hash is not taken for it', () => {
  const table = new ResourceTable();
  const [one, other] = ['one', 'other'].map((name) => new Rsb(name, jhash('one'), 1));
  table.add(one!);
  table.add(other!);
  expect(table.find(inMessage('one'))).toBe(one);
  table.delete(one!);
  expect(table.find(inMessage('one'))).toBeUndefined();
});
