import type { TextStream } from '../command-io.js';

const CELLS = 30;

/** A bar on a terminal that says how far something is, how fast, and how long it will take; elsewhere nothing. */
export class ProgressBar {
  readonly #stream: TextStream;
  readonly #total: number;
  readonly #begun = performance.now();

  constructor(stream: TextStream, total: number) {
    this.#stream = stream;
    this.#total = total;
  }

  show(done: number, note: string): void {
    if (this.#stream.isTTY !== true) return;
    const seconds = (performance.now() - this.#begun) / 1000;
    const filled = Math.round((CELLS * done) / this.#total);
    const left = Math.round((seconds / done) * (this.#total - done));
    const bar = `${'█'.repeat(filled)}${'░'.repeat(CELLS - filled)}`;
    const rate = (done / seconds).toFixed(2);
    this.#stream.write(`\r${bar} ${done}/${this.#total}  ${note}  ${rate} seeds/s  ${left} s left \u001b[K`);
  }

  end(): void {
    if (this.#stream.isTTY === true) this.#stream.write('\r\u001b[K');
  }
}
