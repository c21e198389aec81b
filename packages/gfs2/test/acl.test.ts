import { fromHex, hex, SECOND } from '@quorate/kernel';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../src/calls/caller.js';
import type { Stat } from '../src/calls/operation.js';
import { check } from '../src/check.js';
import { inheritedAcl, isValidAcl } from '../src/inode/acl.js';
import { ACL_TAG, type AclEntry, decodeAcl, encodeAcl, NO_ACL_ID } from '../src/ondisk/posix-acl.js';
import { Volume } from '../src/volume.js';
import { Cluster } from './cluster.js';
import { formattedDisk } from './formatted-disk.js';
import { NodeDriver } from './node-driver.js';
import { fsck, hasProgram } from './real-programs.js';

const ACCESS = 'system.posix_acl_access';
const DEFAULT = 'system.posix_acl_default';
const ALICE: Caller = { uid: 500, gid: 500 };
const BOB: Caller = { uid: 501, gid: 501 };
const CAROL: Caller = { uid: 502, gid: 502, groups: [600], umask: 0o077 };

const LETTERS: Readonly<Record<string, readonly [number, number]>> = {
  u: [ACL_TAG.USER_OBJ, ACL_TAG.USER],
  g: [ACL_TAG.GROUP_OBJ, ACL_TAG.GROUP],
  m: [ACL_TAG.MASK, ACL_TAG.MASK],
  o: [ACL_TAG.OTHER, ACL_TAG.OTHER],
};

/** `u::rw-,u:500:r--,g::r--,m::r--,o::---`: the short form of setfacl(1), entries in order. */
function acl(text: string): AclEntry[] {
  return text.split(',').map((entry) => {
    const [kind = '', id = '', letters = ''] = entry.split(':');
    const tag = LETTERS[kind]![id === '' ? 0 : 1]!;
    const permissions = [...letters].reduce((sum, letter) => sum | ({ r: 4, w: 2, x: 1 }[letter] ?? 0), 0);
    return { tag, permissions, id: id === '' ? NO_ACL_ID : Number(id) };
  });
}

const text = (entries: readonly AclEntry[]): string =>
  entries
    .map(({ tag, permissions, id }) => {
      const kind = Object.entries(LETTERS).find(([, tags]) => tags.includes(tag))![0];
      const letters = [...'rwx'].map((letter, i) => ((permissions >> (2 - i)) & 1 ? letter : '-')).join('');
      return `${kind}:${id === NO_ACL_ID ? '' : id}:${letters}`;
    })
    .join(',');

describe('the bytes of a list', () => {
  const BYTES =
    '02000000 01000600ffffffff 02000400f4010000 04000400ffffffff 10000400ffffffff 20000000ffffffff'.replaceAll(' ', '');

  it('are those of the kernel', () => {
    const entries = acl('u::rw-,u:500:r--,g::r--,m::r--,o::---');
    expect(hex(encodeAcl(entries))).toBe(BYTES);
    expect(decodeAcl(fromHex(BYTES))).toEqual(entries);
  });

  it('are refused when they are none', () => {
    expect(decodeAcl(fromHex(BYTES.slice(0, -2)))).toBe('EINVAL');
    expect(decodeAcl(fromHex('0300000001000600ffffffff'))).toBe('EOPNOTSUPP');
    expect(decodeAcl(new Uint8Array(2))).toBe('EINVAL');
  });

  it.each([
    ['u::rw-,g::r--,o::---', true],
    ['u::rw-,u:500:r--,g::r--,m::r--,o::---', true],
    ['u::rw-,u:500:r--,g::r--,o::---', false],
    ['u::rw-,g::r--', false],
    ['g::r--,u::rw-,o::---', false],
    ['u::rw-,u::rw-,g::r--,o::---', false],
  ])('%s is a list: %s', (entries, isOne) => {
    expect(isValidAcl(acl(entries))).toBe(isOne);
  });

  it('what is inherited has no more than the mode asked for', () => {
    const defaults = acl('u::rwx,u:500:rwx,g::r-x,m::rwx,o::r-x');
    const { acl: made, mode } = inheritedAcl(defaults, 0o100640);
    expect([text(made!), mode.toString(8)]).toEqual(['u::rw-,u:500:rwx,g::r-x,m::r--,o::---', '100640']);
    expect(inheritedAcl(acl('u::rwx,g::r-x,o::---'), 0o100666)).toEqual({ acl: undefined, mode: 0o100640 });
  });
});

