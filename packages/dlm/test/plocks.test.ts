import {
  type ControldInput,
  type ControldOutput,
  DlmControld,
  lockspaceGlobalId,
  PLOCK_EOF,
  type PlockInput,
} from '@quorate/dlm';
import { hex, MILLISECOND, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { ControldType, decodeControldMessage } from '../src/controld-message.js';
import { Daemons } from './daemons.js';

type Asked = Partial<Omit<PlockInput, 'kind' | 'lockspace'>>;

/** F_SETLK of a write lock on all of inode 7, unless said otherwise. */
function plock(id: number, asked: Asked = {}): PlockInput {
  const range = { start: 0n, end: PLOCK_EOF, owner: 0xffff8800n, pid: 4711 };
  const flags = { isExclusive: true, isWaiting: false, isClose: false };
  return { kind: 'plock', lockspace: 'ls', id, op: 'lock', number: 7n, ...range, ...flags, ...asked };
}

function started(isOwnership: boolean, nodes: readonly number[] = [1, 2, 3]): Daemons {
  const daemons = new Daemons(nodes, { plock: { isOwnership } });
  for (const node of nodes) daemons.online(node, 'ls');
  daemons.take();
  daemons.messages.length = 0;
  return daemons;
}

/** What messages have come since, as `<sender> <type> <what>`. */
function said(daemons: Daemons): string[] {
  return daemons.messages.splice(0).map(({ from, payload }) => {
    const message = decodeControldMessage(payload);
    if (typeof message === 'string') return message;
    const type = Object.entries(ControldType).find(([, value]) => value === message.header.type)![0];
    if (message.kind === 'plock') {
      const { op, nodeid, number } = message.record;
      return `${from} ${type} ${op === 'none' ? `node ${nodeid}` : op} of ${number}`;
    }
    if (message.kind !== 'plocks-data') return `${from} ${type}`;
    const { number, owner, entries } = message.data;
    return `${from} ${type} ${number} owner ${owner}: ${entries.length}`;
  });
}

function ask(daemons: Daemons, node: number, id: number, asked: Asked = {}): string[] {
  daemons.input(node, plock(id, asked));
  return daemons.take();
}

describe('without ownership', () => {
  it('an operation goes to all, and only its own node answers', () => {
    const daemons = started(false);
    expect(ask(daemons, 1, 1)).toEqual(['1 plock-result 1: ok']);
    expect(said(daemons)).toEqual(['1 PLOCK lock of 7']);
    expect(ask(daemons, 2, 2)).toEqual(['2 plock-result 2: EAGAIN']);
    expect(ask(daemons, 2, 3, { op: 'get' })).toEqual(['2 plock-result 3: node 1 pid 4711 WR 0-9223372036854775807']);
    expect(ask(daemons, 2, 4, { isWaiting: true })).toEqual([]);
    expect(ask(daemons, 1, 5, { op: 'unlock' })).toEqual(['1 plock-result 5: ok', '2 plock-result 4: ok']);
    expect(daemons.daemons.get(3)!.controld.plocks('ls')).toMatchObject([{ number: '7', locks: [{ nodeid: 2 }] }]);
  });

  it('a waiter that is killed gets nothing, and nobody waits for it', () => {
    const daemons = started(false);
    ask(daemons, 1, 1);
    ask(daemons, 2, 2, { isWaiting: true });
    ask(daemons, 2, 3, { op: 'unlock', isClose: true });
    expect(ask(daemons, 1, 4, { op: 'unlock' })).toEqual(['1 plock-result 4: ok']);
    expect(daemons.daemons.get(3)!.controld.plocks('ls')).toEqual([]);
  });

  it('what a dead node held is free at once, before it is fenced', () => {
    const daemons = started(false);
    ask(daemons, 3, 1);
    ask(daemons, 2, 2, { isWaiting: true });
    daemons.crash(3);
    expect(daemons.take()).toContain('2 plock-result 2: ok');
    expect(daemons.wait('ls', 2)).toBe('ringid');
  });

  it('unlock of an inode without locks is ENOENT, a lockspace that nobody has EEXIST', () => {
    const daemons = started(false);
    expect(ask(daemons, 1, 1, { op: 'unlock' })).toEqual(['1 plock-result 1: ENOENT']);
    daemons.input(1, { ...plock(2), lockspace: 'other' });
    expect(daemons.take()).toEqual(['1 plock-result 2: EEXIST']);
  });

  it('the bytes of PLOCK: header, then the record of the kernel', () => {
    const daemons = started(false, [1]);
    ask(daemons, 1, 1, { start: 16n, end: 31n, isWaiting: true });
    const id = hexOf(lockspaceGlobalId('ls'), 4);
    expect(hex(daemons.messages[0]!.payload)).toBe(
      [
        ['010001000100', '0300', '01000000', '00000000', id, '00000000'.repeat(5)],
        // Version 1.2.0; lock, exclusive, wait, no flags; pid, node, rv, fsid; inode, range, owner.
        ['01000000', '02000000', '00000000', '01010100', hexOf(4711, 4), '01000000', '00000000', id],
        [hexOf(7, 8), hexOf(16, 8), hexOf(31, 8), hexOf(0xffff8800, 8)],
      ]
        .flat()
        .join(''),
    );
  });
});

describe('with ownership', () => {
  it('the first to use an inode owns it, and needs no messages any more', () => {
    const daemons = started(true);
    expect(ask(daemons, 1, 1)).toEqual(['1 plock-result 1: ok']);
    expect(said(daemons)).toEqual(['1 PLOCK_OWN node 1 of 7']);
    expect(ask(daemons, 1, 2, { op: 'unlock' })).toEqual(['1 plock-result 2: ok']);
    expect(said(daemons)).toEqual([]);
  });

  it('a second node that wants to use it makes the owner tell its locks and waiters, and give it up', () => {
    const daemons = started(true);
    ask(daemons, 1, 1);
    ask(daemons, 1, 2, { owner: 5n, isWaiting: true });
    said(daemons);
    expect(ask(daemons, 2, 3, { isWaiting: true })).toEqual([]);
    expect(said(daemons)).toEqual([
      '2 PLOCK_OWN node 2 of 7',
      '1 PLOCK_SYNC_LOCK node 1 of 7',
      '1 PLOCK_SYNC_WAITER lock of 7',
      '1 PLOCK_OWN node 0 of 7',
      '2 PLOCK lock of 7',
    ]);
    expect(ask(daemons, 1, 4, { op: 'unlock' })).toEqual(['1 plock-result 4: ok', '1 plock-result 2: ok']);
    expect(ask(daemons, 1, 5, { op: 'unlock', owner: 5n })).toEqual(['1 plock-result 5: ok', '2 plock-result 3: ok']);
  });

  it('the owner dies: nobody owns it, and who waited for it goes on', () => {
    const daemons = started(true);
    ask(daemons, 1, 1);
    daemons.crash(1);
    expect(ask(daemons, 2, 2)).toContain('2 plock-result 2: ok');
    expect(daemons.daemons.get(3)!.controld.plocks('ls')).toMatchObject([{ owner: 0, locks: [{ nodeid: 2 }] }]);
  });

  it('an unused inode is given up after ten seconds, and forgotten after ten more', () => {
    const daemons = started(true);
    ask(daemons, 1, 1);
    ask(daemons, 1, 2, { op: 'unlock' });
    said(daemons);
    const later = (seconds: number): readonly string[] => {
      daemons.now = seconds * SECOND;
      for (const node of [1, 2, 3]) daemons.input(node, { kind: 'wake' });
      daemons.drain();
      return said(daemons);
    };
    expect(later(9)).toEqual([]);
    expect(later(10)).toEqual(['1 PLOCK_OWN node 0 of 7']);
    expect(later(19)).toEqual([]);
    expect(later(20)).toEqual([1, 2, 3].map((node) => `${node} PLOCK_DROP node 0 of 7`));
    expect(daemons.daemons.get(2)!.controld.plocks('ls')).toEqual([]);
  });
});

describe('a node that joins', () => {
  it('is told the locks and waiters by the lowest node that has them', () => {
    const daemons = new Daemons([1, 2, 3], { plock: { isOwnership: false } });
    for (const node of [2, 3]) daemons.online(node, 'ls');
    for (let i = 0; i < 25; i++) ask(daemons, 2, i, { start: BigInt(2 * i), end: BigInt(2 * i) });
    ask(daemons, 3, 100, { start: 0n, end: 0n, isWaiting: true });
    said(daemons);
    daemons.online(1, 'ls');
    const data = ['2 PLOCKS_DATA 7 owner 0: 24', '2 PLOCKS_DATA 7 owner 0: 2', '2 PLOCKS_DONE'];
    expect(said(daemons).slice(3)).toEqual(data);
    daemons.take();
    const tables = [1, 2].map((node) => daemons.daemons.get(node)!.controld.plocks('ls'));
    expect(tables[0]).toMatchObject([{ locks: tables[1]![0]!.locks, waiters: tables[1]![0]!.waiters }]);
    expect(ask(daemons, 1, 1, { start: 48n, end: 48n })).toEqual(['1 plock-result 1: EAGAIN']);
  });

  it('is told who owns an inode, not what that one has there', () => {
    const daemons = new Daemons([1, 2, 3], { plock: { isOwnership: true } });
    for (const node of [1, 2]) daemons.online(node, 'ls');
    ask(daemons, 1, 1);
    said(daemons);
    daemons.online(3, 'ls');
    expect(said(daemons).slice(3)).toEqual(['1 PLOCKS_DATA 7 owner 1: 0', '1 PLOCKS_DONE']);
    daemons.take();
    expect(ask(daemons, 3, 2)).toEqual(['3 plock-result 2: EAGAIN']);
  });
});

it('`isDeadlockDetected`: the wait that closes a circle is refused; without it it hangs', () => {
  const deadlock = (isDeadlockDetected: boolean): string[] => {
    const daemons = new Daemons([1, 2], { plock: { isOwnership: false, isDeadlockDetected } });
    for (const node of [1, 2]) daemons.online(node, 'ls');
    ask(daemons, 1, 1, { number: 7n });
    ask(daemons, 2, 2, { number: 8n });
    ask(daemons, 1, 3, { number: 8n, isWaiting: true });
    return ask(daemons, 2, 4, { number: 7n, isWaiting: true });
  };
  expect(deadlock(true)).toEqual(['2 plock-result 4: EDEADLK']);
  expect(deadlock(false)).toEqual([]);
});

it('`enable_plock="0"`: ENOSYS', () => {
  const daemons = new Daemons([1], { plock: { isEnabled: false } });
  daemons.online(1, 'ls');
  daemons.take();
  expect(ask(daemons, 1, 1)).toEqual(['1 plock-result 1: ENOSYS']);
});

it('`plock_rate_limit`: that many in the first second, one less in each later one', () => {
  const controld = new DlmControld({ nodeId: 1, plock: { rateLimit: 3 } });
  const answered: number[] = [];
  let now = 0;
  const step = (input: ControldInput): void =>
    controld.step(now, input, (output: ControldOutput) => {
      if (output.kind === 'plock-result') answered.push(now / MILLISECOND);
    });
  now = 10 * SECOND;
  for (let id = 1; id <= 8; id++) step(plock(id));
  while (controld.deadline() < 100 * SECOND) {
    now = controld.deadline();
    step({ kind: 'wake' });
  }
  expect(answered.map((at) => at - 10_000)).toEqual([0, 0, 0, 0, 0, 1000, 1000, 2000]);
});

/** Little-endian, of that many bytes. */
function hexOf(value: number, bytes: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(value), true);
  return hex(new Uint8Array(view.buffer, 0, bytes));
}
