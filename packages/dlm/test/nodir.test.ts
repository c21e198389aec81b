import { type DlmOutput, invariants, LockFlag, Mode, StatusFlag } from '@quorate/dlm';
import { Checker, MICROSECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Cluster } from '../src/conformance/cluster.js';
import { jhash } from '../src/hash.js';
import { MessageType } from '../src/message.js';
import { RcomType } from '../src/rcom.js';

const LOCKSPACE = 'ls';
const RCOM = 2;
const VALUE = new Uint8Array(8).fill(7);

interface StartOptions {
  readonly failed?: readonly number[];
  readonly weights?: Readonly<Record<number, number>>;
}

/** Nodes in one lockspace without a directory. */
class Nodes {
  readonly checker = new Checker(invariants);
  readonly cluster: Cluster;
  readonly heard: string[] = [];
  /** Messages of locking and of recovery, by type. */
  readonly sent: string[] = [];
  readonly logged: string[] = [];

  constructor(nodes: readonly number[], latency?: (from: number, to: number) => number) {
    this.cluster = new Cluster({
      nodes,
      config: { protocol: '3.1' },
      ...(latency && { latency }),
      onOutput: (node, output) => this.#onOutput(node, output),
      onFact: (fact) => this.checker.observe(fact),
    });
    this.cluster.onPacket = (_from, _to, bytes) => this.sent.push(nameOf(bytes));
  }

  /** Stops everywhere, then starts everywhere; who is new creates the lockspace. */
  members(members: readonly number[], { failed = [], weights = {} }: StartOptions = {}): void {
    for (const node of members) {
      if (this.cluster.nodes.get(node)!.dlm.inspect().lockspaces.length === 0) {
        this.cluster.input(node, { kind: 'create', lockspace: LOCKSPACE, lvbLength: 8, isFs: false, isNodir: true });
      } else this.cluster.input(node, { kind: 'stop', lockspace: LOCKSPACE });
    }
    const start = members.map((node) => ({ node, weight: weights[node] ?? 1 }));
    for (const node of members) {
      this.cluster.input(node, { kind: 'start', lockspace: LOCKSPACE, members: start, failed });
    }
    this.cluster.settle();
    this.checker.end(this.cluster.now);
    expect(this.checker.violations).toEqual([]);
  }

  lock(node: number, handle: number, name: string, mode: number, flags = 0, process = 0): void {
    const lvb = (flags & LockFlag.VALBLK) === 0 ? {} : { lvb: VALUE };
    this.cluster.input(node, { kind: 'lock', lockspace: LOCKSPACE, handle, name, mode, flags, process, ...lvb });
    this.cluster.settle();
  }

  unlock(node: number, handle: number): void {
    this.cluster.input(node, { kind: 'unlock', lockspace: LOCKSPACE, handle, flags: 0 });
  }

  /** Whom each node takes for the master of a name. */
  masters(name: string): (number | undefined)[] {
    return this.cluster.alive().map((node) => {
      const [ls] = this.cluster.nodes.get(node)!.dlm.inspect().lockspaces;
      return ls?.resources.find((r) => r.name === name)?.master;
    });
  }

  #onOutput(node: number, output: DlmOutput): void {
    if (output.kind === 'log') this.logged.push(`${node}: ${output.text}`);
    if (output.kind !== 'cast') return;
    const isInvalid = (output.flags & StatusFlag.VALNOTVALID) !== 0;
    const value = output.lvb === undefined ? '' : `, value ${isInvalid ? 'not valid' : output.lvb.join('')}`;
    this.heard.push(`${node}: ${output.handle} ${output.status}${value}`);
  }
}

function nameOf(bytes: Uint8Array): string {
  const [types, type] = bytes[14] === RCOM ? [RcomType, bytes[16]] : [MessageType, bytes[16]];
  return Object.entries(types).find(([, number]) => number === type)?.[0] ?? '';
}

/** A name whose hash leads to one of these with those members and another one, or the same, with others. */
function nameBetween(before: readonly number[], from: number, after: readonly number[], to: number): string {
  for (let i = 0; ; i++) {
    const share = jhash(`r${i}`) >>> 16;
    if (before[share % before.length] === from && after[share % after.length] === to) return `r${i}`;
  }
}

it('the node that a hash leads to is the master: who locks asks it at once, and nobody is told when a resource is given up', () => {
  const nodes = new Nodes([1, 2]);
  nodes.members([1, 2]);
  nodes.sent.length = 0;
  const name = nameBetween([1, 2], 2, [1, 2], 2);
  nodes.lock(1, 1, name, Mode.EX);
  expect(nodes.masters(name)).toEqual([2, 2]);
  nodes.unlock(1, 1);
  nodes.cluster.settle(30_000_000_000);
  expect(nodes.masters(name)).toEqual([undefined, undefined]);
  expect(nodes.sent).toEqual(['REQUEST', 'REQUEST_REPLY', 'UNLOCK', 'UNLOCK_REPLY']);
});

