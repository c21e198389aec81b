import type { Errno } from '@quorate/kernel';
import type { TransferOwner } from './transfer-owner.js';

const NOTHING = new Uint8Array(0);

/** A transfer in several parts, for an owner who hears of one: it ends with its last part, and fails with the first that does. */
export class JoinedTransfer implements TransferOwner {
  readonly #owner: TransferOwner;
  readonly #id: number;
  readonly #data: Uint8Array;
  #left: number;
  #error: Errno | undefined;

  /** `data` is filled by the parts of a read, and empty for others. There is at least one part. */
  constructor(owner: TransferOwner, id: number, parts: number, data: Uint8Array) {
    this.#owner = owner;
    this.#id = id;
    this.#left = parts;
    this.#data = data;
  }

  /** `offset` is the place of the part in the transfer, in bytes. */
  transferDone(offset: number, data: Uint8Array, error: Errno | undefined): void {
    this.#error ??= error;
    if (this.#data.length > 0 && error === undefined) this.#data.set(data, offset);
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#owner.transferDone(this.#id, this.#error === undefined ? this.#data : NOTHING, this.#error);
  }
}
