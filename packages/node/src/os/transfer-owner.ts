import type { Errno } from '@quorate/kernel';

/** Who gets the completion of a block transfer. */
export interface TransferOwner {
  /** `data` is lent; empty unless it was a read that succeeded. */
  transferDone(id: number, data: Uint8Array, error: Errno | undefined): void;
}
