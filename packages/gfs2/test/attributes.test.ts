import { utf8Bytes, utf8Text } from '@quorate/kernel';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../src/calls/caller.js';
import type { Operation, OperationResults, Stat } from '../src/calls/operation.js';
import { check } from '../src/check.js';
import { DIF, type Dinode, MODE } from '../src/ondisk/dinode.js';
import { decodeXattr, FIRST_XATTR } from '../src/ondisk/xattr.js';
import { Volume } from '../src/volume.js';
import { formattedDisk } from './formatted-disk.js';
import { digest } from './model.js';
import { NodeDriver, WALL } from './node-driver.js';
import { fsck, hasProgram } from './real-programs.js';

const HAS_FSCK = hasProgram('fsck.gfs2');

function expectClean(driver: NodeDriver): Volume {
  driver.unmount();
  expect(check(driver.disk.image)).toEqual([]);
  if (HAS_FSCK) expect(fsck(driver.disk.image)).toEqual({ status: 0, complaints: [] });
  return Volume.open(driver.disk.image)!;
}

function make(driver: NodeDriver, path: string, mode = 0o644, caller?: Caller): void {
  const fd = driver.run({ kind: 'open', path, flags: { write: true, create: true }, mode }, caller);
  expect(fd).toBeTypeOf('number');
  driver.run({ kind: 'close', fd: fd as number });
}

/** Of large values, which are slow to compare one by one. */
function digests(values: ReadonlyMap<string, Uint8Array>): Map<string, string> {
  return new Map([...values].map(([name, value]) => [name, digest(value)]));
}

/** Bytes that differ along their length. */
function sample(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) + seed) & 0xff);
}

describe.each([512, 1024, 2048, 4096])('extended attributes on blocks of %i bytes', (blockSize) => {
  /** Pointers to more than that do not fit a record. */
  const longest = blockSize === 512 ? 54 * 488 : 65_536;
  let driver: NodeDriver;
  beforeEach(() => {
    driver = NodeDriver.mounted(formattedDisk(24, { blockSize }));
    make(driver, '/f');
  });
  const set = (name: string, bytes: Uint8Array, how?: 'create' | 'replace') =>
    driver.run({ kind: 'setxattr', path: '/f', name, bytes, ...(how && { how }) });
  const held = (volume: Volume) =>
    new Map(
      (volume.xattrs(volume.lookup('/f') as Dinode) as { name: string; value: Uint8Array }[]).map(({ name, value }) => [
        name,
        value,
      ]),
    );

  it('one in a block, then several, then several blocks under an indirect one, with long values in blocks of their own', () => {
    const values = new Map<string, Uint8Array>();
    for (let i = 0; i < 30; i++) {
      const length = i === 9 ? longest : i % 10 === 5 ? 3 * blockSize + i : i % 3 === 0 ? 0 : blockSize >> 2;
      const name = `${['user', 'security', 'trusted'][i % 3]}.${'n'.repeat(1 + i)}`;
      values.set(name, sample(length, i));
      expect(set(name, values.get(name)!)).toBeUndefined();
      const { flags } = driver.run({ kind: 'stat', path: '/f' }) as Stat;
      if (i === 0) expect(flags & DIF.EA_INDIRECT).toBe(0);
      if (i === 29) expect(flags & DIF.EA_INDIRECT).not.toBe(0);
    }
    expect(new Set(driver.run({ kind: 'listxattr', path: '/f' }) as string[])).toEqual(new Set(values.keys()));
    for (const [name, value] of values) {
      expect(digest(driver.run({ kind: 'getxattr', path: '/f', name }) as Uint8Array)).toBe(digest(value));
    }
    expect(digests(held(expectClean(driver)))).toEqual(digests(values));
  });

  it('a value is replaced by a shorter or longer one, and blocks go with it', () => {
    const before = driver.run({ kind: 'statfs' }) as OperationResults['statfs'];
    for (const [i, length] of [10, 20_000, 22_000, 5, longest, 0].entries()) {
      expect(set('user.a', sample(length, i))).toBeUndefined();
      expect(set(`user.${i}`, sample(50, i))).toBeUndefined();
    }
    expect(set('user.a', sample(1, 1), 'create')).toBe('EEXIST');
    expect(set('user.z', sample(1, 1), 'replace')).toBe('ENODATA');
    expect(set('user.z', sample(65_537, 1))).toBe('E2BIG');
    expect(driver.run({ kind: 'getxattr', path: '/f', name: 'user.a' })).toEqual(new Uint8Array(0));
    expect(driver.run({ kind: 'removexattr', path: '/f', name: 'user.a' })).toBeUndefined();
    expect(driver.run({ kind: 'removexattr', path: '/f', name: 'user.a' })).toBe('ENODATA');
    driver.run({ kind: 'unlink', path: '/f' });
    driver.pass(1);
    const after = driver.run({ kind: 'statfs' }) as OperationResults['statfs'];
    expect(after).toEqual({ ...before, free: before.free + 1, dinodes: before.dinodes - 1 });
    expectClean(driver);
  });

  it('what a node left that died while it replaced a value is freed by the next change', () => {
    set('user.a', sample(20_000, 1));
    driver.unmount();
    const { image } = driver.disk;
    const { eattr } = Volume.open(image)!.lookup('/f') as Dinode;
    // As the first of the two transactions leaves it.
    image.patch(blockSize, eattr, (bytes) => {
      bytes[FIRST_XATTR + 9] = 0;
    });
    expect(check(image)).toEqual([]);
    const next = NodeDriver.mounted(driver.disk);
    const before = next.run({ kind: 'statfs' }) as OperationResults['statfs'];
    expect(next.run({ kind: 'listxattr', path: '/f' })).toEqual([]);
    next.run({ kind: 'setxattr', path: '/f', name: 'user.b', bytes: sample(5, 5) });
    const after = next.run({ kind: 'statfs' }) as OperationResults['statfs'];
    expect(after.free - before.free).toBe(Math.ceil(20_000 / (blockSize - 24)));
    const volume = expectClean(next);
    expect(decodeXattr(volume.readBlock(eattr)!, FIRST_XATTR)).toMatchObject({ type: 1, isLast: true });
  });
});

