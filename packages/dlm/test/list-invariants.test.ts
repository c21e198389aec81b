import { invariants } from '@quorate/dlm';
import { MILLISECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import {
  called,
  cast,
  EUNLOCK,
  fromQueue,
  granted,
  lock,
  mastered,
  off,
  queued,
  reached,
  recorded,
  recovered,
  restart,
  running,
  starts,
  stopped,
  type Tell,
  type Untimed,
  unlocked,
  violated,
  written,
} from './histories.js';

type Held = Extract<Untimed, { kind: 'dlm.held' }>;
const held = (owner: number, mode: Held['mode'], by: Held['by'] = 'request', how: Partial<Held> = {}): Untimed => {
  return { kind: 'dlm.held', ...lock, owner, ownerLkid: 1, mode, by, hasBast: true, mayOvertake: false, ...how };
};
type Queued = Extract<Untimed, { kind: 'dlm.queued' }>;
const waits = (
  owner: number,
  mode: Queued['mode'],
  queue: Queued['queue'] = 'wait',
  how: Partial<Queued> = {},
): Untimed => ({ ...queued(owner, queue), mode, ...how }) as Untimed;
const bast = (owner: number, mode: Held['mode']): Untimed => ({
  kind: 'dlm.bast',
  resource: 'r',
  owner,
  ownerLkid: 1,
  mode,
});
const converting = (from: Held['mode'], to: Held['mode']): Untimed => {
  return { kind: 'dlm.converting', ...lock, from, to, keeps: 'NL' };
};
type Converted = Extract<Untimed, { kind: 'dlm.converted' }>;
const converted = (mode: Held['mode'], isGranted: boolean, how: Partial<Converted> = {}): Untimed => {
  const plain = { isAlternate: false, wasDemoted: false, master: 1, hasValueBlock: false };
  return { kind: 'dlm.converted', ...lock, mode, isGranted, ...plain, ...how };
};
const tossed: Untimed = { kind: 'dlm.tossed', resource: 'r', until: 20 * MILLISECOND };

/** Node 2 holds the lock in EX, and node 1 knows. */
function holding(tell: Tell): void {
  tell(2, called('request'));
  tell(1, held(2, 'EX'));
  tell(2, cast(0, 'EX'));
}

/** All at one instant: masters tell several facts in one step, and what their lists look like matters between steps. */
function afterRunning(history: (tell: Tell) => void): string[] {
  const whole = (tell: Tell): void => {
    running(tell);
    history(tell);
  };
  return violated(whole, invariants, 0);
}

describe('a good history violates nothing', () => {
  it.each<[string, (tell: Tell) => void]>([
    [
      'a lock is handed over: the holder is told, unlocks, and the next one gets it',
      (tell) => {
        holding(tell);
        tell(3, called('request'));
        tell(1, waits(3, 'PR'));
        tell(1, bast(2, 'PR'));
        tell(2, called('unlock'));
        tell(2, unlocked);
        tell(1, held(2, 'IV', 'unlock'));
        tell(2, cast(EUNLOCK, 'IV'));
        tell(1, fromQueue(3));
        tell(1, held(3, 'PR', 'queue'));
        tell(3, cast(0, 'PR'));
      },
    ],
    // Lock chaos, seed 0xe8: without a directory a node may be given a resource back that it gave up, twice before it tells of locks.
    [
      'a lock is told once of a mode, whatever becomes of who is its master until recovery is over',
      (tell) => {
        tell(1, held(1, 'CW'));
        tell(1, held(2, 'NL'));
        tell(1, waits(3, 'EX'));
        tell(1, bast(1, 'EX'));
        tell(1, fromQueue(3, 'wait', { isGranted: false }));
        tell(1, { kind: 'dlm.master-released', resource: 'r' });
        tell(1, mastered);
        tell(1, held(2, 'IV', 'recovery'));
        tell(1, { kind: 'dlm.master-released', resource: 'r' });
        tell(1, mastered);
        tell(1, held(1, 'CW', 'recovery'));
        tell(1, waits(3, 'PW'));
      },
    ],
    [
      'EXPEDITE and NOORDER pass those that wait; nobody looks for whom they block until the next grant',
      (tell) => {
        holding(tell);
        tell(1, waits(3, 'PR'));
        tell(1, bast(2, 'PR'));
        tell(1, held(1, 'NL', 'request', { mayOvertake: true }));
      },
    ],
    [
      'HEADQUE goes to the head of its queue, even where it could be granted, or before a conversion that waits for it',
      (tell) => {
        holding(tell);
        tell(1, waits(3, 'PR'));
        tell(1, bast(2, 'PR'));
        tell(1, waits(1, 'NL', 'wait', { isFirst: true }));
      },
    ],
    [
      'a conversion that asked for it waits for one that waits for it',
      (tell) => {
        tell(1, held(2, 'PR'));
        tell(1, held(3, 'PR'));
        tell(1, waits(2, 'EX', 'convert'));
        tell(1, bast(3, 'EX'));
        tell(1, waits(3, 'EX', 'convert', { mayDeadlock: true }));
      },
    ],
    [
      'a new master was sent the locks of the old one, whose owners have heard what they were told',
      (tell) => {
        tell(1, held(2, 'EX'));
        tell(1, waits(3, 'PR'));
        tell(1, bast(2, 'PR'));
        restart(tell, [2, 3]);
        tell(2, mastered);
        tell(2, held(2, 'EX', 'recovery'));
        tell(2, waits(3, 'PR'));
      },
    ],
    [
      'a conversion is granted in another mode, or fails and was demoted',
      (tell) => {
        tell(2, granted('CR'));
        tell(2, converting('CR', 'EX'));
        tell(2, converted('PR', true, { isAlternate: true }));
        tell(2, converting('PR', 'EX'));
        tell(2, converted('NL', false, { wasDemoted: true }));
        // A cancel that came too late.
        tell(2, converted('NL', false));
      },
    ],
    [
      'an orphan is purged',
      (tell) => {
        holding(tell);
        tell(2, { kind: 'dlm.orphaned', ...lock });
        tell(2, called('unlock'));
        tell(1, held(2, 'IV', 'unlock'));
        tell(2, cast(EUNLOCK, 'IV'));
      },
    ],
    [
      'what a dead owner had is removed in recovery',
      (tell) => {
        tell(1, held(3, 'EX'));
        tell(3, { kind: 'dlm.orphaned', ...lock });
        restart(tell, [1, 2]);
        tell(1, held(3, 'IV', 'recovery'));
      },
    ],
    [
      'a lock that is given back comes to the next master with its old mode',
      (tell) => {
        tell(1, held(2, 'CW'));
        tell(2, { kind: 'dlm.unlocked', ...lock });
        tell(1, held(2, 'IV'));
        tell(1, held(3, 'PR'));
        restart(tell, [2, 3]);
        tell(3, held(2, 'CW', 'recovery'));
        tell(3, held(3, 'PR', 'recovery'));
        tell(3, held(2, 'IV'));
      },
    ],
    [
      'writes are counted past 2^32, and anew by a new master or when what was written is not valid',
      (tell) => {
        tell(1, written(5, 0xffff_ffff));
        tell(1, written(6, 0));
        tell(1, { kind: 'dlm.lvb-invalid', resource: 'r' });
        tell(1, written(7, 0xffff_0000));
        restart(tell, [2, 3]);
        tell(2, mastered);
        tell(2, written(7, 3));
      },
    ],
    [
      'an inactive resource is used again, or forgotten; a stop makes everything anew',
      (tell) => {
        tell(1, tossed);
        tell(1, held(2, 'NL'));
        tell(2, tossed);
        tell(2, { kind: 'dlm.freed', resource: 'r' });
        tell(3, tossed);
        restart(tell, [1, 2, 3]);
        tell(2, recorded(1));
      },
    ],
    [
      'a recovery that is cut short by a death need not end',
      (tell) => {
        for (const node of [1, 2, 3]) tell(node, stopped);
        for (const node of [1, 2]) tell(node, starts(1, 2, 3));
        tell(3, off);
      },
    ],
  ])('%s', (_, history) => {
    // Most of them leave out what owners tell.
    const own = (id: string): boolean => id.startsWith('dlm.') && id !== 'dlm.F5';
    expect(afterRunning(history).filter(own)).toEqual([]);
  });
});

describe('each invariant notices', () => {
  it.each<[id: string, what: string, history: (tell: Tell) => void]>([
    [
      'dlm.S1',
      'EX beside PR on the lists of a master',
      (tell) => {
        tell(1, held(2, 'EX'));
        tell(1, held(3, 'PR'));
      },
    ],
    [
      'dlm.S1',
      'EX beside PR in a recovery, and nobody gives one back',
      (tell) => {
        tell(1, held(2, 'EX', 'recovery'));
        tell(1, held(3, 'PR', 'recovery'));
      },
    ],
    [
      'dlm.S1',
      'what is given back is granted, and in no recovery',
      (tell) => {
        tell(2, { kind: 'dlm.unlocked', ...lock });
        tell(1, held(2, 'EX'));
        tell(1, held(3, 'PR'));
      },
    ],
    [
      'dlm.S4',
      'the master has another mode than the owner was told',
      (tell) => {
        tell(2, called('request'));
        tell(1, held(2, 'PR'));
        tell(2, cast(0, 'CW'));
      },
    ],
    [
      'dlm.S4',
      'the master does not have the lock at all',
      (tell) => {
        tell(2, called('request'));
        tell(2, cast(0, 'CW'));
      },
    ],
    [
      'dlm.S8',
      'a reply to a question of the recovery before',
      (tell) => tell(1, { kind: 'dlm.rcom-reply', from: 2, type: 5, seqReply: 1 }),
    ],
    [
      'dlm.S8',
      'a lookup from before recovery',
      (tell) => tell(1, { kind: 'dlm.message-resumed', from: 2, type: 11, statusWhenSaved: 21 }),
    ],
    [
      'dlm.S10',
      'a master counts backwards',
      (tell) => {
        tell(1, written(5, 2));
        tell(1, written(6, 1));
      },
    ],
    [
      'dlm.S12',
      'a conversion that fails takes the old mode with it',
      (tell) => {
        tell(2, granted('PR'));
        tell(2, converting('PR', 'EX'));
        tell(2, converted('NL', false));
      },
    ],
    [
      'dlm.S12',
      'a conversion is granted in a mode that nobody asked for',
      (tell) => {
        tell(2, granted('CR'));
        tell(2, converting('CR', 'EX'));
        tell(2, converted('PW', true, { isAlternate: true }));
      },
    ],
    [
      'dlm.S13',
      'an orphan is gone although nobody purged it',
      (tell) => {
        tell(1, held(2, 'EX'));
        tell(2, { kind: 'dlm.orphaned', ...lock });
        tell(1, held(2, 'IV', 'unlock'));
      },
    ],
    [
      'dlm.F2',
      'a new request passes one that waits',
      (tell) => {
        tell(1, held(1, 'PR'));
        tell(1, waits(2, 'EX'));
        tell(1, bast(1, 'EX'));
        tell(1, held(3, 'PR'));
        tell(1, bast(3, 'EX'));
      },
    ],
    [
      'dlm.F3',
      'nothing is in the way of what waits',
      (tell) => {
        tell(1, held(1, 'CR'));
        tell(1, waits(2, 'PW'));
      },
    ],
    [
      'dlm.F4',
      'a holder is not told that somebody waits',
      (tell) => {
        tell(1, held(1, 'PR'));
        tell(1, waits(2, 'EX'));
      },
    ],
    [
      'dlm.F4',
      'a holder is told of a mode that goes with its own',
      (tell) => {
        tell(1, held(1, 'PR'));
        tell(1, waits(2, 'CW'));
        tell(1, bast(1, 'PR'));
      },
    ],
    [
      'dlm.F5',
      'a master keeps a lock that was unlocked',
      (tell) => {
        holding(tell);
        tell(2, called('unlock'));
        tell(2, cast(EUNLOCK, 'IV'));
      },
    ],
    [
      'dlm.F6',
      'two members have another generation',
      (tell) => {
        for (const node of [1, 2]) {
          tell(node, { kind: 'dlm.recovered', recoverSeq: 2, generation: node, members: [1, 2], slots: [1, 2] });
        }
      },
    ],
    [
      'dlm.F7',
      'the directory node has no record of a master',
      (tell) => {
        for (const node of [1, 2]) tell(node, stopped);
        for (const node of [1, 2]) {
          tell(node, {
            kind: 'dlm.started',
            recoverSeq: 2,
            members: [1, 2],
            added: [],
            nodeArray: [2],
            isNodir: false,
          });
        }
        for (const bit of [1, 4, 16, 64]) for (const node of [1, 2]) tell(node, reached(bit));
        for (const node of [1, 2]) tell(node, recovered);
      },
    ],
    [
      'dlm.F8',
      'a recovery that does not end',
      (tell) => {
        for (const node of [1, 2, 3]) tell(node, stopped);
        for (const node of [1, 2, 3]) tell(node, starts(1, 2, 3));
      },
    ],
    ['dlm.F9', 'a resource that nobody uses is kept', (tell) => tell(3, tossed)],
    [
      'dlm.F9',
      'a directory record outlives its master',
      (tell) => {
        tell(1, tossed);
        tell(1, { kind: 'dlm.freed', resource: 'r' });
        tell(1, { kind: 'dlm.master-released', resource: 'r' });
      },
    ],
    [
      'dlm.F10',
      'a conversion waits for one that waits behind it',
      (tell) => {
        tell(1, held(2, 'PR'));
        tell(1, held(3, 'PR'));
        tell(1, waits(2, 'EX', 'convert'));
        tell(1, bast(3, 'EX'));
        tell(1, waits(3, 'EX', 'convert'));
      },
    ],
  ])('%s: %s', (id, _what, history) => {
    const own = (found: string): boolean => found === id || found !== 'dlm.F5';
    expect(afterRunning(history).filter(own)).toEqual([id]);
  });
});
