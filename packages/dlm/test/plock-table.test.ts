import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlockTable, type PlockWanted, type PosixLock } from '../src/plocks/plock-table.js';

/** `R 0-9` or `W 5-5`, of owner `who`; `U 0-9` unlocks. */
function parsed(text: string, who = 1): PlockWanted & { readonly isUnlock: boolean } {
  const [, mode, start, end] = /^([RWU]) (\d+)-(\d+)$/.exec(text)!;
  const range = { start: BigInt(start!), end: BigInt(end!) };
  return { ...range, nodeid: who, owner: 7n, pid: 100, isExclusive: mode === 'W', isUnlock: mode === 'U' };
}

function done(table: PlockTable, text: string, who = 1): void {
  const wanted = parsed(text, who);
  if (wanted.isUnlock) table.unlock(wanted);
  else table.lock(wanted);
}

function shown({ isExclusive, start, end }: PosixLock): string {
  return `${isExclusive ? 'W' : 'R'} ${start}-${end}`;
}

describe('a new range over one that its owner has', () => {
  it.each([
    // held         wanted      after, in the order of the table
    ['R 10-19', 'R 10-19', 'R 10-19', 'equal, same mode'],
    ['R 10-19', 'W 10-19', 'W 10-19', 'equal, other mode'],
    ['W 10-19', 'R 10-19', 'R 10-19', 'equal, other mode'],
    ['R 10-19', 'R 12-15', 'R 10-19', 'inside, same mode'],
    ['R 10-19', 'R 10-15', 'R 10-19', 'inside at the start, same mode'],
    ['R 10-19', 'W 10-15', 'W 10-15, R 16-19', 'inside at the start'],
    ['R 10-19', 'W 15-19', 'W 15-19, R 10-14', 'inside at the end'],
    ['W 10-19', 'R 15-19', 'R 15-19, W 10-14', 'inside at the end'],
    ['R 10-19', 'W 12-15', 'W 12-15, R 10-11, R 16-19', 'strictly inside: three'],
    ['R 10-19', 'R 5-25', 'R 5-25', 'around it'],
    ['R 10-19', 'W 5-25', 'W 5-25', 'around it'],
    ['R 10-19', 'W 10-25', 'W 10-25', 'from its start beyond its end'],
    ['R 10-19', 'W 5-19', 'W 5-19', 'from before it to its end'],
    ['R 10-19', 'W 15-25', 'R 10-14, W 15-25', 'over its end'],
    ['R 10-19', 'R 15-25', 'R 10-14, R 15-25', 'over its end, same mode'],
    ['R 10-19', 'W 5-15', 'R 16-19, W 5-15', 'over its start'],
    ['R 10-19', 'R 20-29', 'R 10-19, R 20-29', 'adjacent: not joined'],
    ['R 10-19', 'R 0-9', 'R 10-19, R 0-9', 'adjacent: not joined'],
    ['R 10-19', 'W 30-39', 'R 10-19, W 30-39', 'apart'],
    ['R 10-19', 'U 10-19', '', 'unlock: equal'],
    ['R 10-19', 'U 10-15', 'R 16-19', 'unlock: inside at the start'],
    ['R 10-19', 'U 15-19', 'R 10-14', 'unlock: inside at the end'],
    ['W 10-19', 'U 12-15', 'W 10-11, W 16-19', 'unlock: strictly inside'],
    ['R 10-19', 'U 5-25', '', 'unlock: around it'],
    ['R 10-19', 'U 10-25', '', 'unlock: from its start beyond its end'],
    ['R 10-19', 'U 15-25', 'R 10-14', 'unlock: over its end'],
    ['R 10-19', 'U 5-15', 'R 16-19', 'unlock: over its start'],
    ['R 10-19', 'U 20-29', 'R 10-19', 'unlock: of nothing'],
  ])('%s, then %s: %s (%s)', (held, wanted, after) => {
    const table = new PlockTable();
    done(table, held);
    done(table, wanted);
    expect(table.locks.map(shown).join(', ')).toBe(after);
  });

  it('covers several, and cuts those at its ends', () => {
    const table = new PlockTable();
    for (const range of ['R 0-9', 'W 20-29', 'R 40-49', 'W 60-69', 'U 5-64']) done(table, range);
    expect(table.locks.map(shown)).toEqual(['R 0-4', 'W 65-69']);
    done(table, 'W 3-66');
    expect(table.locks.map(shown)).toEqual(['R 0-2', 'W 67-69', 'W 3-66']);
  });
});

