import { Checker, Prng, SECOND, type Stamped, type Task } from '@quorate/kernel';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { check } from '../src/check.js';
import type { CheckedFact, Gfs2Fact } from '../src/facts.js';
import { GlockType } from '../src/glock/glock-name.js';
import { invariants } from '../src/invariants.js';
import { Replay } from '../src/recovery/replay.js';
import { Statfs } from '../src/rgrp/statfs.js';
import { formattedDisk } from './formatted-disk.js';
import type { MemoryDisk } from './memory-disk.js';
import { perform, randomOperation } from './model.js';
import { NodeDriver } from './node-driver.js';
import { cutPower } from './power-cut.js';

type Watched = Gfs2Fact | CheckedFact;
type Told = Watched extends infer F ? (F extends Watched ? Omit<F, 'now'> : never) : never;

/** A fact of a node, in its first life unless it says which. */
function fact(node: number, told: Told, life = 1): Stamped<Watched> {
  return { ...told, now: 0, node, life, seq: 0, at: 0 } as Stamped<Watched>;
}

function violated(facts: readonly Stamped<Watched>[]): string[] {
  const checker = new Checker(invariants);
  for (const each of facts) checker.observe(each);
  checker.end(0);
  return checker.violations.map(({ invariant, message }) => `${invariant}: ${message}`);
}

const RGRP = { type: GlockType.rgrp, number: 17 };
const glock = (node: number, state: 'UN' | 'SH' | 'DF' | 'EX', isRecovery?: true) =>
  fact(node, { kind: 'gfs2.glock', ...RGRP, state, ...(isRecovery ? { isRecovery } : {}) });
const journalGlock = (node: number, jid: number, life = 1) =>
  fact(node, { kind: 'gfs2.glock', type: GlockType.journal, number: jid, state: 'EX', isRecovery: true }, life);
const mounting = (node: number, jid: number, life = 1) => fact(node, { kind: 'gfs2.mounting', jid }, life);
const mounted = (node: number, jid: number, life = 1) =>
  fact(node, { kind: 'gfs2.mounted', jid, isFirst: false }, life);
const unmounted = (node: number, jid: number) => fact(node, { kind: 'gfs2.unmounted', jid });
const headerSent = (node: number, jid: number) =>
  fact(node, { kind: 'gfs2.log-flush', jid, write: 4, sequence: 1, flags: 0, blocks: 1, revokes: 0 });
const headerDone = (node: number, isSuccess = true) => fact(node, { kind: 'gfs2.write-done', write: 4, isSuccess });
const flush = (node: number, jid: number) => [headerSent(node, jid), headerDone(node)];
const written = (node: number, isSuccess = true) => [
  fact(node, { kind: 'gfs2.block-written', block: 17, write: 5, glock: RGRP }),
  fact(node, { kind: 'gfs2.write-done', write: 5, isSuccess }),
];
const replayed = (node: number, journal: number) => [
  fact(node, { kind: 'gfs2.block-written', block: 17, write: 6, journal }),
  fact(node, { kind: 'gfs2.write-done', write: 6, isSuccess: true }),
];
const recovered = (node: number, jid: number, wasDirty = true) =>
  fact(node, {
    kind: 'gfs2.journal-recovered',
    filesystem: 'storage',
    jid,
    by: 0,
    wasDirty,
    replayed: 1,
    found: 1,
    result: 'done',
  });
const boot = (node: number, jid: number, life = 1) => [
  mounting(node, jid, life),
  journalGlock(node, jid, life),
  mounted(node, jid, life),
];

/** Node 1 allocates, node 2 takes over its group and dies, node 1 replays its journal; node 2 returns and leaves. */
const goodHistory = [
  ...boot(1, 0),
  ...boot(2, 1),
  glock(1, 'EX'),
  ...flush(1, 0),
  ...written(1),
  glock(1, 'UN'),
  glock(2, 'EX'),
  ...flush(2, 1),
  headerSent(2, 1),
  journalGlock(1, 1),
  ...replayed(1, 1),
  recovered(1, 1),
  glock(1, 'EX'),
  // What the dead node had sent before may end after it; what it sends now the disk refuses, which harms nobody.
  headerDone(2),
  ...written(2, false),
  headerSent(2, 1),
  headerDone(2, false),
  ...boot(2, 1, 2),
  unmounted(1, 0),
  fact(1, { kind: 'gfs2.checked', findings: [] }),
];

