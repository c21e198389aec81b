import { seqAdd, seqBefore, seqDistance } from './sequence.js';

interface Piece {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Pieces of a stream that came before what belongs in front of them. */
export class OutOfOrder {
  /** By sequence number; pieces may overlap. */
  readonly #pieces: Piece[] = [];

  get size(): number {
    return this.#pieces.length;
  }

  /** Copies the bytes in. What is already held is not held twice. */
  add(seq: number, bytes: Uint8Array): void {
    let at = this.#pieces.length;
    while (at > 0 && seqBefore(seq, this.#pieces[at - 1]!.seq)) at -= 1;
    const before = this.#pieces[at - 1];
    const isHeld = before !== undefined && seqDistance(seq, before.seq) + bytes.length <= before.bytes.length;
    if (!isHeld) this.#pieces.splice(at, 0, { seq, bytes: bytes.slice() });
  }

  /** Removes the next bytes that continue the stream at `rcvNxt`; undefined when there is a gap, or nothing. */
  take(rcvNxt: number): Uint8Array | undefined {
    for (;;) {
      const piece = this.#pieces[0];
      if (piece === undefined || seqBefore(rcvNxt, piece.seq)) return undefined;
      this.#pieces.shift();
      if (seqBefore(rcvNxt, seqAdd(piece.seq, piece.bytes.length))) {
        return piece.bytes.subarray(seqDistance(rcvNxt, piece.seq));
      }
    }
  }
}
