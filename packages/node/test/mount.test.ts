import { Prng } from '@quorate/kernel';
import { expect, it } from 'vitest';
import type { LockManager } from '../src/stack/lock-manager.js';
import { Mount } from '../src/stack/mount.js';
import type { NodeServices } from '../src/stack/services.js';
import type { StackConfig } from '../src/stack-config.js';
import { DEVICES } from './machine.js';
import { formattedDisk } from './volume.js';

interface Mounting {
  readonly mount: Mount;
  /** What it has said. */
  readonly said: string[];
}

/** A mount whose superblock is read, and which waits for its journal. */
function mountBeforeItsJournal({ isWaiting = true }): Mounting {
  const said: string[] = [];
  const services = {
    now: () => 0,
    log: () => {},
    observe: undefined,
    system: {
      wall: () => ({ sec: 0, nsec: 0 }),
      disks: {
        open: () => {},
        device: () => undefined,
        close: () => {},
        read: () => said.push('read'),
        write: () => said.push('write'),
        flush: () => {},
      },
      mountTable: { remove: () => {} },
    },
  } as unknown as NodeServices;
  const locks = {
    create: () => said.push('create'),
    release: () => said.push('release'),
    locks: ({ kind }: { kind: string }) => said.push(kind),
  } as unknown as LockManager;
  const config = { cman: { clusterName: 'solo' } } as StackConfig;
  const device = DEVICES[1]!;
  const call = { call: 'mount', device: device.path, directory: '/mydata', type: 'gfs2', options: 'defaults' } as const;
  const mount = new Mount(services, config, locks, device, call, new Prng(1, 2, 3, 4), {
    joinGroup: () => true,
    toControld: ({ kind }) => said.push(kind),
    isAlone: () => false,
    ended: () => {},
    isWaiting: () => isWaiting,
    reply: (_task, value) => said.push(`reply ${value}`),
  });
  mount.begin(7);
  const superblock = new Uint8Array(4096);
  formattedDisk().read(device.start + 128, 8, superblock);
  mount.transferDone(0, superblock, undefined);
  said.length = 0;
  return { mount, said };
}

/** One that has journal 1, and whose lockspace is being made. */
function mountBeforeItsLockspace(): Mounting {
  const { mount, said } = mountBeforeItsJournal({});
  mount.start(1, false);
  said.length = 0;
  return { mount, said };
}

// Found by storm 56 (gray): a member died while the lockspace was being made, and locks were granted before its replay.
it('waits with the file system until the journal of a dead member is replayed', () => {
  const { mount, said } = mountBeforeItsLockspace();
  mount.blockLocks(true);
  mount.created(undefined);
  expect(said).toEqual([]);
  mount.blockLocks(false);
  expect(said).toContain('lock');
});

// Found by a storm: those who had it mounted were dead, and the others waited for each other.
it('begins as the first mounter where nobody else could replay it, with the journal that it is given then', () => {
  const { mount, said } = mountBeforeItsLockspace();
  mount.blockLocks(true);
  mount.created(undefined);
  expect(said).toEqual([]);
  mount.start(0, true);
  expect(said).toEqual(expect.arrayContaining(['mount-begun', 'lock']));
});

it('begins where another one has become the first mounter, when that one has replayed all', () => {
  const { mount, said } = mountBeforeItsLockspace();
  mount.blockLocks(true);
  mount.created(undefined);
  mount.start(2, false);
  expect(said).toEqual([]);
  mount.blockLocks(false);
  expect(said).toContain('lock');
});

it('starts at once when nobody has died', () => {
  const { mount, said } = mountBeforeItsLockspace();
  mount.created(undefined);
  expect(said).toContain('lock');
});

it('leaves its group when the program that asked for it is gone by then', () => {
  const { mount, said } = mountBeforeItsJournal({ isWaiting: false });
  mount.start(1, false);
  mount.left();
  expect(said).toEqual(['mount-done', 'reply EINTR']);
});
