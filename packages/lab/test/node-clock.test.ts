import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NodeClock } from '../src/node-clock.js';

describe('a drifting clock', () => {
  it('shows global time when it does not drift', () => {
    const clock = new NodeClock();
    expect(clock.local(123_456_789)).toBe(123_456_789);
    expect(clock.global(123_456_789)).toBe(123_456_789);
  });

  it.each([
    [200, 1_000_000_000, 1_000_200_000],
    [-200, 1_000_000_000, 999_800_000],
    [50_000, 1_500_000, 1_575_000],
  ])('with %d ppm shows at %d ns %d ns', (ppm, global, local) => {
    expect(new NodeClock(ppm).local(global)).toBe(local);
  });

  it('a deadline is met at the first global instant at which the local clock has reached it', () => {
    fc.assert(
      fc.property(fc.integer({ min: -50_000, max: 50_000 }), fc.nat(10 ** 13), (ppm, local) => {
        const clock = new NodeClock(ppm);
        const global = clock.global(local);
        expect(clock.local(global)).toBeGreaterThanOrEqual(local);
        if (global > 0) expect(clock.local(global - 1)).toBeLessThan(local);
      }),
    );
  });

  it('neither jumps nor runs backwards when its drift changes', () => {
    const clock = new NodeClock(300);
    const before = clock.local(5_000_000_000);
    clock.setDrift(5_000_000_000, -300);
    expect(clock.local(5_000_000_000)).toBe(before);
    expect(clock.local(6_000_000_000)).toBe(before + 1_000_000_000 - 300_000);
  });
});
