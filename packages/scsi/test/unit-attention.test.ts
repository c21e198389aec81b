import { describe, expect, it } from 'vitest';
import { ReserveOut, requestSense, senseOf, senseText, testUnitReady, write10 } from '../src/index.js';
import {
  BUS_DEVICE_RESET_FUNCTION,
  REGISTRATIONS_PREEMPTED,
  REPORTED_LUNS_DATA_HAS_CHANGED,
  RESERVATIONS_RELEASED,
} from '../src/sense.js';
import { UnitAttentions } from '../src/unit-attention.js';
import { portOf, Rig } from './rig.js';

/** Everything that waits for a nexus, oldest first. */
function drain(rig: Rig, nexus: number): string[] {
  const found: string[] = [];
  for (let next = rig.outcome(nexus, testUnitReady()); next !== '00'; next = rig.outcome(nexus, testUnitReady())) {
    found.push(next);
  }
  return found;
}

describe('who is told what', () => {
  it('a new nexus: 29/00', () => {
    const rig = new Rig();
    rig.step({ kind: 'login', nexus: 1, port: portOf(1) });
    expect(drain(rig, 1)).toEqual(['6/29/00']);
  });

  it('a known nexus that comes back: 29/07, whether it was lost or logged out', () => {
    for (const kind of ['nexus-lost', 'logout'] as const) {
      const rig = new Rig().login(1, 2);
      rig.step({ kind, nexus: 1 });
      rig.step({ kind: 'login', nexus: 1, port: portOf(1) });
      expect([drain(rig, 1), drain(rig, 2)]).toEqual([['6/29/07'], []]);
    }
  });

  it('a login over a session that stands: 29/07', () => {
    const rig = new Rig().login(1);
    rig.step({ kind: 'login', nexus: 1, port: portOf(1) });
    expect(drain(rig, 1)).toEqual(['6/29/07']);
  });

  it('LUN RESET: 29/03 for all, the sender too, on that unit only', () => {
    const rig = new Rig({ units: [{}, {}] }).login(1, 2);
    rig.step({ kind: 'task-management', nexus: 1, lun: 0, function: 'lun-reset', id: 5 });
    expect([drain(rig, 1), drain(rig, 2)]).toEqual([['6/29/03'], ['6/29/03']]);
    expect(rig.outcome(1, testUnitReady(), undefined, 1)).toBe('00');
  });

  it('power cycle: 29/00 when they log in again', () => {
    const rig = new Rig().login(1);
    rig.step({ kind: 'power-cycle' });
    rig.step({ kind: 'login', nexus: 1, port: portOf(1) });
    expect(drain(rig, 1)).toEqual(['6/29/00']);
  });

  it('CLEAR TASK SET: 2F/00 for others whose tasks were cleared', () => {
    const rig = new Rig().login(1, 2, 3);
    rig.send(1, testUnitReady());
    rig.send(2, testUnitReady());
    rig.step({ kind: 'task-management', nexus: 1, lun: 0, function: 'clear-task-set', id: 1 });
    expect([drain(rig, 1), drain(rig, 2), drain(rig, 3)]).toEqual([[], ['6/2F/00'], []]);
  });

  it('PREEMPT AND ABORT: 2A/05 first, then 2F/00 if there were tasks', () => {
    const rig = new Rig().login(1, 2);
    rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n);
    rig.reserveOut(2, ReserveOut.register, 0, 0n, 2n);
    rig.reserveOut(1, ReserveOut.reserve, 5, 1n);
    rig.send(2, write10(0, 64), new Uint8Array(64 * 512));
    expect(rig.reserveOut(1, ReserveOut.preemptAndAbort, 5, 1n, 2n)).toBe('00');
    expect(drain(rig, 2)).toEqual(['6/2A/05', '6/2F/00']);
  });
});

