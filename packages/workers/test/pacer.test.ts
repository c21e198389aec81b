import { describe, expect, it } from 'vitest';
import { type Paced, Pacer } from '../src/time/pacer.js';
import { SliceClock } from '../src/time/slice-clock.js';
import { FakeWall } from './fake-wall.js';

const MS = 1_000_000;
const SLICE = 50 * MS;

/** A machine that wakes every 20 ms of its own time, at speed 10 with 1 ms of lookahead on the wall. */
class Ticker implements Paced {
  readonly wall = new FakeWall(1000);
  readonly told: string[] = [];
  readonly pacer: Pacer;
  interval = 20 * MS;
  #due = this.interval;

  constructor() {
    const clock = new SliceClock(10);
    this.pacer = new Pacer(this, { clock, wall: this.wall, sliceNanos: SLICE });
  }

  deadline(): number {
    return this.#due;
  }

  wake(now: number): void {
    this.told.push(`wake ${now / MS}`);
    this.#due = now + this.interval;
  }

  flush(): void {}

  acknowledge(slice: number): void {
    this.told.push(`slice ${slice}`);
  }
}

function started(lateMs = 0): Ticker {
  const ticker = new Ticker();
  ticker.wall.lateMs = lateMs;
  ticker.pacer.grant({ until: 2 * SLICE, from: { at: 0, wallMs: 1000 } });
  return ticker;
}

describe('a worker under its pacer', () => {
  it('wakes its machines at their deadlines and acknowledges each slice once, up to what was granted', () => {
    const ticker = started();
    ticker.wall.advance(1100);
    // At 50 ms it does what is due until 60 ms: that much it may run ahead.
    expect(ticker.told).toEqual(['wake 20', 'wake 40', 'wake 60', 'slice 1', 'wake 80', 'wake 100', 'slice 2']);
  });

  it('does nothing while the clock stands, and goes on when it is granted more', () => {
    const ticker = started();
    ticker.interval = 1000 * MS;
    ticker.wall.advance(1500);
    expect(ticker.told).toEqual(['wake 20', 'slice 1', 'slice 2']);
    ticker.pacer.grant({ until: 3 * SLICE, from: { at: 2 * SLICE, wallMs: 1500 } });
    ticker.wall.advance(1600);
    expect(ticker.told).toEqual(['wake 20', 'slice 1', 'slice 2', 'slice 3']);
  });

  it('handles what was sent right after that, even ahead of its own clock, and what was due before it first', () => {
    const ticker = started();
    ticker.wall.advance(1000);
    ticker.pacer.during(() => {
      expect(ticker.pacer.after(15 * MS)).toBe(15 * MS + 1);
      expect(ticker.pacer.after(33 * MS)).toBe(33 * MS + 1);
      expect(ticker.pacer.after(25 * MS)).toBe(33 * MS + 1);
    });
    expect(ticker.told).toEqual(['wake 20']);
  });

  it('hands out no instant of a slice that it has acknowledged', () => {
    const ticker = started();
    ticker.interval = 1000 * MS;
    ticker.wall.advance(1005);
    expect(ticker.told.at(-1)).toBe('slice 1');
    expect(ticker.pacer.after(3 * MS)).toBe(SLICE + 1);
  });

  it('wakes a machine at its deadlines even if the timers of the platform are late', () => {
    const ticker = started(8);
    ticker.wall.advance(1100);
    // The timer for 20 ms, less the lookahead, was to come at 1001: it came at 1009.
    expect(ticker.told.slice(0, 6)).toEqual(['wake 20', 'wake 40', 'wake 60', 'wake 80', 'wake 100', 'slice 1']);
  });
});