it('names of attributes need a namespace, and trusted ones format 1802', () => {
  const driver = NodeDriver.mounted(formattedDisk(24, { format: 1801 }));
  make(driver, '/f');
  const set = (name: string, path = '/f') => driver.run({ kind: 'setxattr', path, name, bytes: sample(3, 0) });
  expect(set('plain')).toBe('EOPNOTSUPP');
  expect(set('user.')).toBe('EINVAL');
  expect(set(`user.${'x'.repeat(251)}`)).toBe('ERANGE');
  expect(set('trusted.a')).toBe('EOPNOTSUPP');
  expect(set('system.posix_acl_access')).toBe('EOPNOTSUPP');
  driver.run({ kind: 'symlink', target: 'f', path: '/link' });
  expect(set('user.through', '/link')).toBeUndefined();
  const onLink = { kind: 'setxattr', path: '/link', isLinkFollowed: false, bytes: sample(3, 0) } as const;
  expect(driver.run({ ...onLink, name: 'user.on' })).toBe('EPERM');
  expect(driver.run({ ...onLink, name: 'security.on' })).toBeUndefined();
  const volume = expectClean(driver);
  expect(volume.xattrs(volume.lookup('/link') as Dinode)).toHaveLength(1);
});

describe('files of every height', () => {
  it.each([
    [512, 2 ** 52],
    [1024, 2 ** 50],
    [4096, 2 ** 52],
  ])('with blocks of %i bytes up to byte %i: written, allocated, punched and cut', (blockSize, most) => {
    const driver = NodeDriver.mounted(formattedDisk(24, { blockSize }));
    const before = driver.run({ kind: 'statfs' }) as OperationResults['statfs'];
    const fd = driver.run({ kind: 'open', path: '/f', flags: { write: true, create: true } }) as number;
    const offsets = Array.from({ length: 13 }, (_, i) => 16 ** i).filter((offset) => offset < most);
    for (const offset of offsets) driver.run({ kind: 'pwrite', fd, offset, bytes: utf8Bytes(`at ${offset}`) });
    expect(driver.run({ kind: 'fallocate', fd, offset: most - 100_000, length: 100_000 })).toBeUndefined();
    expect((driver.run({ kind: 'fstat', fd }) as Stat).size).toBe(most);
    for (const offset of offsets.slice(5)) {
      expect(utf8Text(driver.run({ kind: 'pread', fd, offset, length: 20 }) as Uint8Array)).toContain(`at ${offset}`);
    }
    driver.run({ kind: 'fallocate', fd, offset: 16 ** 6 - 5, length: 16 ** 9, how: 'punch-hole' });
    expect(driver.run({ kind: 'pread', fd, offset: 16 ** 8, length: 5 })).toEqual(new Uint8Array(5));
    driver.run({ kind: 'sync' });
    expect(check(driver.disk.image, { mayHaveDirtyJournals: true, mayHaveUnsyncedStatfs: true })).toEqual([]);
    driver.run({ kind: 'ftruncate', fd, size: 16 ** 5 + 3 });
    driver.run({ kind: 'ftruncate', fd, size: 2 ** 53 - 1 });
    expect(utf8Text(driver.run({ kind: 'pread', fd, offset: 16 ** 5, length: 6 }) as Uint8Array)).toBe('at \0\0\0');
    driver.run({ kind: 'close', fd });
    driver.run({ kind: 'unlink', path: '/f' });
    expect(driver.run({ kind: 'statfs' })).toEqual(before);
    expectClean(driver);
  });
});