describe('access control lists', () => {
  let node: NodeDriver;

  beforeEach(() => {
    node = NodeDriver.mounted(formattedDisk(48, { rgrpMiB: 32 }), {}, 'acl');
    node.run({ kind: 'chmod', path: '/', mode: 0o777 });
  });

  const make = (path: string, mode = 0o666, caller: Caller = ALICE): void => {
    const fd = node.run({ kind: 'open', path, flags: { write: true, create: true }, mode }, caller) as number;
    node.run({ kind: 'close', fd });
  };
  const set = (path: string, entries: string, name = ACCESS, caller: Caller = ALICE) =>
    node.run({ kind: 'setxattr', path, name, bytes: encodeAcl(acl(entries)) }, caller);
  const get = (path: string, name = ACCESS): string => {
    const bytes = node.run({ kind: 'getxattr', path, name });
    return typeof bytes === 'string' ? bytes : text(decodeAcl(bytes) as AclEntry[]);
  };
  const modeOf = (path: string): string => ((node.run({ kind: 'stat', path }) as Stat).mode & 0o7777).toString(8);
  const opens = (path: string, caller: Caller, flags = {}) => {
    const fd = node.run({ kind: 'open', path, flags }, caller);
    if (typeof fd === 'number') node.run({ kind: 'close', fd });
    return typeof fd === 'number' ? 'opened' : fd;
  };
  const expectClean = (): Volume => {
    node.unmount();
    expect(check(node.disk.image)).toEqual([]);
    if (hasProgram('fsck.gfs2')) expect(fsck(node.disk.image)).toEqual({ status: 0, complaints: [] });
    return Volume.open(node.disk.image)!;
  };

  it('decide before the mode does, as far as the mask lets them', () => {
    make('/f', 0o600);
    expect(opens('/f', BOB)).toBe('EACCES');
    expect(set('/f', 'u::rw-,u:501:rw-,g::---,g:600:r--,m::rw-,o::---')).toBeUndefined();
    expect(modeOf('/f')).toBe('660');
    expect(opens('/f', BOB, { write: true })).toBe('opened');
    expect(opens('/f', CAROL)).toBe('opened');
    expect(opens('/f', CAROL, { write: true })).toBe('EACCES');
    // The owning group has nothing, and does not fall through to the others.
    expect(opens('/f', { uid: 7, gid: 500 })).toBe('EACCES');
    expect(node.run({ kind: 'chmod', path: '/f', mode: 0o640 }, ALICE)).toBeUndefined();
    expect(get('/f')).toBe('u::rw-,u:501:rw-,g::---,g:600:r--,m::r--,o::---');
    expect(opens('/f', BOB, { write: true })).toBe('EACCES');
    expect(opens('/f', BOB)).toBe('opened');
    expect(node.run({ kind: 'chmod', path: '/f', mode: 0o606 }, ALICE)).toBeUndefined();
    expect(opens('/f', { uid: 7, gid: 7 }, { write: true })).toBe('opened');
    // Without a bit for the group nobody asks the list, as in Linux.
    expect(opens('/f', BOB)).toBe('opened');
    expectClean();
  });

  it("are the owner's to set, and of the right form", () => {
    make('/f');
    expect(set('/f', 'u::rw-,g::r--,o::---', ACCESS, BOB)).toBe('EPERM');
    expect(set('/f', 'u::rw-,u:1:r--,g::r--,o::---')).toBe('EINVAL');
    expect(set('/f', 'u::rw-,g::r--,o::---', DEFAULT)).toBe('EACCES');
    expect(set('/f', 'u::rw-,g::r--,o::---', 'system.other')).toBe('EOPNOTSUPP');
    const many = Array.from({ length: 300 }, (_, i) => `u:${i + 1}:r--`).join(',');
    expect(set('/f', `u::rw-,${many},g::r--,m::r--,o::---`)).toBe('E2BIG');
    expect(get('/f')).toBe('ENODATA');
    // What a mode can say is a mode.
    expect(set('/f', 'u::rwx,g::r-x,o::--x')).toBeUndefined();
    expect([get('/f'), modeOf('/f')]).toEqual(['ENODATA', '751']);
    expect(set('/f', 'u::rw-,u:501:r--,g::r--,m::r--,o::---')).toBeUndefined();
    expect(node.run({ kind: 'removexattr', path: '/f', name: ACCESS }, ALICE)).toBeUndefined();
    expect([get('/f'), modeOf('/f')]).toEqual(['ENODATA', '640']);
    expect(node.run({ kind: 'removexattr', path: '/f', name: ACCESS }, ALICE)).toBeUndefined();
    expectClean();
  });

  it('are inherited by what is made, whatever the umask', () => {
    node.run({ kind: 'mkdir', path: '/d', mode: 0o777 }, ALICE);
    expect(set('/d', 'u::rwx,u:501:rwx,g::r-x,m::rwx,o::---', DEFAULT)).toBeUndefined();
    expect(modeOf('/d')).toBe('777');
    make('/d/f', 0o666, CAROL);
    expect([get('/d/f'), modeOf('/d/f')]).toEqual(['u::rw-,u:501:rwx,g::r-x,m::rw-,o::---', '660']);
    expect(opens('/d/f', BOB, { write: true })).toBe('opened');
    node.run({ kind: 'mkdir', path: '/d/e', mode: 0o755 }, CAROL);
    expect(get('/d/e')).toBe('u::rwx,u:501:rwx,g::r-x,m::r-x,o::---');
    expect(get('/d/e', DEFAULT)).toBe(get('/d', DEFAULT));
    expect(node.run({ kind: 'symlink', path: '/d/link', target: 'f' }, CAROL)).toBeUndefined();
    make('/f', 0o666, CAROL);
    expect(modeOf('/f')).toBe('600');
    const volume = expectClean();
    // As the kernel stores it: a block of two records, in the order in which they are made.
    const names = (volume.xattrs(volume.lookup('/d/e') as never) as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual([DEFAULT, ACCESS]);
  });

  it('do not take part without the option', () => {
    make('/f', 0o600);
    set('/f', 'u::rw-,u:501:rw-,g::---,m::rw-,o::---');
    node.unmount();
    const plain = NodeDriver.mounted(node.disk);
    expect(plain.run({ kind: 'getxattr', path: '/f', name: ACCESS })).toBe('EOPNOTSUPP');
    expect(plain.run({ kind: 'open', path: '/f' }, BOB)).toBe('EACCES');
    expect(plain.run({ kind: 'open', path: '/f' }, { uid: 7, gid: 500 })).toBeTypeOf('number');
  });

  it('are counted in the quotas of who gets them', () => {
    const counted = NodeDriver.mounted(formattedDisk(48, { rgrpMiB: 32 }), {}, 'acl,quota=account');
    counted.run({ kind: 'chmod', path: '/', mode: 0o777 });
    const bytes = encodeAcl(acl('u::rwx,u:501:rwx,g::r-x,m::rwx,o::---'));
    counted.run({ kind: 'setxattr', path: '/', name: DEFAULT, bytes });
    counted.run({ kind: 'mkdir', path: '/d', mode: 0o777 }, ALICE);
    for (let i = 0; i < 60; i++) counted.run({ kind: 'mknod', path: `/d/f${i}`, mode: 0o100644 }, BOB);
    expect(counted.run({ kind: 'getquota', of: 'user', id: 501 })).toMatchObject({ value: 120 });
    counted.unmount();
    expect(check(counted.disk.image, { hasQuotas: true })).toEqual([]);
  });
});

it('what another node sets decides at once', () => {
  const disk = formattedDisk(64, { journals: 2, lockTable: 'my-cluster:storage', rgrpMiB: 32 });
  const cluster = new Cluster(disk, { seed: 7, mountOptions: 'acl' });
  for (const id of [1, 2]) cluster.boot(id);
  cluster.passUntil(() => cluster.isMounted(1) && cluster.isMounted(2), 'the mounts');
  cluster.run(1, { kind: 'mknod', path: '/f', mode: 0o100600 });
  expect(cluster.run(2, { kind: 'open', path: '/f' }, BOB)).toBe('EACCES');
  const bytes = encodeAcl(acl('u::rw-,u:501:r--,g::---,m::r--,o::---'));
  cluster.run(1, { kind: 'setxattr', path: '/f', name: ACCESS, bytes });
  expect(cluster.run(2, { kind: 'open', path: '/f' }, BOB)).toBeTypeOf('number');
  cluster.run(1, { kind: 'removexattr', path: '/f', name: ACCESS });
  cluster.run(1, { kind: 'chmod', path: '/f', mode: 0o600 });
  expect(cluster.run(2, { kind: 'open', path: '/f' }, BOB)).toBe('EACCES');
  cluster.pass(SECOND);
  expect(cluster.violations).toEqual([]);
});