describe('PERSISTENT RESERVE OUT never raises one for its caller', () => {
  const actions: readonly (readonly [name: string, run: (rig: Rig) => string])[] = [
    ['REGISTER', (rig) => rig.reserveOut(1, ReserveOut.register, 0, 1n, 9n)],
    ['REGISTER AND IGNORE', (rig) => rig.reserveOut(1, ReserveOut.registerAndIgnoreExistingKey, 0, 0n, 9n)],
    ['unregister by the holder', (rig) => rig.reserveOut(1, ReserveOut.register, 0, 1n, 0n)],
    ['RELEASE', (rig) => rig.reserveOut(1, ReserveOut.release, 5, 1n)],
    ['CLEAR', (rig) => rig.reserveOut(1, ReserveOut.clear, 0, 1n)],
    ['PREEMPT', (rig) => rig.reserveOut(1, ReserveOut.preempt, 5, 1n, 2n)],
    ['PREEMPT of itself, with another type', (rig) => rig.reserveOut(1, ReserveOut.preempt, 6, 1n, 1n)],
    ['PREEMPT AND ABORT', (rig) => rig.reserveOut(1, ReserveOut.preemptAndAbort, 5, 1n, 2n)],
  ];
  it.each(actions)('%s', (_name, run) => {
    const rig = new Rig().login(1, 2);
    rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n);
    rig.reserveOut(2, ReserveOut.register, 0, 0n, 2n);
    rig.reserveOut(1, ReserveOut.reserve, 5, 1n);
    expect(run(rig)).toBe('00');
    expect(drain(rig, 1)).toEqual([]);
  });
});

describe('the queue', () => {
  const texts = (queue: UnitAttentions): string[] => queue.pending().map(senseText);

  it('is first in, first out, and one at a time is reported', () => {
    const rig = new Rig().login(1, 2);
    rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n);
    rig.reserveOut(2, ReserveOut.register, 0, 0n, 2n);
    rig.reserveOut(1, ReserveOut.reserve, 5, 1n);
    rig.reserveOut(1, ReserveOut.release, 5, 1n);
    rig.reserveOut(1, ReserveOut.preempt, 5, 1n, 2n);
    expect(drain(rig, 2)).toEqual(['6/2A/04', '6/2A/05']);
  });

  it('a reset replaces what was queued before, and later ones queue behind it', () => {
    const queue = new UnitAttentions();
    queue.add(RESERVATIONS_RELEASED);
    queue.add(BUS_DEVICE_RESET_FUNCTION);
    queue.add(REGISTRATIONS_PREEMPTED);
    expect(texts(queue)).toEqual(['6/29/03', '6/2A/05']);
  });

  it('one that equals the newest is not queued twice, one that equals an older is', () => {
    const queue = new UnitAttentions();
    for (const each of [RESERVATIONS_RELEASED, RESERVATIONS_RELEASED, REGISTRATIONS_PREEMPTED, RESERVATIONS_RELEASED]) {
      queue.add(each);
    }
    expect(texts(queue)).toEqual(['6/2A/04', '6/2A/05', '6/2A/04']);
  });

  it('REPORT LUNS takes 3F/0E away, wherever it stands', () => {
    const queue = new UnitAttentions();
    queue.add(RESERVATIONS_RELEASED);
    queue.add(REPORTED_LUNS_DATA_HAS_CHANGED);
    queue.add(REGISTRATIONS_PREEMPTED);
    queue.drop(REPORTED_LUNS_DATA_HAS_CHANGED);
    expect(texts(queue)).toEqual(['6/2A/04', '6/2A/05']);
  });

  it('REQUEST SENSE takes the oldest', () => {
    const rig = new Rig();
    rig.step({ kind: 'login', nexus: 1, port: portOf(1) });
    const data = rig.run(1, requestSense()).data;
    expect(senseText(senseOf(data)!)).toBe('6/29/00');
    expect(drain(rig, 1)).toEqual([]);
  });
});
