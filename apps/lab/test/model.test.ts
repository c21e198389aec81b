import type { Stamped } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { BoundedList } from '../src/model/bounded-list.js';
import { AllDaemons } from '../src/model/daemons.js';
import { Journal } from '../src/model/journal.js';
import { SharedDisk } from '../src/model/shared-disk.js';
import { settingsOf } from '../src/settings.js';

function fact(kind: string, node: number, fields: object): Stamped {
  return { kind, now: 0, at: 0, node, life: 1, seq: 1, ...fields } as Stamped;
}

describe('a bounded list', () => {
  it('has the last entries, and holds at most twice as many', () => {
    const list = new BoundedList<number>(3);
    for (let i = 1; i <= 100; i += 1) {
      list.add(i);
      expect(list.entries.length).toBeLessThanOrEqual(6);
    }
    expect([list.last(2), list.last(10)]).toEqual([
      [99, 100],
      [98, 99, 100],
    ]);
  });
});

describe('the journal', () => {
  const journal = new Journal(['left', 'right']);
  const entry = { at: 0, tone: 'plain' } as const;
  journal.log({ at: 0, machine: 'left', priority: 'err', tag: 'kernel', text: 'panic', wallSec: 0 });
  journal.add({ ...entry, kind: 'event', machine: 'right', text: 'right is up' });
  journal.add({ ...entry, kind: 'typed', machine: 'left', text: 'clustat' });
  journal.add({ ...entry, kind: 'event', machine: '', text: 'a ring' });

  it.each([
    ['all', ['kernel: panic', 'right is up', 'clustat', 'a ring']],
    ['events', ['right is up', 'a ring']],
    ['left', ['kernel: panic', 'clustat']],
    ['right', ['right is up']],
  ])('shows of %s what belongs there, in its order', (filter, expected) => {
    expect(journal.last(filter, 10).map(({ text }) => text)).toEqual(expected);
  });

  it('marks what the syslog marks as an error', () => {
    expect(journal.last('left', 10)[0]!.tone).toBe('bad');
  });

  it('knows its machines', () => {
    expect(() => journal.last('middle', 1)).toThrow('no machine middle');
  });
});

describe('the shared disk', () => {
  it('remembers who took whose key until it is registered again', () => {
    const disk = new SharedDisk(0);
    const change = (fields: object): void =>
      disk.hear(
        fact('scsi.reservation-changed', 0, {
          lun: 0,
          nexus: 1,
          type: 5,
          holder: 1,
          generation: 1,
          preempted: [],
          ...fields,
        }),
      );
    const [one, two] = [
      { nexus: 1, key: 'a' },
      { nexus: 2, key: 'b' },
    ];
    change({ action: 'preempt-and-abort', registered: [one], preempted: [2] });
    change({ action: 'register', nexus: 3, registered: [one] });
    expect([disk.preempted, disk.type, disk.holder]).toEqual([
      [{ victim: 2, by: 1 }],
      'Write Exclusive, registrants only',
      1,
    ]);
    change({ action: 'register', nexus: 2, registered: [one, two] });
    change({ lun: 1, action: 'clear', registered: [] });
    expect([disk.preempted, disk.registrations, disk.lastBy]).toEqual([[], [one, two], 2]);
  });
});

describe('the daemons of a machine', () => {
  it('are what they were after a pause, and gone after a power cut', () => {
    const daemons = new AllDaemons();
    daemons.hear(fact('node.state', 1, { state: 'up' }));
    daemons.hear(fact('totem.state', 1, { state: 'operational' }));
    for (const state of ['paused', 'up']) daemons.hear(fact('node.state', 1, { state }));
    expect(daemons.of(1).ringState).toBe('operational');
    daemons.hear(fact('node.state', 1, { state: 'off' }));
    expect(daemons.of(1).ringState).toBe('');
  });
});

describe('settings in the address', () => {
  it.each([
    ['?start=free&speed=20&seed=0xff', { start: 'free', speed: 20, seed: { hi: 0, lo: 255 }, seedText: '0xff' }],
    ['', { start: undefined, speed: 5, seed: { hi: 0, lo: 1 }, seedText: '1' }],
    ['?start=now&speed=3&seed=x', { start: undefined, speed: 5, seed: { hi: 0, lo: 1 }, seedText: '1' }],
  ])('%j', (query, expected) => {
    expect(settingsOf(query)).toEqual(expected);
  });
});
