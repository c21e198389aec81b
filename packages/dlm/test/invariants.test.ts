import { invariants } from '@quorate/dlm';
import { describe, expect, it } from 'vitest';
import {
  called,
  cast,
  checked as checkedBy,
  configured,
  EUNLOCK,
  fromQueue,
  granted,
  lock,
  mastered,
  off,
  queued,
  reached,
  read,
  recorded,
  recovered,
  restart,
  running,
  starts,
  stopped,
  type Tell,
  type Untimed,
  unlocked,
  violated as violatedBy,
  written,
} from './histories.js';

/** Of owners, of who masters what, and of when a lockspace starts; the histories here tell nothing of a master's lists. */
const RULES = invariants.filter(({ id }) => /^(S\d+|dlm\.S([567]|1[45]))$/.test(id));
const checked = (history: (tell: Tell) => void) => checkedBy(history, RULES);
const violated = (history: (tell: Tell) => void) => violatedBy(history, RULES);

const startingPlocks: Untimed = { kind: 'dlm.starting', change: 1, members: [1, 2], failed: [], isQuorate: true };
const startPlocks = (tell: Tell): void => {
  for (const node of [1, 2]) tell(node, { kind: 'dlm.start-sent', change: 1, isQuorate: true });
  for (const node of [1, 2]) tell(node, startingPlocks);
};
const plockTaken = (position: number, owner: number, digest: number | undefined): Untimed => {
  return { kind: 'dlm.plock-taken', position, members: [1, 2], inode: 7, owner, digest };
};

it('a member that was reset does not run, whatever it said before and if nobody started without it meanwhile', () => {
  const history = (tell: Tell): void => {
    running(tell);
    for (const node of [1, 2]) tell(node, stopped);
    tell(3, off);
    tell(1, starts(1, 2, 3));
  };
  expect(violated(history)).toEqual([]);
});

describe('a good history violates nothing', () => {
  it('a lock passes from node to node with its value', () => {
    const history = (tell: Tell): void => {
      running(tell);
      tell(2, granted('EX'));
      tell(2, unlocked);
      tell(1, written(5));
      tell(3, granted('PR'));
      tell(3, read('PR', 5));
      tell(1, granted('CR'));
    };
    expect(violated(history)).toEqual([]);
  });

  it('a writer dies: what it held is given away, and its value is not valid; a new master may take over', () => {
    const history = (tell: Tell): void => {
      running(tell);
      tell(1, written(5));
      tell(3, granted('EX'));
      restart(tell, [1, 2]);
      tell(1, { kind: 'dlm.lvb-invalid', resource: 'r' });
      tell(2, granted('PR'));
      tell(2, read('PR', 5, false));
      restart(tell, [2, 3]);
      tell(2, mastered);
    };
    expect(violated(history)).toEqual([]);
  });

  it.each<[string, (tell: Tell) => void]>([
    [
      'calls complete, and conversions go before requests',
      (tell) => {
        for (const node of [2, 3]) tell(node, called('request'));
        tell(1, queued(2));
        tell(1, queued(3, 'convert'));
        tell(1, fromQueue(3, 'convert'));
        tell(1, fromQueue(2));
        for (const node of [2, 3]) tell(node, cast(0));
        tell(2, called('unlock'));
        tell(2, cast(EUNLOCK, 'IV'));
      },
    ],
    [
      'what asked to go first or to overtake does so',
      (tell) => {
        tell(1, queued(1));
        tell(1, queued(2));
        tell(1, queued(3, 'wait', true));
        tell(1, fromQueue(3));
        tell(1, fromQueue(2, 'wait', { mayOvertake: true }));
      },
    ],
    [
      'recovery mixes conversions',
      (tell) => {
        tell(1, queued(2, 'convert'));
        tell(1, queued(3, 'convert'));
        tell(1, fromQueue(3, 'convert', { isUnordered: true }));
      },
    ],
    [
      'one that gives up its place lets the next one go',
      (tell) => {
        tell(1, queued(2));
        tell(1, queued(3));
        tell(1, fromQueue(2, 'wait', { isGranted: false }));
        tell(1, fromQueue(3));
      },
    ],
    [
      'a request may wait on a queue as long as it must',
      (tell) => {
        tell(2, called('request'));
        tell(1, queued(2));
      },
    ],
    [
      'a request waits for a lockspace that does not run',
      (tell) => {
        tell(2, called('request'));
        tell(1, stopped);
      },
    ],
    [
      'what a dead node waited for is forgotten',
      (tell) => {
        tell(3, called('request'));
        restart(tell, [1, 2]);
      },
    ],
    [
      'a cancel completes the request',
      (tell) => {
        tell(2, called('request'));
        tell(2, called('cancel'));
        tell(2, cast(0x10001, 'IV'));
      },
    ],
    [
      'a cancel that comes too late completes nothing, or itself',
      (tell) => {
        for (const node of [2, 3]) {
          tell(node, called('request'));
          tell(node, called('cancel'));
          tell(node, cast(0));
        }
        tell(2, called('cancel'));
        tell(2, cast(0x10001));
      },
    ],
  ])('S22: %s', (_, history) => {
    const whole = (tell: Tell): void => {
      running(tell);
      history(tell);
    };
    expect(violated(whole)).toEqual([]);
  });

  it('S22: a call waits for a member whose death the lockspace has not heard of; that is counted', () => {
    const { violations, counts } = checked((tell) => {
      running(tell);
      tell(2, called('request'));
      tell(1, off);
      // Another node has heard of it.
      tell(3, configured(2, 3));
    });
    expect(violations).toEqual([]);
    expect(counts.get('dlm-unnoticed-death')?.times).toBe(1);
  });

  it('dlm.S6: a START of an old ring that comes late is about the life that has ended', () => {
    const history =
      (dies: boolean) =>
      (tell: Tell): void => {
        const restartAlone = (): void => {
          tell(2, off);
          for (const told of [starts(2), recovered]) tell(2, told, 2);
        };
        running(tell);
        if (!dies) restartAlone();
        tell(1, stopped);
        tell(1, { kind: 'dlm.start-sent', change: 7, isQuorate: true });
        if (dies) restartAlone();
        tell(1, starts(1, 2));
      };
    expect([violated(history(true)), violated(history(false))]).toEqual([[], ['dlm.S6']]);
  });

  it('dlm.S5: a start that the others were told of with quorum is counted when it comes without', () => {
    const { violations, counts } = checked((tell) => {
      tell(1, { kind: 'dlm.start-sent', change: 1, isQuorate: true });
      tell(1, { kind: 'dlm.starting', change: 1, members: [1], failed: [], isQuorate: false });
    });
    expect(violations).toEqual([]);
    expect(counts.get('start-outlives-quorum')?.times).toBe(1);
  });

  it('what a node says that the others have given up counts for nothing', () => {
    const history = (tell: Tell): void => {
      running(tell);
      restart(tell, [1, 2]);
      tell(2, granted('EX'));
      tell(3, granted('EX'));
      tell(3, mastered);
    };
    expect(violated(history)).toEqual([]);
  });
});

