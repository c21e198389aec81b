import { MILLISECOND, SECOND, WallClock, wallTimeOf } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';

describe('a wall clock', () => {
  it('counts from 1970 until it is told', () => {
    expect(new WallClock().at(2.5 * SECOND)).toEqual({ sec: 2, nsec: 500 * MILLISECOND });
  });

  it.each([
    ['at the instant', 10 * SECOND, { sec: 1000, nsec: 900 * MILLISECOND }],
    ['later, over a full second', 10.2 * SECOND, { sec: 1001, nsec: 100 * MILLISECOND }],
    ['before it', 9 * SECOND, { sec: 999, nsec: 900 * MILLISECOND }],
    ['a thousand days later', 86_400_010 * SECOND, { sec: 86_401_000, nsec: 900 * MILLISECOND }],
  ])('is carried forward: %s', (_, now, expected) => {
    const clock = new WallClock();
    clock.step(99 * SECOND);
    clock.set(10 * SECOND, { sec: 1000, nsec: 900 * MILLISECOND });
    expect([clock.at(now), clock.seconds(now)]).toEqual([expected, expected.sec]);
  });

  it('is stepped forward and back', () => {
    const clock = new WallClock();
    clock.set(0, wallTimeOf(1000.25));
    clock.step(-0.5 * SECOND);
    expect(clock.at(0)).toEqual({ sec: 999, nsec: 750 * MILLISECOND });
    clock.step(3600 * SECOND);
    expect(clock.seconds(0)).toBe(4599);
  });

  it('takes a second apart to the nanosecond', () => {
    expect([wallTimeOf(7), wallTimeOf(7.000_000_001)]).toEqual([
      { sec: 7, nsec: 0 },
      { sec: 7, nsec: 1 },
    ]);
  });
});