it('a join moves locks, those that are granted and those that wait, and asks nobody for names or masters', () => {
  const nodes = new Nodes([1, 2, 3]);
  nodes.members([1, 2]);
  const name = nameBetween([1, 2], 2, [1, 2, 3], 3);
  nodes.lock(1, 1, name, Mode.EX);
  nodes.lock(2, 2, name, Mode.PR);
  nodes.sent.length = nodes.heard.length = nodes.logged.length = 0;
  nodes.members([1, 2, 3]);
  expect(nodes.masters(name)).toEqual([3, 3, 3]);
  const sent = nodes.sent.filter((type) => !type.startsWith('STATUS')).sort();
  // The new master does not know that the holder has heard a blocking AST.
  expect(sent).toEqual(['BAST', 'LOCK', 'LOCK', 'LOCK_REPLY', 'LOCK_REPLY']);
  expect(nodes.logged).toContain('1: dlm: ls: dlm_recover_masters 1 of 1');
  nodes.unlock(1, 1);
  nodes.cluster.settle();
  expect(nodes.heard).toEqual(['1: 1 65538', '2: 2 0']);
});

it('weights on one node make it a lock server; when it dies the others are masters', () => {
  const nodes = new Nodes([1, 2, 3]);
  const weights = { 1: 0, 2: 0, 3: 1 };
  nodes.members([1, 2, 3], { weights });
  const names = ['a', 'b', 'c', 'd'];
  for (const [i, name] of names.entries()) nodes.lock(1, i, name, Mode.EX);
  expect(names.map((name) => nodes.masters(name)[0])).toEqual([3, 3, 3, 3]);
  nodes.cluster.kill(3);
  nodes.members([1, 2], { failed: [3], weights });
  expect(new Set(names.map((name) => nodes.masters(name)[0]))).toEqual(new Set([1, 2]));
});

// dlm.S13 took the master's copy that moved for the lock.
it('an orphan whose owner lives stays when its master changes', () => {
  const nodes = new Nodes([1, 2, 3]);
  nodes.members([1, 2]);
  const name = nameBetween([1, 2], 2, [1, 2, 3], 3);
  nodes.lock(1, 1, name, Mode.EX, LockFlag.PERSISTENT, 11);
  nodes.cluster.input(1, { kind: 'process-exit', lockspace: LOCKSPACE, process: 11 });
  nodes.members([1, 2, 3]);
  nodes.lock(2, 2, name, Mode.PR);
  expect(nodes.heard).toEqual(['1: 1 0']);
  nodes.cluster.input(1, { kind: 'purge', lockspace: LOCKSPACE, node: 0, process: 11 });
  nodes.cluster.settle();
  expect(nodes.heard).toContain('2: 2 0');
});

it('a value block that only NL and CR locks have is not valid after a change; that of a lock above CR is', () => {
  const nodes = new Nodes([1, 2, 3]);
  nodes.members([1, 2]);
  const name = nameBetween([1, 2], 1, [1, 2, 3], 1);
  nodes.lock(1, 1, name, Mode.EX, LockFlag.VALBLK);
  nodes.lock(1, 1, name, Mode.PR, LockFlag.VALBLK | LockFlag.CONVERT);
  nodes.members([1, 2, 3]);
  nodes.lock(2, 2, name, Mode.CR, LockFlag.VALBLK);
  expect(nodes.heard.at(-1)).toBe('2: 2 0, value 77777777');
  nodes.lock(1, 1, name, Mode.CR, LockFlag.VALBLK | LockFlag.CONVERT);
  nodes.members([1, 2]);
  nodes.lock(2, 3, name, Mode.CR, LockFlag.VALBLK);
  expect(nodes.heard.at(-1)).toBe('2: 3 0, value not valid');
});

// The unlock that wrote it is dropped with all messages from before: what its master had stayed, and counted as valid.
it('a value that an unlock on its way writes does not leave the one before it valid', () => {
  const nodes = new Nodes([1, 2]);
  nodes.members([1, 2]);
  const name = nameBetween([1, 2], 2, [1, 2], 2);
  nodes.lock(2, 1, name, Mode.NL);
  nodes.lock(1, 2, name, Mode.EX, LockFlag.VALBLK);
  nodes.lock(1, 2, name, Mode.PW, LockFlag.VALBLK | LockFlag.CONVERT);
  const lvb = new Uint8Array(8).fill(8);
  nodes.cluster.input(1, { kind: 'unlock', lockspace: LOCKSPACE, handle: 2, flags: LockFlag.VALBLK, lvb });
  nodes.members([1, 2]);
  expect(nodes.heard.at(-1)).toBe('1: 2 65538, value 88888888');
  nodes.lock(1, 3, name, Mode.PR, LockFlag.VALBLK);
  expect(nodes.heard.at(-1)).toBe('1: 3 0, value not valid');
});

// Linux purges masters' copies when DIR is over, and with them what comes early.
it('a lock reaches its next master before that has heard that DIR is over, and stays', () => {
  // Node 3 is slow to hear of node 1, which polls it, but not of node 2.
  const nodes = new Nodes([1, 2, 3], (from, to) => (from + to === 4 ? 5000 : 10) * MICROSECOND);
  nodes.members([1, 2, 3]);
  const name = nameBetween([1, 2, 3], 3, [1, 2, 3], 3);
  nodes.lock(2, 2, name, Mode.EX);
  nodes.members([1, 2, 3]);
  nodes.lock(3, 3, name, Mode.PR);
  expect(nodes.heard).toEqual(['2: 2 0']);
});