describe('a node that the others have given up while it stood still', () => {
  const wakes =
    (isOff: boolean) =>
    (tell: Tell): void => {
      running(tell);
      for (const node of [1, 3]) tell(node, stopped);
      tell(2, starts(2));
      if (isOff) tell(2, off);
      // Node 3 hears last what it was told first.
      for (const told of [starts(3), recovered]) tell(3, told);
      tell(3, cast(0));
    };

  const calls = invariants.filter(({ id }) => id === 'S22');

  it('starts without them, and that counts for nothing', () => {
    expect(violatedBy(wakes(false), calls)).toEqual([]);
  });

  it('goes on alone when they have lost their power', () => {
    expect(violatedBy(wakes(true), calls)).toEqual(['S22']);
  });
});

it('a grant to a node that the others have given up is counted', () => {
  const { violations, counts } = checked((tell) => {
    running(tell);
    restart(tell, [1, 2]);
    tell(2, granted('EX'));
    tell(3, granted('PR'));
    tell(3, {
      kind: 'dlm.converted',
      ...lock,
      mode: 'EX',
      master: 3,
      isGranted: true,
      isAlternate: false,
      wasDemoted: false,
      hasValueBlock: false,
    });
  });
  expect(violations).toEqual([]);
  expect(counts.get('dlm-zombie-grant')?.times).toBe(2);
});

