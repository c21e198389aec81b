import { ConfigError, type Nanos } from '@quorate/kernel';
import { type Grant, SliceClock } from './slice-clock.js';

/** Slices that are granted beyond the last one that all have acknowledged: the one that runs, and the next. */
const AHEAD = 2;

export interface HubClockConfig {
  readonly workers: number;
  /** Cluster time per wall time, at most. */
  readonly speed: number;
  /** Length of a slice on the wall. */
  readonly sliceMs: number;
}

/**
 * Elastic time: cluster time advances in slices, and slice k + 1 is granted when everybody has acknowledged slice k - 1.
 *
 * A worker acknowledges a slice when its clock has passed the end of it. In a healthy run the grant of a slice arrives a
 * slice before it begins, so the clock runs through. When a worker is late by more than a slice, all clocks stand at the end
 * of what was granted, and go on from there when it has caught up: the wall time between is lost, and counted.
 *
 * `hold` lets it stand on purpose, and another speed counts from the end of what was granted: neither loses anything.
 *
 * Pure: the wall enters as an argument.
 */
export class HubClock {
  readonly sliceNanos: Nanos;
  readonly #clock: SliceClock;
  /** Last slice that each worker has acknowledged. */
  readonly #acknowledged: number[];
  #settled = 0;
  #granted = 0;
  #isStopped = false;
  #isHeld = false;
  #highestSpeed: number;
  /** Asked for, and not granted yet. */
  #nextSpeed: number | undefined;
  #stops = 0;
  #lostSlices = 0;
  #lostWallMs = 0;

  /** @throws {ConfigError} for a speed or slice that is not positive, or a slice of less than 1 ns of cluster time. */
  constructor({ workers, speed, sliceMs }: HubClockConfig) {
    refuseImpossible(speed);
    if (!(sliceMs > 0 && sliceMs < Infinity)) throw new ConfigError('sliceMs', String(sliceMs), 'a number above 0');
    this.sliceNanos = Math.round(sliceMs * speed * 1_000_000);
    if (this.sliceNanos < 1) throw new ConfigError('sliceMs', String(sliceMs), 'a slice of at least 1 ns');
    this.#clock = new SliceClock(speed);
    this.#highestSpeed = speed;
    this.#acknowledged = Array.from({ length: workers }, () => 0);
  }

  /** Number of the last slice that all have acknowledged. */
  get settledSlice(): number {
    return this.#settled;
  }

  /** Cluster time that everybody has passed. */
  get settled(): Nanos {
    return this.#settled * this.sliceNanos;
  }

  /** Number of the last slice that was granted. */
  get grantedSlice(): number {
    return this.#granted;
  }

  /** How often the clock stood still. */
  get stops(): number {
    return this.#stops;
  }

  /** Slices of wall time during which it stood still; one that was lost in part counts. */
  get lostSlices(): number {
    return this.#lostSlices;
  }

  get lostWallMs(): number {
    return this.#lostWallMs;
  }

  /** The first grant, for everybody. */
  start(wallMs: number): Grant {
    this.#granted = AHEAD;
    return this.#grant({ until: AHEAD * this.sliceNanos, from: { at: 0, wallMs } });
  }

  /** Grants nothing more; what was granted is still acknowledged. */
  stop(): void {
    this.#isStopped = true;
  }

  /** The highest speed at which any clock may have run. */
  get highestSpeed(): number {
    return this.#highestSpeed;
  }

  /**
   * Cluster time per wall time from the next grant on.
   *
   * @throws {ConfigError} for one that is not positive.
   */
  setSpeed(speed: number): void {
    refuseImpossible(speed);
    this.#nextSpeed = speed;
  }

  /** Grants nothing until `release`: the clocks stand when they have run through what was granted. */
  hold(): void {
    this.#isHeld = true;
  }

  /** The grant that was held back; undefined when the next acknowledgement brings it. */
  release(wallMs: number): Grant | undefined {
    if (!this.#isHeld) return undefined;
    this.#isHeld = false;
    return this.#extend(Math.max(wallMs, this.#endMs()));
  }

  /** The next grant, for everybody, if this acknowledgement was the one that it waited for. */
  acknowledge(worker: number, slice: number, wallMs: number): Grant | undefined {
    this.#acknowledged[worker] = slice;
    const settled = Math.min(...this.#acknowledged);
    if (settled === this.#settled) return undefined;
    this.#settled = settled;
    if (this.#isHeld || this.#isStopped) return undefined;
    const lostMs = wallMs - this.#endMs();
    if (lostMs <= 0) return this.#extend(undefined);
    this.#stops += 1;
    this.#lostSlices += Math.ceil((lostMs * this.#clock.speed * 1_000_000) / this.sliceNanos);
    this.#lostWallMs += lostMs;
    return this.#extend(wallMs);
  }

  /** When the clocks will stand, or have come to stand, at the end of what was granted. */
  #endMs(): number {
    return this.#clock.wallMs(this.#granted * this.sliceNanos);
  }

  /** Grants what the last acknowledgements allow. `startMs`: when clocks that stand go on; undefined: they run. */
  #extend(startMs: number | undefined): Grant | undefined {
    if (this.#isStopped || this.#settled + AHEAD === this.#granted) return undefined;
    const at = this.#granted * this.sliceNanos;
    const speed = this.#nextSpeed;
    const wallMs = startMs ?? this.#endMs();
    this.#granted = this.#settled + AHEAD;
    const until = this.#granted * this.sliceNanos;
    this.#nextSpeed = undefined;
    if (speed !== undefined) {
      this.#highestSpeed = Math.max(this.#highestSpeed, speed);
      return this.#grant({ until, from: { at, wallMs, speed } });
    }
    return this.#grant(startMs === undefined ? { until } : { until, from: { at, wallMs } });
  }

  #grant(grant: Grant): Grant {
    this.#clock.grant(grant);
    return grant;
  }
}

function refuseImpossible(speed: number): void {
  if (!(speed > 0 && speed < Infinity)) throw new ConfigError('speed', String(speed), 'a number above 0');
}
