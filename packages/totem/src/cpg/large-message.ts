import { PartialType } from './cpg-message.js';

/** Longest message that is sent, and put together, in fragments: 64 MiB. */
export const MAX_LARGE_PAYLOAD_BYTES: number = 64 * 1024 * 1024;

/** A fragment that is to go out next. */
export interface Fragment {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** A message of a local process that is too long for one, and on its way in fragments. */
export class LargeMessage {
  readonly group: string;
  readonly pid: number;
  readonly length: number;
  /** Configuration changes that the process had been told of when it began: one more, and the message is given up. */
  readonly transitions: number;
  readonly #payload: Uint8Array;
  readonly #fragmentBytes: number;
  #sent = 0;

  /** Copies the payload. */
  constructor(group: string, pid: number, payload: Uint8Array, transitions: number, fragmentBytes: number) {
    this.group = group;
    this.pid = pid;
    this.length = payload.length;
    this.transitions = transitions;
    this.#payload = payload.slice();
    this.#fragmentBytes = fragmentBytes;
  }

  get isSent(): boolean {
    return this.#sent === this.length;
  }

  /** How long the next fragment is. */
  get nextBytes(): number {
    return Math.min(this.#fragmentBytes, this.length - this.#sent);
  }

  next(): Fragment {
    const isFirst = this.#sent === 0;
    const payload = this.#payload.subarray(this.#sent, this.#sent + this.nextBytes);
    this.#sent += payload.length;
    return { type: isFirst ? PartialType.first : this.isSent ? PartialType.last : PartialType.continued, payload };
  }
}

/** Fragments of messages that others send, by the process that sends them. */
export class LargeMessageAssembly {
  readonly #begun = new Map<string, { readonly length: number; received: number; bytes: Uint8Array }>();

  forget(sender: string): void {
    this.#begun.delete(sender);
  }

  /**
   * Takes the next fragment of a message of `length` bytes; the message when it is whole. Without its beginning, or longer
   * than announced, it is none.
   */
  take(sender: string, { type, payload }: Fragment, length: number): Uint8Array | undefined {
    if (type === PartialType.first) this.#begun.set(sender, { length, received: 0, bytes: new Uint8Array(0) });
    const message = this.#begun.get(sender);
    if (message === undefined) return undefined;
    const end = message.received + payload.length;
    if (end > message.length || message.length !== length || length > MAX_LARGE_PAYLOAD_BYTES) {
      this.#begun.delete(sender);
      return undefined;
    }
    if (end > message.bytes.length) {
      // As much as came, not as much as was announced.
      const grown = new Uint8Array(Math.min(length, Math.max(end, 2 * message.bytes.length)));
      grown.set(message.bytes.subarray(0, message.received));
      message.bytes = grown;
    }
    message.bytes.set(payload, message.received);
    message.received = end;
    if (type !== PartialType.last) return undefined;
    this.#begun.delete(sender);
    return end === length ? message.bytes : undefined;
  }
}