describe('each invariant notices', () => {
  it.each<[id: string, what: string, history: (tell: Tell) => void]>([
    [
      'S18',
      'two nodes hold EX and PR',
      (tell) => {
        tell(1, granted('EX'));
        tell(2, granted('PR'));
      },
    ],
    [
      'S18',
      'a lock of a node that died is given away before the others go on without it',
      (tell) => {
        tell(3, granted('EX'));
        tell(3, off);
        tell(2, granted('EX'));
      },
    ],
    [
      'S18',
      'a node that was given up is back, and gets what another one holds',
      (tell) => {
        restart(tell, [1, 2]);
        tell(2, granted('EX'));
        restart(tell, [1, 2, 3]);
        tell(3, granted('EX'));
      },
    ],
    [
      'S18',
      'a conversion that is under way still holds its old mode',
      (tell) => {
        tell(1, granted('PR'));
        tell(1, { kind: 'dlm.converting', ...lock, from: 'PR', to: 'EX', keeps: 'PR' });
        tell(2, granted('PW'));
      },
    ],
    ['S19', 'a second master', (tell) => tell(3, mastered)],
    ['S19', 'a directory that names another node', (tell) => tell(2, recorded(3))],
    [
      'S20',
      'a reader gets an old value',
      (tell) => {
        tell(1, written(5));
        tell(1, written(6, 2));
        tell(2, granted('PR'));
        tell(2, read('PR', 5));
      },
    ],
    [
      'S20',
      'a reader is not told that the writer died',
      (tell) => {
        tell(1, written(5));
        tell(3, granted('PW'));
        restart(tell, [1, 2]);
        tell(2, granted('PR'));
        tell(2, read('PR', 5));
      },
    ],
    [
      'S20',
      'a new master is not told that the writer died',
      (tell) => {
        tell(2, granted('NL'));
        tell(1, granted('EX'));
        tell(1, written(5));
        restart(tell, [2, 3]);
        tell(2, mastered);
        tell(3, granted('PR'));
        tell(3, read('PR', 5));
      },
    ],
    [
      'S21',
      'a grant while the lockspace is stopped',
      (tell) => {
        tell(1, stopped);
        tell(1, granted('PR'));
      },
    ],
    [
      'S22',
      'a request passes one that waits before it',
      (tell) => {
        tell(1, queued(2));
        tell(1, queued(3));
        tell(1, fromQueue(3));
      },
    ],
    [
      'S22',
      'a request passes a conversion',
      (tell) => {
        tell(1, queued(2, 'convert'));
        tell(1, queued(3));
        tell(1, fromQueue(3));
      },
    ],
    [
      'S22',
      'a request completes twice',
      (tell) => {
        tell(2, called('request'));
        tell(2, cast(0));
        tell(2, cast(0));
      },
    ],
    ['S22', 'an unlock completes that nobody asked for', (tell) => tell(2, cast(EUNLOCK, 'IV'))],
    ['S22', 'a request is lost', (tell) => tell(2, called('request'))],
    [
      'S22',
      'a request is lost with the master on whose queue it stood',
      (tell) => {
        tell(2, called('request'));
        tell(3, queued(2));
        restart(tell, [1, 2]);
      },
    ],
    [
      'S22',
      'a request is lost although the lockspace has recovered from a death',
      (tell) => {
        tell(2, called('request'));
        tell(3, off);
        restart(tell, [1, 2]);
      },
    ],
    [
      'S22',
      'a request is lost although the member that had died is back',
      (tell) => {
        tell(2, called('request'));
        tell(3, off);
        restart(tell, [1, 2, 3], { 3: 2 });
      },
    ],
    [
      'S22',
      'a request is lost although Totem has told that a member is dead',
      (tell) => {
        tell(2, called('request'));
        tell(3, off);
        tell(2, configured(1, 2));
      },
    ],
    [
      'S22',
      'an unlock is lost',
      (tell) => {
        tell(2, called('request'));
        tell(2, cast(0));
        tell(2, called('unlock'));
      },
    ],
    [
      'dlm.S5',
      'a start before the failed node is fenced',
      (tell) => {
        tell(1, { kind: 'dlm.node-failed', failed: 3 });
        tell(1, { kind: 'dlm.node-fenced', fenced: 2 });
        tell(1, { kind: 'dlm.starting', change: 2, members: [1, 2], failed: [3], isQuorate: true });
      },
    ],
    [
      'dlm.S5',
      'a start without quorum',
      (tell) => {
        tell(1, { kind: 'dlm.start-sent', change: 1, isQuorate: true });
        tell(1, { kind: 'dlm.starting', change: 2, members: [1], failed: [], isQuorate: false });
      },
    ],
    [
      'dlm.S5',
      'the others are told of a start without quorum',
      (tell) => tell(1, { kind: 'dlm.start-sent', change: 1, isQuorate: false }),
    ],
    [
      'dlm.S6',
      'a start while another member runs',
      (tell) => {
        tell(1, stopped);
        tell(1, starts(1, 2, 3));
      },
    ],
    [
      'dlm.S7',
      'a step of recovery that runs ahead',
      (tell) => {
        for (const node of [1, 2, 3]) tell(node, stopped);
        for (const node of [1, 2, 3]) tell(node, starts(1, 2, 3));
        for (const node of [1, 2]) tell(node, reached(1));
        tell(1, reached(4));
      },
    ],
    [
      'dlm.S14',
      'members have different locks after the same messages',
      (tell) => {
        startPlocks(tell);
        tell(1, plockTaken(1, 0, 0xaa));
        tell(2, plockTaken(1, 0, 0xaa));
        tell(1, plockTaken(2, 0, 0xbb));
        tell(2, plockTaken(2, 0, 0xcc));
      },
    ],
    [
      'dlm.S14',
      'a newcomer is told something else than the others have',
      (tell) => {
        startPlocks(tell);
        tell(1, { kind: 'dlm.plocks-whole', digest: 1 });
        tell(2, { kind: 'dlm.plocks-whole', digest: 2 });
      },
    ],
    [
      'dlm.S15',
      'two members own one inode',
      (tell) => {
        startPlocks(tell);
        tell(1, plockTaken(1, 1, undefined));
        tell(2, plockTaken(1, 2, undefined));
      },
    ],
  ])('%s: %s', (id, _what, history) => {
    const whole = (tell: Tell): void => {
      running(tell);
      history(tell);
    };
    expect(violated(whole)).toEqual([id]);
  });
});
