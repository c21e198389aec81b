const HISTORY_LENGTH = 60;

/**
 * How long the last writes of a status block took, as the blocks themselves report it.
 *
 * Source: cluster.git cman/qdisk/disk_util.c, `qd_update_wtime`, `qd_write_status`. Two quirks of the original are kept,
 * because they are on disk: the mean of the first 60 writes leaves the newest one out, and "last" is the one before it.
 */
export class WriteTimes {
  readonly #last: number[] = new Array<number>(HISTORY_LENGTH).fill(0);
  #writes = 0;
  #meanMicros = 0;

  get meanMicros(): number {
    return this.#meanMicros;
  }

  get lastMicros(): number {
    return this.#writes === 0 ? 0 : this.#last[(this.#writes - 1) % HISTORY_LENGTH]!;
  }

  add(micros: number): void {
    this.#writes += 1;
    this.#last[this.#writes % HISTORY_LENGTH] = micros;
    const count = Math.min(this.#writes, HISTORY_LENGTH);
    let sum = 0;
    for (let i = 0; i < count; i++) sum += this.#last[i]!;
    this.#meanMicros = Math.floor(sum / count);
  }
}
