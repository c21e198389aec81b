import type { Nanos, Stamped } from '@quorate/kernel';
import { ClusterPicture, type Progress } from '@quorate/lab';
import { createLogUpdate } from 'log-update';
import type { Colours, TextStream } from '../command-io.js';
import { type FrameSize, frameOf, LEAST_SIZE, type StepPicture } from './frame.js';
import type { View } from './view.js';

export interface LiveViewConfig {
  readonly stream: TextStream;
  readonly colours: Colours;
  /** Host names in the order of the node ids. */
  readonly machines: readonly string[];
  /** Cluster seconds per second, at most. */
  readonly speed: number;
  /** Milliseconds on any clock. */
  readonly clock: () => number;
}

/** At most ten frames a second: the terminal is the slowest part of the run. */
const FRAME_MS = 100;

const AFTERWARDS = 'the steps are over, the cluster is shut down';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

/** Whether a live view makes sense there: on a terminal that moves its cursor, and has room. */
export function takesLiveView(stream: TextStream, term: string | undefined): boolean {
  const { columns, rows } = sizeOf(stream);
  return stream.isTTY === true && term !== 'dumb' && columns >= LEAST_SIZE.columns && rows >= LEAST_SIZE.rows;
}

/** The whole cluster on one screen: machines, quorum, service, the browser's last minute, and the step. */
export class LiveView implements View {
  readonly kinds: readonly string[];
  readonly #config: LiveViewConfig;
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #cluster: ClusterPicture;
  #step: StepPicture = { title: 'disks are formatted', number: 0, of: 0, startedAt: 0, observed: [] };
  #lostSlices = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #isCursorHidden = false;

  constructor(config: LiveViewConfig) {
    this.#config = config;
    // Its own way with the cursor is about stderr, and this is not where we draw.
    this.#update = createLogUpdate(config.stream, { showCursor: true });
    this.#cluster = new ClusterPicture(config.machines);
    this.kinds = this.#cluster.kinds;
    this.#draw(true);
  }

  progress(at: Nanos, progress: Progress): void {
    this.#cluster.at = at;
    switch (progress.kind) {
      case 'step-began': {
        const { title, number, of } = progress;
        this.#step = { title, number, of, startedAt: at, observed: [] };
        break;
      }
      case 'observed':
        this.#step = { ...this.#step, observed: [...this.#step.observed, progress.observed] };
        break;
      case 'step-ended':
        // What comes after the last step is in nobody's figures.
        if (this.#step.number === this.#step.of) this.#step = { ...this.#step, title: AFTERWARDS, startedAt: at };
        break;
    }
    this.#draw(true);
  }

  fact(fact: Stamped): void {
    this.#cluster.hear(fact);
    this.#draw(false);
  }

  lost(slices: number): void {
    this.#lostSlices = slices;
    this.#draw(false);
  }

  /** Leaves the last frame standing, and the cursor below it. */
  end(): void {
    this.#draw(true);
    this.#update.done();
    this.#showCursor();
  }

  #draw(isUrgent: boolean): void {
    const now = this.#config.clock();
    if (!isUrgent && now - this.#drawnAt < FRAME_MS) return;
    this.#drawnAt = now;
    this.#hideCursor();
    const content = {
      cluster: this.#cluster,
      step: this.#step,
      speed: this.#config.speed,
      lostSlices: this.#lostSlices,
    };
    const lines = frameOf(content, sizeOf(this.#config.stream), this.#config.colours);
    // Changes are drawn line by line where the lines stand; after a new size they stand elsewhere.
    if (lines.length !== this.#lines) this.#update.clear();
    this.#lines = lines.length;
    // log-update 7.2 loses count of its lines when the last one that changed is empty: ours have a blank.
    this.#update(lines.map((line) => line || ' ').join('\n'));
  }

  #hideCursor(): void {
    if (this.#isCursorHidden) return;
    this.#isCursorHidden = true;
    this.#config.stream.write(HIDE_CURSOR);
    process.once('exit', this.#showCursor);
  }

  /** However the process leaves, its terminal has a cursor. */
  readonly #showCursor = (): void => {
    if (!this.#isCursorHidden) return;
    this.#isCursorHidden = false;
    this.#config.stream.write(SHOW_CURSOR);
    process.off('exit', this.#showCursor);
  };
}

function sizeOf({ columns, rows }: TextStream): FrameSize {
  return { columns: columns ?? 80, rows: rows ?? 24 };
}
