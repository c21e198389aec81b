import { MILLISECOND, type Nanos, SECOND, type Task } from '@quorate/kernel';
import { Batch } from '../disk.js';
import type { FileSystem } from '../filesystem.js';
import { type Holder, HolderFlag } from '../glock/glock.js';
import { GlockType } from '../glock/glock-name.js';
import type { JournalMap } from '../log/journal-map.js';
import { findLogHead } from '../log/log-head.js';
import { LOG_HEAD, type LogHeader } from '../ondisk/log-header.js';
import { Refusal } from '../refusal.js';
import { type Journal, mapJournal } from './journals.js';
import { JournalFault, Replay } from './replay.js';

export type RecoveryResult = 'done' | 'gave-up' | 'failed';

/**
 * Looks at a journal and replays it if its node did not close it (`gfs2_recover_func`).
 *
 * Another node's journal is taken only if nobody else has it: "gave up" means that somebody else is at it. The own journal is
 * locked since the mount.
 */
export function* recoverJournal(fs: FileSystem, journal: Journal): Task<RecoveryResult> {
  const { core } = fs;
  const { jid, inode } = journal;
  const say = (text: string): void => core.print('info', `jid=${jid}: ${text}`);
  const holders: Holder[] = [];
  const start = core.now;
  let counts = { wasDirty: false, replayed: 0, found: 0 };
  let result: RecoveryResult = 'failed';
  try {
    if (jid === core.jid) core.print('info', `jid=${jid}, already locked for use`);
    else {
      say('Trying to acquire journal glock...');
      const flags = HolderFlag.TRY | HolderFlag.NOEXP | HolderFlag.NOCACHE;
      const holder = yield* core.locks.tryAcquire(core.locks.get(GlockType.journal, jid), 'EX', flags);
      if (holder === undefined) {
        say('Busy');
        result = 'gave-up';
        return result;
      }
      holders.push(holder);
    }
    holders.push(yield* fs.inodes.lock(inode, 'SH', HolderFlag.NOEXP | HolderFlag.NOCACHE));
    say('Looking at journal...');
    counts = yield* lookAndReplay(fs, journal, start, say);
    say('Done');
    result = 'done';
  } catch (error) {
    if (error instanceof JournalFault) say(error.text);
    else if (!(error instanceof Refusal)) throw error;
    say('Failed');
  } finally {
    for (const holder of holders.reverse()) core.locks.release(holder);
    const filesystem = (core.options.lockTable ?? core.superblock?.lockTable)?.split(':')[1] ?? '';
    const told = { kind: 'gfs2.journal-recovered', now: core.now, filesystem, jid, by: core.jid } as const;
    core.config.observe?.({ ...told, ...counts, result });
  }
  return result;
}

function* lookAndReplay(fs: FileSystem, journal: Journal, start: Nanos, say: (text: string) => void) {
  const { core } = fs;
  const locked = core.now;
  const map = yield* mapJournal(fs, journal);
  const head = yield* findLogHead(core.disk, map, core.headerCodec);
  if (head === undefined) throw new JournalFault('the journal has no valid header');
  const isModern = core.config.era === 'modern';
  const looked = core.now;
  if (isModern) say(`Journal head lookup took ${milliseconds(looked - locked)}ms`);
  if ((head.flags & LOG_HEAD.UNMOUNT) !== 0) return { wasDirty: false, replayed: 0, found: 0 };
  if (!isModern) say('Acquiring the transaction lock...');
  say(`Replaying journal...${isModern ? `0x${head.tail.toString(16)} to 0x${head.blkno.toString(16)}` : ''}`);
  const replay = new Replay(core.geometry, core.disk, core.scheduler, map, head, core.config.observe);
  const { replayed, found, revokes } = yield* replay.run();
  say(`Replayed ${replayed} of ${found} blocks`);
  say(`Found ${revokes} revoke tags`);
  yield* writeCleanHeader(fs, map, head);
  const took = core.now - start;
  const parts = `[jlck:${milliseconds(locked - start)}ms, jhead:${milliseconds(looked - locked)}ms, tlck:0ms, replay:${milliseconds(core.now - looked)}ms]`;
  say(
    isModern
      ? `Journal replayed in ${milliseconds(took)}ms ${parts}`
      : `Journal replayed in ${Math.round(took / SECOND)}s`,
  );
  return { wasDirty: true, replayed, found };
}

function milliseconds(span: Nanos): number {
  return Math.floor(span / MILLISECOND);
}

/** A header behind the last one says that there is nothing to replay any more (`clean_journal`). */
function* writeCleanHeader(fs: FileSystem, map: JournalMap, head: LogHeader): Task {
  const { core } = fs;
  const blkno = (head.blkno + 1) % map.blocks;
  const { sec, nsec } = core.wall();
  const block = new Uint8Array(core.geometry.blockSize);
  core.headerCodec.encode(
    {
      jid: core.jid,
      sequence: head.sequence + 1,
      flags: LOG_HEAD.UNMOUNT | LOG_HEAD.RECOVERY,
      tail: 0,
      blkno,
      nsec,
      sec,
      addr: map.addressOf(blkno),
      jinode: map.inode,
      statfsAddr: 0,
      quotaAddr: 0,
      localTotal: 0,
      localFree: 0,
      localDinodes: 0,
    },
    block,
  );
  const batch = new Batch(core.scheduler);
  core.disk.write(map.addressOf(blkno), block, batch.expect());
  yield* batch.settle();
  yield* core.disk.flush();
}
