import { ConfigError } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubClock } from '../src/time/hub-clock.js';
import { SliceClock } from '../src/time/slice-clock.js';

/** Two workers, slices of 10 ms of the wall at speed 5: 50 ms of cluster time. */
function started(): HubClock {
  const clock = new HubClock({ workers: 2, speed: 5, sliceMs: 10 });
  clock.start(1000);
  return clock;
}

const MS = 1_000_000;

describe('the clock of the hub', () => {
  it('begins with two slices', () => {
    const clock = new HubClock({ workers: 2, speed: 5, sliceMs: 10 });
    expect(clock.start(1000)).toEqual({ until: 100 * MS, from: { at: 0, wallMs: 1000 } });
  });

  it('grants a further slice when the last worker has acknowledged, and runs through when that was in time', () => {
    const clock = started();
    expect(clock.acknowledge(0, 1, 1010)).toBeUndefined();
    expect(clock.settled).toBe(0);
    expect(clock.acknowledge(1, 1, 1011)).toEqual({ until: 150 * MS });
    expect(clock.settled).toBe(50 * MS);
    expect([clock.stops, clock.lostSlices, clock.lostWallMs]).toEqual([0, 0, 0]);
  });

  it('stands at the end of what was granted while a worker is late, and goes on from there', () => {
    const clock = started();
    clock.acknowledge(0, 2, 1020);
    // Both slices were over at 1020; the grant comes 15 ms later, which is a slice and a half.
    expect(clock.acknowledge(1, 1, 1035)).toEqual({ until: 150 * MS, from: { at: 100 * MS, wallMs: 1035 } });
    expect([clock.stops, clock.lostSlices, clock.lostWallMs]).toEqual([1, 2, 15]);
  });

  it('grants as many slices as a late worker has acknowledged at once', () => {
    const clock = started();
    clock.acknowledge(0, 2, 1020);
    expect(clock.acknowledge(1, 2, 1020)).toEqual({ until: 200 * MS });
  });

  it('grants nothing after it was stopped, and still counts what is settled', () => {
    const clock = started();
    clock.stop();
    clock.acknowledge(0, 2, 1020);
    expect(clock.acknowledge(1, 2, 1020)).toBeUndefined();
    expect(clock.settledSlice).toBe(2);
  });

  it('goes on at another speed from the end of what was granted, and counts slices by it', () => {
    const clock = started();
    clock.setSpeed(10);
    clock.acknowledge(0, 1, 1010);
    expect(clock.acknowledge(1, 1, 1010)).toEqual({ until: 150 * MS, from: { at: 100 * MS, wallMs: 1020, speed: 10 } });
    // Three slices are over at 1025; 10 ms later two slices of 5 ms are lost.
    clock.acknowledge(0, 2, 1035);
    expect(clock.acknowledge(1, 2, 1035)).toEqual({ until: 200 * MS, from: { at: 150 * MS, wallMs: 1035 } });
    expect([clock.lostSlices, clock.highestSpeed]).toEqual([2, 10]);
  });

  it('refuses another speed that is impossible', () => {
    expect(() => started().setSpeed(0)).toThrow(ConfigError);
  });

  it('stands while it is held, and goes on from there without a loss', () => {
    const clock = started();
    clock.hold();
    clock.acknowledge(0, 2, 1020);
    expect(clock.acknowledge(1, 2, 1020)).toBeUndefined();
    expect(clock.release(9000)).toEqual({ until: 200 * MS, from: { at: 100 * MS, wallMs: 9000 } });
    expect(clock.release(9001)).toBeUndefined();
    expect([clock.stops, clock.lostSlices]).toEqual([0, 0]);
  });

  it('that was held and released before it stood runs through', () => {
    const clock = started();
    clock.hold();
    expect(clock.release(1005)).toBeUndefined();
    clock.hold();
    clock.acknowledge(0, 1, 1010);
    clock.acknowledge(1, 1, 1010);
    expect(clock.release(1011)).toEqual({ until: 150 * MS, from: { at: 100 * MS, wallMs: 1020 } });
  });

  it.each([
    ['speed', { speed: 0, sliceMs: 10 }],
    ['speed', { speed: Number.NaN, sliceMs: 10 }],
    ['speed', { speed: Infinity, sliceMs: 10 }],
    ['sliceMs', { speed: 1, sliceMs: -1 }],
    ['sliceMs', { speed: 1e-6, sliceMs: 1e-6 }],
  ])('refuses an impossible %s', (path, config) => {
    expect(() => new HubClock({ workers: 1, ...config })).toThrow(ConfigError);
    expect(() => new HubClock({ workers: 1, ...config })).toThrow(path);
  });
});

describe('cluster time as a thread reads it', () => {
  it('is elapsed wall time at that speed, up to what was granted', () => {
    const clock = new SliceClock(5);
    clock.grant({ until: 100 * MS, from: { at: 0, wallMs: 1000 } });
    expect([999, 1000, 1004, 1020, 1050].map((wallMs) => clock.at(wallMs) / MS)).toEqual([0, 0, 20, 100, 100]);
  });

  it('says when it will show an instant, and that it does not know before that is granted', () => {
    const clock = new SliceClock(5);
    clock.grant({ until: 100 * MS, from: { at: 0, wallMs: 1000 } });
    expect(clock.wallMs(50 * MS)).toBe(1010);
    expect(clock.wallMs(100 * MS + 1)).toBe(Infinity);
  });

  it('runs at the old speed until the new one begins', () => {
    const clock = new SliceClock(5);
    clock.grant({ until: 100 * MS, from: { at: 0, wallMs: 1000 } });
    clock.grant({ until: 200 * MS, from: { at: 100 * MS, wallMs: 1020, speed: 50 } });
    expect([1010, 1020, 1021, 1022, 1023].map((wallMs) => clock.at(wallMs) / MS)).toEqual([50, 100, 150, 200, 200]);
    expect([50, 100, 150].map((at) => clock.wallMs(at * MS))).toEqual([1010, 1020, 1021]);
  });

  it('never runs backwards, whatever order of late workers, holds and speeds the grants come from', () => {
    const workers = 3;
    const speeds = fc.constantFrom(0.5, 1, 7, 100);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(workers - 1), fc.nat(40), fc.option(fc.oneof(speeds, fc.constant('hold')))), {
          maxLength: 60,
        }),
        speeds,
        (program, speed) => {
          const hub = new HubClock({ workers, speed, sliceMs: 4 });
          const clock = new SliceClock(speed);
          let wallMs = 5000;
          clock.grant(hub.start(wallMs));
          const acknowledged = Array.from({ length: workers }, () => 0);
          let before = 0;
          let isHeld = false;
          for (const [worker, waitedMs, change] of program) {
            wallMs += waitedMs;
            if (typeof change === 'number') hub.setSpeed(change);
            if (change === 'hold') {
              const released = isHeld ? hub.release(wallMs) : undefined;
              if (!isHeld) hub.hold();
              isHeld = !isHeld;
              if (released !== undefined) clock.grant(released);
            }
            const reading = clock.at(wallMs);
            expect(reading).toBeGreaterThanOrEqual(before);
            expect(reading).toBeLessThanOrEqual(hub.grantedSlice * hub.sliceNanos);
            before = reading;
            const slice = Math.floor(reading / hub.sliceNanos);
            if (slice === acknowledged[worker]) continue;
            acknowledged[worker] = slice;
            const grant = hub.acknowledge(worker, slice, wallMs);
            if (grant !== undefined) clock.grant(grant);
          }
        },
      ),
    );
  });
});
