import type { Fact, Nanos, Stamped } from '@quorate/kernel';
import type { Topology } from '@quorate/lab';
import { type FrameTap, Segment, type SegmentInput } from '../worker/segment.js';
import type { Recording } from './recording.js';

/** Whoever wants to hear of the frames of a recorded run. */
export interface FrameWatcher extends FrameTap {
  /** Facts of the network: which copies a frame has, and what becomes of them. */
  fact(fact: Stamped): void;
}

/**
 * Steps the network of a recording through what it was stepped with, and tells of every frame: those of the machines are among its
 * inputs, those of the other hosts come up again. `topology` is that of the recorded run.
 *
 * @throws {RecordingError} when the recording is broken.
 */
export function watchFrames(recording: Recording, topology: Topology, watcher: FrameWatcher): void {
  let now: Nanos = 0;
  const segment = new Segment({
    topology,
    seed: recording.header.seed,
    frames: watcher,
    observe: (fact: Fact) => watcher.fact(Object.assign(fact, { node: 0, life: 0, seq: 0, at: now })),
  });
  const part = recording.header.parts.findIndex(({ kind }) => kind === 'switch');
  for (const { at, input } of part < 0 ? [] : recording.inputs(part)) {
    now = at;
    segment.step(at, input as unknown as SegmentInput, () => {});
  }
}
