import { expect, it } from 'vitest';
import { baseName, normalizePath } from '../src/os/files.js';
import { MountTable } from '../src/os/mounts.js';

it.each([
  ['/', '/'],
  ['', '/'],
  ['/etc//cluster/', '/etc/cluster'],
  ['/a/./b/../c', '/a/c'],
  ['/../../etc', '/etc'],
  ['var/log', '/var/log'],
])('%s is the path %s', (path, normal) => {
  expect(normalizePath(path)).toBe(normal);
});

it.each([
  ['/etc/hosts', 'hosts'],
  ['ping', 'ping'],
  ['/', ''],
])('the last part of %s is %s', (path, name) => {
  expect(baseName(path)).toBe(name);
});

const table = new MountTable();
table.add({ device: '/dev/sda', directory: '/mydata', type: 'gfs2', options: 'rw' });

it.each([
  ['/mydata', '/'],
  ['/mydata/html/index.html', '/html/index.html'],
  ['/mydata2', undefined],
  ['/', undefined],
  ['/etc/mydata', undefined],
])('%s is %s in the file system that is mounted', (path, inside) => {
  expect(table.resolve(path)?.path).toBe(inside);
});

it('a directory without a mount is the root file system’s again', () => {
  table.remove('/mydata');
  expect([table.resolve('/mydata/a'), table.get('/mydata'), table.list()]).toEqual([undefined, undefined, []]);
});