it('special files have their type, owner and device number', () => {
  const driver = NodeDriver.mounted(formattedDisk(24));
  const made = [MODE.FIFO, MODE.SOCKET, MODE.BLOCK, MODE.CHARACTER].map((type, i) => {
    expect(driver.run({ kind: 'mknod', path: `/${i}`, mode: type | 0o640, major: 8, minor: 17 + i })).toBeUndefined();
    return driver.run({ kind: 'lstat', path: `/${i}` });
  });
  expect(made).toMatchObject(
    [0o010640, 0o140640, 0o060640, 0o020640].map((mode, i) => ({
      type: 'other',
      mode,
      major: 8,
      minor: 17 + i,
      size: 0,
    })),
  );
  expectClean(driver);
});

describe('flags', () => {
  it('journaled data is turned on and off, and directories hand it down', () => {
    const driver = NodeDriver.mounted(formattedDisk(24));
    make(driver, '/f');
    driver.run({ kind: 'mkdir', path: '/d' });
    const flag = (path: string, flags: number) =>
      driver.run({ kind: 'setflags', path, flags, mask: flags || DIF.JDATA });
    const fd = driver.run({ kind: 'open', path: '/f', flags: { write: true } }) as number;
    for (let i = 0; i < 6; i++) {
      driver.run({ kind: 'pwrite', fd, offset: i * 3000, bytes: sample(9000, i) });
      expect(flag('/f', i % 2 === 0 ? DIF.JDATA : 0)).toBeUndefined();
    }
    driver.run({ kind: 'close', fd });
    expect(flag('/d', DIF.INHERIT_JDATA)).toBeUndefined();
    expect(flag('/d', DIF.JDATA)).toBe('EINVAL');
    driver.run({ kind: 'mkdir', path: '/d/e' });
    make(driver, '/d/e/f');
    const volume = expectClean(driver);
    expect((volume.lookup('/d/e/f') as Dinode).flags).toBe(DIF.JDATA);
    expect((volume.read(volume.lookup('/f') as Dinode) as Uint8Array).subarray(15_000)).toEqual(sample(9000, 5));
  });

  it('an immutable file stays, and to an append-only one is only appended', () => {
    const driver = NodeDriver.mounted(formattedDisk(24));
    for (const path of ['/i', '/a']) make(driver, path);
    driver.run({ kind: 'setflags', path: '/i', flags: DIF.IMMUTABLE, mask: DIF.IMMUTABLE });
    driver.run({ kind: 'setflags', path: '/a', flags: DIF.APPENDONLY, mask: DIF.APPENDONLY });
    for (const path of ['/i', '/a']) {
      for (const operation of [
        { kind: 'open', path, flags: { write: true } },
        { kind: 'open', path, flags: { append: true, truncate: true } },
        { kind: 'unlink', path },
        { kind: 'rename', from: path, to: '/x' },
        { kind: 'link', from: path, to: '/x' },
        { kind: 'chmod', path, mode: 0 },
        { kind: 'setxattr', path, name: 'user.a', bytes: sample(1, 1) },
      ] as const satisfies readonly Operation[]) {
        expect(driver.run(operation), JSON.stringify(operation)).toBe('EPERM');
      }
    }
    const fd = driver.run({ kind: 'open', path: '/a', flags: { append: true } }) as number;
    expect(driver.run({ kind: 'append', fd, bytes: sample(10, 1) })).toBe(10);
    expect(driver.run({ kind: 'ftruncate', fd, size: 0 })).toBe('EPERM');
    driver.run({ kind: 'setflags', path: '/i', flags: 0, mask: DIF.IMMUTABLE });
    expect(driver.run({ kind: 'unlink', path: '/i' })).toBeUndefined();
  });
});

