/** So many characters are kept. */
const SIZE = 1024 * 1024;
/** A line is cut at so many characters, its end of line included. */
const LINE_MAX = 254;

/**
 * The newest of what a daemon has logged, of every priority: what `fence_tool dump`, `dlm_tool dump` and `gfs_control dump`
 * print.
 *
 * Source: cluster.git fence/fenced/main.c, `daemon_dump_save`, `FENCED_DUMP_SIZE`; the other daemons have the same.
 */
export class DebugBuffer {
  readonly #size: number;
  readonly #lines: string[] = [];
  #length = 0;

  /** @param size in characters. */
  constructor(size: number = SIZE) {
    this.#size = size;
  }

  /** @param time wall clock second. */
  add(time: number, text: string): void {
    const line = `${time} ${text}\n`.slice(0, LINE_MAX);
    this.#lines.push(line);
    this.#length += line.length;
    // The oldest line may have lost its beginning: it counts as long as its end is inside.
    while (this.#length - this.#lines[0]!.length >= this.#size) this.#length -= this.#lines.shift()!.length;
  }

  /** Oldest first; when older ones were lost the first line may have lost its beginning. */
  text(): string {
    return this.#lines.join('').slice(-this.#size);
  }
}
