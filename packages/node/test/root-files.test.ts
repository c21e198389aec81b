import { expect, it } from 'vitest';
import { RootFiles } from '../src/os/files.js';

it('a directory that was made is there at the next boot, and one that was removed is not', () => {
  const disk = new Map<string, Uint8Array>();
  const boot = (): RootFiles =>
    new RootFiles(new Map(disk), (change) => {
      if (change.change === 'removed') disk.delete(change.path);
      else disk.set(change.path, change.bytes);
    });
  const files = boot();
  for (const path of ['/data', '/data/deep', '/gone', '/tmp/volatile']) files.makeDirectory(path, 0);
  files.removeDirectory('/gone', 0);
  const after = boot();
  expect(['/data', '/data/deep', '/gone', '/tmp/volatile'].map((path) => after.isDirectory(path))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
