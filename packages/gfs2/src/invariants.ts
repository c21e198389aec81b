import { defineInvariant, type Invariant, type Stamped, type Verdict } from '@quorate/kernel';
import type { BlockWrittenFact } from './buffer/buffer-cache.js';
import type { WriteDoneFact } from './disk.js';
import type { CheckedFact, JournalRecoveredFact, MountedFact, MountingFact, UnmountedFact } from './facts.js';
import type { GlockState } from './glock/glock.js';
import { GlockType, glockTypeName } from './glock/glock-name.js';
import type { GlockFact } from './glock/glocks.js';
import type { LogFlushFact } from './log/log.js';

type LockFact =
  | GlockFact
  | BlockWrittenFact
  | WriteDoneFact
  | LogFlushFact
  | MountingFact
  | UnmountedFact
  | JournalRecoveredFact;

/** One life of a node, and what it holds. */
interface Life {
  readonly node: number;
  jid: number | undefined;
  /** It mounts and does not have its journal's glock yet. */
  isWaitingForJournal: boolean;
  /** Its journal was replayed by another node: it counts as dead, whatever it believes. */
  isGone: boolean;
  readonly held: Map<string, GlockState>;
  /** Transfers that it had no right to make, until the disk has refused them or not. */
  readonly suspects: Map<number, string>;
}

/**
 * S23: glocks exclude each other between nodes, and a block is written in place only under its glock held EX, or by the
 * replay of a journal whose glock is held EX.
 *
 * A dead node keeps what it held until its journal was replayed: that nobody gets it earlier is part of the rule. Grants to
 * recovery itself are the exception.
 */
const gfs2Glock: Invariant = defineInvariant<LockFact>({
  id: 'S23',
  name: 'gfs2-glock',
  statement: 'a block is written only by the holder of the covering exclusive glock, and glocks exclude each other',
  kinds: [
    'gfs2.glock',
    'gfs2.block-written',
    'gfs2.write-done',
    'gfs2.log-flush',
    'gfs2.mounting',
    'gfs2.unmounted',
    'gfs2.journal-recovered',
  ],
  start() {
    const lives = new Map<string, Life>();
    return {
      observe(fact, verdict) {
        const life = lifeOf(lives, fact);
        switch (fact.kind) {
          case 'gfs2.glock':
            return onGlock(lives, life, fact, verdict);
          case 'gfs2.block-written':
            return onBlockWritten(life, fact);
          case 'gfs2.write-done':
            return onWriteDone(life, fact, verdict);
          case 'gfs2.log-flush':
            if (holds(life, GlockType.journal, fact.jid)) return;
            life.suspects.set(fact.write, `journal ${fact.jid} without its glock`);
            return;
          case 'gfs2.mounting':
            life.jid = fact.jid;
            life.isWaitingForJournal = true;
            life.isGone = false;
            return;
          case 'gfs2.unmounted':
            life.held.clear();
            life.jid = undefined;
            return;
          case 'gfs2.journal-recovered':
            return onRecovered(lives, life, fact);
        }
      },
    };
  },
});

function lifeOf(lives: Map<string, Life>, { node, life: number }: { node: number; life: number }): Life {
  const key = `${node}/${number}`;
  let life = lives.get(key);
  if (life === undefined) {
    life = { node, jid: undefined, isWaitingForJournal: false, isGone: false, held: new Map(), suspects: new Map() };
    lives.set(key, life);
  }
  return life;
}

function onGlock(lives: Map<string, Life>, life: Life, fact: Stamped<GlockFact>, verdict: Verdict): void {
  if (life.isGone) return;
  const key = `${fact.type}/${fact.number}`;
  if (fact.state === 'UN') {
    life.held.delete(key);
    return;
  }
  life.held.set(key, fact.state);
  if (fact.type === GlockType.journal && fact.number === life.jid) life.isWaitingForJournal = false;
  for (const other of lives.values()) {
    const held = other.held.get(key);
    if (other === life || held === undefined || areCompatible(held, fact.state)) continue;
    // Recovery takes over what the dead node held; from here on that node has no right to it.
    if (fact.isRecovery) other.held.delete(key);
    else {
      const name = `${glockTypeName(fact.type)}/${fact.number}`;
      verdict.violate(`node ${life.node} got ${name} ${fact.state} while node ${other.node} has it ${held}`, [
        life.node,
        other.node,
      ]);
    }
  }
}

function areCompatible(a: GlockState, b: GlockState): boolean {
  return a === b && a !== 'EX';
}

function onBlockWritten(life: Life, fact: Stamped<BlockWrittenFact>): void {
  const { block, glock, journal, write } = fact;
  const hasRight =
    journal === undefined
      ? glock !== undefined && holds(life, glock.type, glock.number)
      : holds(life, GlockType.journal, journal);
  if (!hasRight) life.suspects.set(write, `block ${block} without its glock held exclusively`);
}

