import type { Nanos } from '@quorate/kernel';
import { nameOf, nodeNames, WORLD_NODE } from '../export/names.js';
import { DRIVER_NODE } from '../layout.js';
import type { TraceHeader } from '../writer.js';
import { Direction } from './pcapng-layout.js';
import { PcapngWriter } from './pcapng-writer.js';

interface Sent {
  readonly at: Nanos;
  readonly node: number;
  readonly bytes: Uint8Array;
}

/** Whose cards are captured. */
export type Cards = Pick<TraceHeader, 'nodes' | 'hosts'>;

export interface FrameCaptureOptions {
  /** Only what this node's card saw; all cards unless told. */
  readonly node?: number | undefined;
}

/**
 * The frames of a run as a pcapng file: one interface for each node's card, each frame where it was sent and where it arrived.
 *
 * A frame that was dropped is there a second time, at its sender and the instant of the drop, with the reason as a comment.
 * Without it a capture of one card is what `tcpdump` shows there.
 */
export class FrameCapture {
  readonly #writer: PcapngWriter;
  readonly #names: ReadonlyMap<number, string>;
  readonly #interfaces = new Map<number, number>();
  /** The frame that was sent last; its copies follow at once. */
  #last: Sent | undefined;
  /** Frames of copies that are under way, by their ids. */
  readonly #copies = new Map<number, Sent>();

  /** `sink` gets the file piece by piece, each valid during that call only. */
  constructor(cards: Cards, sink: (bytes: Uint8Array) => void, { node: only }: FrameCaptureOptions = {}) {
    this.#writer = new PcapngWriter(sink);
    this.#names = nodeNames(cards);
    for (const [node, name] of this.#names) {
      if (node === WORLD_NODE || node === DRIVER_NODE || (only !== undefined && node !== only)) continue;
      this.#interfaces.set(node, this.#writer.addInterface(`${name}.eth0`));
    }
  }

  /** A card puts a frame on the wire; it keeps the bytes. */
  sent(at: Nanos, node: number, bytes: Uint8Array): void {
    this.#last = { at, node, bytes };
    this.#add(node, at, bytes, Direction.outbound);
  }

  /** A copy of the frame that this card has sent just now is under way. Where that was not seen, its bytes are not known. */
  copied(at: Nanos, node: number, id: number): void {
    const last = this.#last;
    if (last?.at === at && last.node === node) this.#copies.set(id, last);
  }

  received(at: Nanos, node: number, id: number, bytes: Uint8Array): void {
    this.#copies.delete(id);
    this.#add(node, at, bytes, Direction.inbound);
  }

  /** `to` is -1 for a frame that came to nothing before it had a receiver. */
  dropped(at: Nanos, node: number, id: number, to: number, reason: string): void {
    const copy = this.#copies.get(id);
    this.#copies.delete(id);
    if (copy === undefined) return;
    const where = to < 0 ? '' : ` on the way to ${nameOf(this.#names, to)}`;
    this.#add(node, at, copy.bytes, Direction.outbound, `dropped${where}: ${reason}`);
  }

  #add(node: number, at: Nanos, bytes: Uint8Array, direction: Direction, comment?: string): void {
    const port = this.#interfaces.get(node);
    if (port !== undefined) this.#writer.add({ interface: port, at, bytes, direction, comment });
  }
}
