import { asciiBytes, latin1 } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { RootDisk } from '../src/root-disk.js';

function textsOf(disk: RootDisk): Record<string, string> {
  return Object.fromEntries([...disk.contents()].map(([path, bytes]) => [path, latin1(bytes)]));
}

it('files are there as they were written, replaced and removed last', () => {
  const disk = new RootDisk(new Map([['/etc/hosts', asciiBytes('localhost')]]));
  disk.change({ change: 'appended', path: '/var/log/messages', bytes: asciiBytes('one ') });
  disk.change({ change: 'appended', path: '/var/log/messages', bytes: asciiBytes('two') });
  disk.change({ change: 'replaced', path: '/etc/hosts', bytes: asciiBytes('node1') });
  disk.change({ change: 'replaced', path: '/root/x', bytes: asciiBytes('x') });
  disk.change({ change: 'removed', path: '/root/x' });
  expect(textsOf(disk)).toEqual({ '/etc/hosts': 'node1', '/var/log/messages': 'one two' });
});

it('what a boot has found stays what it was, and the bytes of a change may be used again', () => {
  const disk = new RootDisk(new Map());
  const bytes = asciiBytes('a');
  disk.change({ change: 'appended', path: '/a', bytes });
  bytes[0] = 0x62;
  const found = disk.contents().get('/a')!;
  disk.change({ change: 'appended', path: '/a', bytes });
  expect([latin1(found), textsOf(disk)['/a']]).toEqual(['a', 'ab']);
});

it('a log of two hundred thousand lines is read at a boot', () => {
  const disk = new RootDisk(new Map());
  const bytes = asciiBytes('line\n');
  for (let i = 0; i < 200_000; i += 1) disk.change({ change: 'appended', path: '/log', bytes });
  expect(disk.contents().get('/log')!.length).toBe(1_000_000);
});