function onWriteDone(life: Life, fact: Stamped<WriteDoneFact>, verdict: Verdict): void {
  const what = life.suspects.get(fact.write);
  life.suspects.delete(fact.write);
  // What the disk refused has harmed nobody: that is what fencing is for.
  if (what !== undefined && fact.isSuccess) verdict.violate(`node ${life.node} wrote ${what}`, [life.node]);
}

function holds(life: Life, type: number, number: number): boolean {
  return life.held.get(`${type}/${number}`) === 'EX';
}

function onRecovered(lives: Map<string, Life>, by: Life, fact: JournalRecoveredFact): void {
  if (fact.result !== 'done') return;
  for (const life of lives.values()) {
    if (life === by || life.jid !== fact.jid) continue;
    life.held.clear();
    // The journal was replayed for who had it before: somebody looks at it once more, when it is given out again already.
    if (life.isWaitingForJournal && !fact.wasDirty) continue;
    life.isGone = true;
    life.jid = undefined;
  }
}

/** S24: the checker finds nothing whenever it is run. */
const gfs2Fsck: Invariant = defineInvariant<CheckedFact>({
  id: 'S24',
  name: 'gfs2-fsck',
  statement: 'the consistency check is clean at key frames when no transaction is open, and at the end',
  kinds: ['gfs2.checked'],
  start() {
    return {
      observe({ findings }, verdict) {
        if (findings.length === 0) return;
        const more = findings.length > 5 ? `; and ${findings.length - 5} more` : '';
        verdict.violate(`the checker found ${findings.slice(0, 5).join('; ')}${more}`, []);
      },
    };
  },
});

type JournalFact = MountedFact | UnmountedFact | LogFlushFact | WriteDoneFact | JournalRecoveredFact;

/** Who writes a journal, and whether that one has left something to replay. */
interface JournalUse {
  readonly key: string;
  readonly node: number;
  isRecovered: boolean;
}

/**
 * S25: a journal that a node left dirty is replayed by exactly one node, nobody replays the journal of a node that still
 * writes it, and a node writes no journal after another has replayed it. A write counts when it was sent, and only if the disk
 * took it: a node that stood still may learn late how one ended.
 */
const gfs2Journal: Invariant = defineInvariant<JournalFact>({
  id: 'S25',
  name: 'gfs2-journal',
  statement: 'each dead journal is replayed by exactly one node, and written by nobody afterwards',
  kinds: ['gfs2.mounted', 'gfs2.unmounted', 'gfs2.log-flush', 'gfs2.write-done', 'gfs2.journal-recovered'],
  start() {
    const journals = new Map<number, JournalUse>();
    /** Headers under way to journals that were not the sender's any more, by life and write. */
    const suspects = new Map<string, number>();
    return {
      observe(fact, verdict) {
        const key = `${fact.node}/${fact.life}`;
        if (fact.kind === 'gfs2.write-done') {
          const jid = suspects.get(`${key}/${fact.write}`);
          if (jid === undefined) return;
          suspects.delete(`${key}/${fact.write}`);
          if (!fact.isSuccess) return;
          return verdict.violate(`node ${fact.node} wrote journal ${jid}, which is not its own`, [fact.node]);
        }
        const use = journals.get(fact.jid);
        switch (fact.kind) {
          case 'gfs2.mounted':
            if (use !== undefined && !use.isRecovered && use.key !== key) {
              verdict.violate(`node ${fact.node} uses journal ${fact.jid}, which node ${use.node} has not given up`, [
                fact.node,
                use.node,
              ]);
            }
            journals.set(fact.jid, { key, node: fact.node, isRecovered: false });
            return;
          case 'gfs2.unmounted':
            if (use?.key === key) journals.delete(fact.jid);
            return;
          case 'gfs2.log-flush':
            if (use?.key !== key || use.isRecovered) suspects.set(`${key}/${fact.write}`, fact.jid);
            return;
          case 'gfs2.journal-recovered':
            return onJournalRecovered(journals, fact, verdict);
        }
      },
    };
  },
});

function onJournalRecovered(
  journals: Map<number, JournalUse>,
  fact: Stamped<JournalRecoveredFact>,
  verdict: Verdict,
): void {
  if (fact.result !== 'done') return;
  const use = journals.get(fact.jid);
  if (use?.isRecovered && fact.wasDirty) {
    verdict.violate(`journal ${fact.jid} was replayed a second time, by node ${fact.node}`, [fact.node]);
  }
  // Nobody was seen writing one that was dirty before we looked.
  if (use !== undefined) use.isRecovered = true;
  else if (fact.wasDirty) journals.set(fact.jid, { key: '', node: 0, isRecovered: true });
}

export const invariants: readonly Invariant[] = [gfs2Glock, gfs2Fsck, gfs2Journal];