/** Nodes without a lock manager, on one disk, and what they tell. */
class Nodes {
  disk: MemoryDisk = formattedDisk(32, { journals: 2 });
  readonly facts: Stamped<Watched>[] = [];
  readonly #prng = new Prng(4, 0, 0, 4);

  mount(node: number, jid: number, life = 1): NodeDriver {
    const observe = (told: Gfs2Fact): void => {
      this.facts.push({ ...told, node, life, seq: this.facts.length, at: told.now });
    };
    return NodeDriver.mounted(this.disk, { observe }, '', jid);
  }

  /** Carries out some random calls and commits them. */
  work(driver: NodeDriver, operations: number): void {
    for (let i = 0; i < operations; i++) perform(driver, randomOperation(this.#prng));
    driver.run({ kind: 'sync' });
  }

  check(): void {
    const findings = check(this.disk.image).map(({ text }) => text);
    this.facts.push(fact(1, { kind: 'gfs2.checked', findings }));
  }

  /** One that works, loses power while it writes in place what it has committed, and mounts again. */
  liveTwice(): void {
    const before = this.disk.fork();
    this.disk.history = [];
    const first = this.mount(1, 0);
    this.work(first, 60);
    first.pass(60 * SECOND);
    // Behind the writes in place there are a flush, a header and a flush.
    this.disk = cutPower(before, this.disk.history, this.disk.history.length - 3, this.#prng);
    const driver = this.mount(1, 0, 2);
    this.work(driver, 20);
    driver.unmount();
    this.check();
  }
}

describe('a good history', () => {
  it('violates nothing', () => {
    expect(violated(goodHistory)).toEqual([]);
  });

  it('goes on where somebody looks once more at a journal that was replayed and is given out again', () => {
    const unlocked = fact(1, { kind: 'gfs2.glock', type: GlockType.journal, number: 1, state: 'UN' });
    const lookedAt = [mounting(2, 1), journalGlock(1, 1), recovered(1, 1, false), unlocked];
    expect(violated([...boot(1, 0), ...lookedAt, journalGlock(2, 1), mounted(2, 1), ...flush(2, 1)])).toEqual([]);
  });

  it('is that of a real mount, through a power cut and a replay', () => {
    const nodes = new Nodes();
    nodes.liveTwice();
    expect(nodes.facts).toContainEqual(expect.objectContaining({ kind: 'gfs2.journal-recovered', wasDirty: true }));
    expect(violated(nodes.facts)).toEqual([]);
  });
});

describe('planted facts', () => {
  it.each<[string, string, Stamped<Watched>[]]>([
    [
      'two nodes hold a glock exclusively',
      'S23: node 2 got rgrp/17 EX while node 1 has it EX',
      [...boot(1, 0), ...boot(2, 1), glock(1, 'EX'), glock(2, 'EX')],
    ],
    [
      'one reads what another changes',
      'S23: node 2 got rgrp/17 SH while node 1 has it EX',
      [...boot(1, 0), ...boot(2, 1), glock(1, 'EX'), glock(2, 'SH')],
    ],
    [
      'cached reads beside direct ones',
      'S23: node 2 got rgrp/17 DF while node 1 has it SH',
      [...boot(1, 0), ...boot(2, 1), glock(1, 'SH'), glock(2, 'DF')],
    ],
    [
      'a glock of a dead node is granted before its journal is replayed',
      'S23: node 1 got rgrp/17 EX while node 2 has it EX',
      [...boot(1, 0), ...boot(2, 1), glock(2, 'EX'), glock(1, 'EX'), recovered(1, 1)],
    ],
    [
      'a block is written after its glock was given up',
      'S23: node 1 wrote block 17 without its glock held exclusively',
      [...boot(1, 0), glock(1, 'EX'), glock(1, 'UN'), ...written(1)],
    ],
    [
      'a block is written under a shared glock',
      'S23: node 1 wrote block 17 without its glock held exclusively',
      [...boot(1, 0), glock(1, 'SH'), ...written(1)],
    ],
    [
      'a node writes on after its journal was replayed',
      'S23: node 2 wrote block 17 without its glock held exclusively',
      [...boot(1, 0), ...boot(2, 1), glock(2, 'EX'), journalGlock(1, 1), recovered(1, 1), ...written(2)],
    ],
    [
      'a node that waited for its journal uses it after another one has replayed it',
      'S23: node 2 wrote journal 1 without its glock',
      [...boot(1, 0), mounting(2, 1), journalGlock(1, 1), recovered(1, 1), journalGlock(2, 1), ...flush(2, 1)],
    ],
    [
      'a journal is replayed without its glock',
      'S23: node 1 wrote block 17 without its glock held exclusively',
      [...boot(1, 0), ...boot(2, 1), ...replayed(1, 1)],
    ],
    [
      'a journal is written without its glock',
      'S23: node 1 wrote journal 0 without its glock',
      [mounting(1, 0), mounted(1, 0), ...flush(1, 0)],
    ],
    [
      'the checker has found something',
      'S24: the checker found a; b; c; d; e; and 1 more',
      [fact(1, { kind: 'gfs2.checked', findings: ['a', 'b', 'c', 'd', 'e', 'f'] })],
    ],
    [
      'two nodes use one journal',
      'S25: node 2 uses journal 0, which node 1 has not given up',
      [mounted(1, 0), mounted(2, 0)],
    ],
    [
      'a node mounts again before anybody has replayed its journal',
      'S25: node 1 uses journal 0, which node 1 has not given up',
      [mounted(1, 0), mounted(1, 0, 2)],
    ],
    [
      'a node writes the journal of another',
      'S25: node 1 wrote journal 1, which is not its own',
      [...boot(1, 0), ...boot(2, 1), journalGlock(1, 1), ...flush(1, 1)],
    ],
    [
      'a journal is written after it was replayed',
      'S25: node 2 wrote journal 1, which is not its own',
      [...boot(1, 0), ...boot(2, 1), recovered(1, 1), ...flush(2, 1)],
    ],
    [
      'two nodes replay one death',
      'S25: journal 1 was replayed a second time, by node 3',
      [...boot(1, 0), ...boot(2, 1), ...boot(3, 2), recovered(1, 1), recovered(3, 1)],
    ],
    [
      'a journal that was dirty from the start is replayed twice',
      'S25: journal 1 was replayed a second time, by node 2',
      [recovered(1, 1), recovered(2, 1)],
    ],
  ])('%s', (_name, message, facts) => {
    expect(violated(facts)).toContain(message);
  });
});

describe('planted bugs', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each<[string, string, (nodes: Nodes) => void]>([
    [
      'nobody arbitrates between two nodes',
      'S23',
      (nodes) => {
        for (const driver of [nodes.mount(1, 0), nodes.mount(2, 1)]) nodes.work(driver, 10);
      },
    ],
    [
      'allocations are not counted',
      'S24',
      (nodes) => {
        vi.spyOn(Statfs.prototype, 'change').mockReturnValue();
        nodes.liveTwice();
      },
    ],
    [
      'a replay copies nothing',
      'S24',
      (nodes) => {
        const nothing = function* (): Task<{ replayed: number; found: number; revokes: number }> {
          return { replayed: 0, found: 0, revokes: 0 };
        };
        vi.spyOn(Replay.prototype, 'run').mockImplementation(nothing);
        nodes.liveTwice();
      },
    ],
    [
      'one journal is given to two nodes',
      'S25',
      (nodes) => {
        for (const driver of [nodes.mount(1, 0), nodes.mount(2, 0)]) nodes.work(driver, 10);
      },
    ],
  ])('%s', (_name, id, live) => {
    const nodes = new Nodes();
    live(nodes);
    expect(violated(nodes.facts).map((text) => text.slice(0, 3))).toContain(id);
  });
});
