import type { Nanos, Stamped } from '@quorate/kernel';
import { EventKind, type EventTap } from '../event-tap.js';
import { type Cards, FrameCapture, type FrameCaptureOptions } from './frame-capture.js';

/** Facts about the copies of a frame. */
type CopyFact = Stamped & {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly reason?: string;
};

/** Captures the frames of a run as it happens, with no trace in between. It is told in the order of the run. */
export class RunCapture implements EventTap {
  /** Kinds of facts that it has to be told. */
  static readonly kinds: readonly string[] = ['network.sent', 'network.dropped'];

  readonly #capture: FrameCapture;
  /** On its way out of a card; the fact about its first copy says which. */
  #frame: Uint8Array | undefined;

  /** `sink` gets the file piece by piece, each valid during that call only. */
  constructor(cards: Cards, sink: (bytes: Uint8Array) => void, options?: FrameCaptureOptions) {
    this.#capture = new FrameCapture(cards, sink, options);
  }

  event(now: Nanos, _seq: number, kind: number, node: number, id: number, _b: number, bytes: Uint8Array): void {
    if (kind === EventKind.receive) this.arrives(now, node, id, bytes);
  }

  /** A copy reaches a card: for drivers that give no other events. */
  arrives(at: Nanos, node: number, id: number, bytes: Uint8Array): void {
    this.#capture.received(at, node, id, bytes);
  }

  sends(frame: Uint8Array): void {
    this.#frame = frame.slice();
  }

  submits(): void {
    // Commands to the disks are no frames.
  }

  fact(fact: Stamped): void {
    const { kind, at, from, to, id, reason } = fact as CopyFact;
    if (kind === 'network.dropped') return this.#capture.dropped(at, from, id, to, reason ?? '');
    if (kind !== 'network.sent') return;
    if (this.#frame !== undefined) this.#capture.sent(at, from, this.#frame);
    this.#frame = undefined;
    this.#capture.copied(at, from, id);
  }
}