describe('callers who are not root', () => {
  const ann: Caller = { uid: 1000, gid: 100, groups: [50], umask: 0o027 };
  const bob: Caller = { uid: 1001, gid: 101 };
  let driver: NodeDriver;

  beforeEach(() => {
    driver = NodeDriver.mounted(formattedDisk(24));
    driver.run({ kind: 'mkdir', path: '/home', mode: 0o777 });
    driver.run({ kind: 'mkdir', path: '/tmp', mode: 0o1777 });
    driver.run({ kind: 'mkdir', path: '/shared', mode: 0o2777 });
    driver.run({ kind: 'chown', path: '/shared', gid: 50 });
    make(driver, '/home/ann', 0o666, ann);
    make(driver, '/tmp/ann', 0o666, ann);
    make(driver, '/root', 0o600);
    driver.run({ kind: 'mkdir', path: '/private', mode: 0o700 });
    make(driver, '/private/f', 0o666);
  });

  it('own what they make, without what their umask takes', () => {
    expect(driver.run({ kind: 'stat', path: '/home/ann' })).toMatchObject({ uid: 1000, gid: 100, mode: 0o100640 });
    make(driver, '/shared/f', 0o2775, bob);
    expect(driver.run({ kind: 'stat', path: '/shared/f' })).toMatchObject({ uid: 1001, gid: 50, mode: 0o100775 });
    driver.run({ kind: 'mkdir', path: '/shared/d', mode: 0o777 }, ann);
    expect(driver.run({ kind: 'stat', path: '/shared/d' })).toMatchObject({ gid: 50, mode: 0o042750 });
  });

  it.each<[string, Caller, Operation, unknown]>([
    ['a file of others is not read', bob, { kind: 'open', path: '/root' }, 'EACCES'],
    ['nor through a group that one is not in', bob, { kind: 'open', path: '/home/ann' }, 'EACCES'],
    ['but by its group', { uid: 1002, gid: 7, groups: [100] }, { kind: 'open', path: '/home/ann' }, 3],
    [
      'which may not write',
      { uid: 1002, gid: 100 },
      { kind: 'open', path: '/home/ann', flags: { write: true } },
      'EACCES',
    ],
    ['its owner may', ann, { kind: 'open', path: '/home/ann', flags: { write: true } }, 3],
    ['a directory without x is not passed', ann, { kind: 'stat', path: '/private/f' }, 'EACCES'],
    ['without r not listed', ann, { kind: 'readdir', path: '/private' }, 'EACCES'],
    ['without w nothing is made in it', ann, { kind: 'mkdir', path: '/d' }, 'EACCES'],
    ['nor removed', ann, { kind: 'unlink', path: '/root' }, 'EACCES'],
    ['nor renamed', ann, { kind: 'rename', from: '/root', to: '/home/x' }, 'EACCES'],
    ['nor linked', ann, { kind: 'link', from: '/home/ann', to: '/x' }, 'EACCES'],
    ['what exists is told first', ann, { kind: 'mkdir', path: '/home' }, 'EEXIST'],
    ['where all may write, all may remove', bob, { kind: 'unlink', path: '/home/ann' }, undefined],
    ['unless it is sticky', bob, { kind: 'unlink', path: '/tmp/ann' }, 'EPERM'],
    ['then the owner may', ann, { kind: 'unlink', path: '/tmp/ann' }, undefined],
    ['modes are the owner’s', bob, { kind: 'chmod', path: '/home/ann', mode: 0o777 }, 'EPERM'],
    ['and the owner sets them', ann, { kind: 'chmod', path: '/home/ann', mode: 0o777 }, undefined],
    ['a file is not given away', ann, { kind: 'chown', path: '/home/ann', uid: 1001 }, 'EPERM'],
    ['but to another group of one’s own', ann, { kind: 'chown', path: '/home/ann', gid: 50 }, undefined],
    ['not to any', ann, { kind: 'chown', path: '/home/ann', gid: 51 }, 'EPERM'],
    ['times are the owner’s', bob, { kind: 'utimes', path: '/home/ann', mtime: { sec: 1, nsec: 2 } }, 'EPERM'],
    ['even the present one', bob, { kind: 'utimes', path: '/home/ann', atime: 'now', mtime: 'now' }, 'EACCES'],
    ['devices are root’s', ann, { kind: 'mknod', path: '/home/dev', mode: 0o060600 }, 'EPERM'],
    ['fifos are not', ann, { kind: 'mknod', path: '/home/fifo', mode: 0o010600 }, undefined],
    ['attributes need w', bob, { kind: 'setxattr', path: '/home/ann', name: 'user.a', bytes: sample(1, 1) }, 'EACCES'],
    ['and r', bob, { kind: 'getxattr', path: '/home/ann', name: 'user.a' }, 'EACCES'],
    ['or root', ann, { kind: 'setxattr', path: '/home/ann', name: 'trusted.a', bytes: sample(1, 1) }, 'EPERM'],
    ['and are not seen', ann, { kind: 'getxattr', path: '/home/ann', name: 'trusted.a' }, 'ENODATA'],
    ['flags too', ann, { kind: 'setflags', path: '/home/ann', flags: DIF.IMMUTABLE, mask: DIF.IMMUTABLE }, 'EPERM'],
  ])('%s', (_what, caller, operation, result) => {
    expect(driver.run(operation, caller)).toBe(result);
  });

  it('what one makes one may write, whatever its mode; what is open for writing only is not read', () => {
    const flags = { write: true, create: true, read: false };
    const fd = driver.run({ kind: 'open', path: '/home/new', flags, mode: 0o400 }, ann) as number;
    expect(driver.run({ kind: 'pwrite', fd, offset: 0, bytes: sample(3, 1) }, ann)).toBe(3);
    expect(driver.run({ kind: 'pread', fd, offset: 0, length: 3 }, ann)).toBe('EBADF');
    expect(driver.run({ kind: 'open', path: '/home/new', flags }, ann)).toBe('EACCES');
  });

  it('who writes to a program takes its owner’s rights from it, and so does a new owner', () => {
    const modeOf = () => (driver.run({ kind: 'stat', path: '/home/run' }) as Stat).mode & 0o7777;
    make(driver, '/home/run', 0o6777);
    const fd = driver.run({ kind: 'open', path: '/home/run', flags: { write: true } }) as number;
    driver.run({ kind: 'append', fd, bytes: sample(1, 1) });
    expect(modeOf()).toBe(0o6777);
    driver.run({ kind: 'append', fd, bytes: sample(1, 1) }, bob);
    expect(modeOf()).toBe(0o777);
    driver.run({ kind: 'chmod', path: '/home/run', mode: 0o6777 });
    driver.run({ kind: 'chown', path: '/home/run', uid: 5 });
    expect(modeOf()).toBe(0o777);
  });
});

it('times are set to a moment or to now, and the rest stays', () => {
  const driver = NodeDriver.mounted(formattedDisk(24));
  make(driver, '/f');
  driver.pass(5_000_000_000);
  driver.run({ kind: 'utimes', path: '/f', mtime: { sec: -1, nsec: 999_999_999 } });
  expect(driver.run({ kind: 'stat', path: '/f' })).toMatchObject({
    atime: WALL.sec,
    mtime: -1,
    mtimeNsec: 999_999_999,
    ctime: WALL.sec + 5,
  });
  driver.run({ kind: 'utimes', path: '/f', atime: 'now' });
  expect(driver.run({ kind: 'stat', path: '/f' })).toMatchObject({ atime: WALL.sec + 5, mtime: -1 });
  expectClean(driver);
});
