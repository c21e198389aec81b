import { performance } from 'node:perf_hooks';

/** A lock manager as its users see it; `Held` is what it gives for a lock. */
export interface Locks<Held> {
  /** `locker`: who asks; one lock at a time each. */
  acquire(name: string, locker: number): Promise<Held>;
  /** Undefined when there is nothing to wait for. */
  release(held: Held): Promise<unknown> | undefined;
}

/** Microseconds of each acquire, and of each acquire with its awaited release; sorted. */
export interface Latency {
  readonly acquire: Float64Array;
  readonly pair: Float64Array;
}

/** One lock after the other, each awaited; until one of the limits. */
export async function latency<Held>(
  locks: Locks<Held>,
  names: readonly string[],
  count: number,
  seconds = Infinity,
): Promise<Latency> {
  const acquire = new Float64Array(count);
  const pair = new Float64Array(count);
  const end = performance.now() + seconds * 1000;
  let done = 0;
  for (let now = performance.now(); done < count && now < end; done++) {
    const began = now;
    const held = await locks.acquire(names[done % names.length]!, 0);
    const granted = performance.now();
    const released = locks.release(held);
    if (released !== undefined) await released;
    now = performance.now();
    pair[done] = (now - began) * 1000;
    acquire[done] = (granted - began) * 1000;
  }
  return { acquire: acquire.subarray(0, done).sort(), pair: pair.subarray(0, done).sort() };
}

/** How often each of the lockers had its lock in that time; all at once, each on the name at its place. */
export function pairs<Held>(locks: Locks<Held>, names: readonly string[], seconds: number): Promise<number[]> {
  const end = performance.now() + seconds * 1000;
  return Promise.all(names.map((name, locker) => pairsOf(locks, name, locker, end)));
}

async function pairsOf<Held>(locks: Locks<Held>, name: string, locker: number, end: number): Promise<number> {
  let count = 0;
  while (performance.now() < end) {
    const held = await locks.acquire(name, locker);
    const released = locks.release(held);
    if (released !== undefined) await released;
    count += 1;
  }
  return count;
}

/**
 * Instants, in microseconds of the process's clock, at which so many lockers had the lock of a name. Each asks again as soon as it
 * has given the lock back, so that another one always waits.
 */
export async function grants<Held>(
  locks: Locks<Held>,
  name: string,
  lockers: number,
  seconds: number,
): Promise<Float64Array> {
  const end = processMicros() + seconds * 1e6;
  const instants: number[] = [];
  const locker = async (who: number): Promise<void> => {
    let last: Promise<unknown> | undefined;
    for (let now = 0; now < end; ) {
      const held = await locks.acquire(name, who);
      now = processMicros();
      instants.push(now);
      last = locks.release(held);
    }
    await last;
  };
  await Promise.all(Array.from({ length: lockers }, (_, who) => locker(who)));
  return Float64Array.from(instants);
}

/** Microseconds from each grant to the next. */
export function gaps(instants: readonly number[]): Float64Array {
  const sorted = Float64Array.from(instants).sort();
  return sorted
    .subarray(1)
    .map((instant, i) => instant - sorted[i]!)
    .sort();
}

/** One clock for all threads. */
function processMicros(): number {
  return Number(process.hrtime.bigint()) / 1000;
}

/** The value that so many of the sorted ones do not reach. */
export function quantile(sorted: Float64Array | readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
