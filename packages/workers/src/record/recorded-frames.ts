import { decodeMulti } from '@msgpack/msgpack';
import type { Fact, Nanos, Seed, Stamped } from '@quorate/kernel';
import type { Topology } from '@quorate/lab';
import { type FrameTap, Segment, type SegmentInput } from '../worker/segment.js';
import type { RecordPiece } from './machine-recorder.js';
import type { Recording } from './recording.js';

/** Whoever wants to hear of the frames of a recorded run. */
export interface FrameWatcher extends FrameTap {
  /** Facts of the network: which copies a frame has, and what becomes of them. */
  fact(fact: Stamped): void;
}

/**
 * Steps the network of a run once more through what it was stepped with, and tells of every frame: those of the machines are among
 * its inputs, those of the other hosts come up again.
 */
export class RecordedFrames {
  readonly #segment: Segment;
  #now: Nanos = 0;

  constructor(topology: Topology, seed: Seed, watcher: FrameWatcher) {
    this.#segment = new Segment({
      topology,
      seed,
      frames: watcher,
      observe: (fact: Fact) => watcher.fact(Object.assign(fact, { node: 0, life: 0, seq: 0, at: this.#now })),
    });
  }

  step(at: Nanos, input: SegmentInput): void {
    this.#now = at;
    this.#segment.step(at, input, () => {});
  }

  /** Takes a piece of the network's own record, as its worker has just written it. */
  piece({ inputs }: RecordPiece): void {
    for (const document of decodeMulti(new Uint8Array(inputs))) {
      const [at, input] = document as [Nanos, SegmentInput];
      this.step(at, input);
    }
  }
}

/**
 * Tells of every frame of a recording. `topology` is that of the recorded run.
 *
 * @throws {RecordingError} when the recording is broken.
 */
export function watchFrames(recording: Recording, topology: Topology, watcher: FrameWatcher): void {
  const frames = new RecordedFrames(topology, recording.header.seed, watcher);
  const part = recording.header.parts.findIndex(({ kind }) => kind === 'switch');
  for (const { at, input } of part < 0 ? [] : recording.inputs(part)) frames.step(at, input as unknown as SegmentInput);
}