describe('conflicts', () => {
  it.each([
    ['R 0-9', 'R 0-9', false],
    ['R 0-9', 'W 9-9', true],
    ['W 0-9', 'R 5-20', true],
    ['W 0-9', 'W 0-9', true],
    ['W 0-9', 'W 10-19', false],
  ])('%s of another owner, %s asked: %s', (held, asked, isConflict) => {
    const table = new PlockTable();
    done(table, held, 1);
    expect(table.conflictOf(parsed(asked, 2)) !== undefined).toBe(isConflict);
    expect(table.conflictOf(parsed(asked, 1))).toBeUndefined();
    expect(table.conflictOf({ ...parsed(asked, 1), owner: 8n }) !== undefined).toBe(isConflict);
  });
});

describe('waiters', () => {
  /** Those that are granted by an unlock of everything that owner 1 has, as `<node> <range>`. */
  function grantedBy(table: PlockTable): string[] {
    const granted: string[] = [];
    table.unlock(parsed('U 0-999', 1));
    table.takeWaiters(({ wanted }) => granted.push(`${wanted.nodeid} ${wanted.isExclusive ? 'W' : 'R'}`));
    return granted;
  }

  it('are granted in their order, and a later one passes one that is still blocked', () => {
    const table = new PlockTable();
    done(table, 'W 0-9', 1);
    done(table, 'W 20-29', 5);
    table.wait(parsed('W 0-29', 2), undefined);
    table.wait(parsed('R 0-9', 3), undefined);
    table.wait(parsed('R 0-9', 4), undefined);
    expect(grantedBy(table)).toEqual(['3 R', '4 R']);
    expect(table.waiters.map(({ wanted }) => wanted.nodeid)).toEqual([2]);
  });

  it('one that a grant makes room for is granted though it was looked at before', () => {
    const table = new PlockTable();
    done(table, 'W 0-9', 2);
    done(table, 'W 20-29', 1);
    table.wait(parsed('R 0-9', 3), undefined);
    // When it is granted, what node 2 holds becomes a read lock.
    table.wait(parsed('R 0-29', 2), undefined);
    expect(grantedBy(table)).toEqual(['2 R', '3 R']);
  });

  it('go with their node, and with their owner', () => {
    const table = new PlockTable();
    done(table, 'W 0-9', 1);
    for (const node of [2, 3]) table.wait(parsed('W 0-9', node), undefined);
    table.clearWaiters(parsed('W 0-0', 2));
    expect(table.waiters.map(({ wanted }) => wanted.nodeid)).toEqual([3]);
    expect(table.purge(3)).toBe(1);
    expect(table.purge(1)).toBe(1);
    expect(table.isEmpty).toBe(true);
  });
});

describe('against a file of twelve bytes, each with a mode of its own per owner', () => {
  const BYTES = 12;
  const operation = fc.record({
    who: fc.constantFrom(1, 2, 3),
    what: fc.constantFrom('R', 'W', 'U'),
    start: fc.integer({ min: 0, max: BYTES - 1 }),
    length: fc.integer({ min: 1, max: BYTES }),
  });

  it('the ranges say what the bytes say, and refuse what these refuse', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const table = new PlockTable();
        const model = new Map([1, 2, 3].map((who) => [who, new Array<string>(BYTES).fill('.')]));
        for (const { who, what, start, length } of operations) {
          const end = Math.min(start + length, BYTES) - 1;
          const text = `${what} ${start}-${end}`;
          const isFree = [...model].every(
            ([other, bytes]) =>
              other === who ||
              bytes.slice(start, end + 1).every((mode) => mode === '.' || (mode === 'R' && what === 'R')),
          );
          if (what !== 'U') expect(table.conflictOf(parsed(text, who)) === undefined).toBe(isFree);
          if (what !== 'U' && !isFree) continue;
          done(table, text, who);
          model.get(who)!.fill(what === 'U' ? '.' : what, start, end + 1);
          for (const [owner, bytes] of model) expect(bytesOf(table, owner)).toBe(bytes.join(''));
        }
      }),
      { numRuns: 300 },
    );
  });

  /** Fails when ranges of one owner overlap. */
  function bytesOf(table: PlockTable, owner: number): string {
    const bytes = new Array<string>(BYTES).fill('.');
    for (const held of table.locks) {
      if (held.nodeid !== owner) continue;
      for (let at = held.start; at <= held.end; at++) {
        expect(bytes[Number(at)]).toBe('.');
        bytes[Number(at)] = held.isExclusive ? 'W' : 'R';
      }
    }
    return bytes.join('');
  }
});
