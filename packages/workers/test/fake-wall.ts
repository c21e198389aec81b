import type { Wall } from '../src/time/wall.js';

interface Timer {
  readonly atMs: number;
  readonly then: () => void;
}

/** A wall clock that stands until a test moves it, and calls its timers on the way. */
export class FakeWall implements Wall {
  #nowMs: number;
  readonly #timers = new Set<Timer>();
  /** How late timers are. */
  lateMs = 0;

  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, then: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs + this.lateMs, then };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Goes to `toMs`, timer by timer. */
  advance(toMs: number): void {
    for (;;) {
      const [first] = [...this.#timers].sort((a, b) => a.atMs - b.atMs);
      if (first === undefined || first.atMs > toMs) break;
      this.#timers.delete(first);
      this.#nowMs = Math.max(this.#nowMs, first.atMs);
      first.then();
    }
    this.#nowMs = Math.max(this.#nowMs, toMs);
  }
}
