import { MILLISECOND, type Nanos } from '@quorate/kernel';
import type { DlmHost, DlmNews, DlmNode } from '../client/dlm-node.js';
import { Prefixes } from '../packet-header.js';

/** What is used of a `MessagePort`; those of browsers and of `node:worker_threads` fit. */
export interface MessagePortLike {
  postMessage(message: Uint8Array): void;
  addEventListener(type: 'message', listener: (event: object) => void): void;
  start(): void;
}

/** What a thread has and ECMAScript has not. */
export interface PortHostConfig {
  /** By node id: a port to the thread of each other node. */
  readonly ports: ReadonlyMap<number, MessagePortLike>;
  /** Monotonic, in milliseconds: `() => performance.now()`. */
  clock(): number;
  /** `setTimeout` */
  setTimer(callback: () => void, milliseconds: number): unknown;
  /** Calls back when the messages at hand are dealt with: `setImmediate`. Without it messages are smaller under load. */
  defer?(callback: () => void): void;
  onNews?(news: DlmNews): void;
}

/** Packets for one node that have not left yet, one after the other. */
interface Outbox {
  readonly port: MessagePortLike;
  readonly bytes: Uint8Array;
  readonly prefixes: Prefixes;
  length: number;
}

/** Four packets of the greatest length. */
const OUTBOX_BYTES = 16_384;
/** Longer ones are rare enough to be allocated each time. */
const MAX_FRAME_BYTES = 512;
/** A message of more than about four packets. */
const BUSY_BYTES = 512;
/** A message of at most two packets, as of somebody who gives a lock back and asks for it again. */
const SHORT_BYTES = 256;

/**
 * Threads as nodes: each has a port to each other one. What one turn of a thread's event loop says to a node goes out as one
 * message, or several if it is much. Only what a short message calls for first from another node does not wait for the rest: that
 * node is granted the lock that was given back.
 *
 * Ports lose nothing and keep the order, so protocol 3.1 (`DlmConfig.protocol`) does: it has no acknowledgements.
 */
export class PortHost implements DlmHost {
  readonly #config: PortHostConfig;
  /** Its reactions come when the running turn is over. */
  readonly #turn: Promise<void> = Promise.resolve();
  readonly #outboxes = new Map<number, Outbox>();
  /** By length: what was posted is free again at once, and to allocate it costs more than to fill it. */
  readonly #frames: (Uint8Array | undefined)[] = [];
  readonly #gather: () => void;
  readonly #flush: () => void;
  #isFlushDue = false;
  #isDeferred = false;
  /** A short message is being dealt with, and nobody but its speaker has been told anything yet. */
  #isUrgent = false;
  /** The last message had many packets. */
  #isBusy = false;
  /** Whose message is being dealt with, or was last. */
  #speaker: Outbox | undefined = undefined;
  #node: DlmNode | undefined = undefined;
  /** Infinity before: were it 0, engines would lay this out anew when an instant comes that is no small integer. */
  #now: Nanos = Infinity;

  constructor(config: PortHostConfig) {
    this.#config = config;
    for (const [nodeId, port] of config.ports) {
      const bytes = new Uint8Array(OUTBOX_BYTES);
      this.#outboxes.set(nodeId, { port, bytes, prefixes: new Prefixes(bytes), length: 0 });
    }
    this.#gather = () => this.#onGathered();
    this.#flush = () => this.#onFlush();
  }

  /** Connects the node to the others; once, before its first `open`. */
  attach(node: DlmNode): void {
    this.#node = node;
    for (const [peer, outbox] of this.#outboxes) {
      const { port } = outbox;
      node.step({ kind: 'connected', node: peer });
      port.addEventListener('message', ({ data }: { readonly data?: unknown }) => {
        if (!(data instanceof Uint8Array)) return;
        this.#speaker = outbox;
        this.#receive(node, peer, data);
      });
      port.start();
    }
  }

  /** One turn of the event loop is one instant, as it is for timers. */
  now(): Nanos {
    if (!this.#isFlushDue) this.#now = this.#read();
    return this.#now;
  }

  #read(): Nanos {
    return Math.round(this.#config.clock() * MILLISECOND);
  }

  send(to: number, bytes: Uint8Array): void {
    const outbox = this.#outboxes.get(to);
    if (outbox === undefined) return;
    // So that it can be dealt with while there is more to say.
    if (outbox.length + bytes.length > OUTBOX_BYTES) this.#post(outbox);
    outbox.bytes.set(bytes, outbox.length);
    outbox.length += bytes.length;
    if (this.#isUrgent && outbox !== this.#speaker) {
      this.#isUrgent = false;
      return this.#post(outbox);
    }
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    void this.#turn.then(this.#gather);
  }

  wakeAt(at: Nanos): void {
    this.#config.setTimer(() => this.#node?.wake(), Math.max(0, (at - this.#read()) / MILLISECOND));
  }

  onNews(news: DlmNews): void {
    this.#config.onNews?.(news);
  }

  #receive(node: DlmNode, peer: number, bytes: Uint8Array): void {
    this.#isBusy = bytes.length > BUSY_BYTES;
    this.#isUrgent = bytes.length <= SHORT_BYTES;
    node.receive(peer, bytes);
    this.#isUrgent = false;
    // What the message called for is complete.
    this.#onGathered();
  }

  /** Where much is under way the next message follows soon, and what it calls for goes along. */
  #onGathered(): void {
    if (!this.#isFlushDue || this.#isDeferred) return;
    if (!this.#isBusy || this.#config.defer === undefined) return this.#onFlush();
    this.#isDeferred = true;
    this.#config.defer(this.#flush);
  }

  /** Who spoke last hears last: the lock that it gave back is granted to another one, which has waited longer. */
  #onFlush(): void {
    this.#isFlushDue = this.#isDeferred = false;
    const speaker = this.#speaker;
    for (const outbox of this.#outboxes.values()) {
      if (outbox !== speaker && outbox.length > 0) this.#post(outbox);
    }
    if (speaker !== undefined && speaker.length > 0) this.#post(speaker);
  }

  #post(outbox: Outbox): void {
    outbox.port.postMessage(this.#frame(outbox));
    outbox.length = 0;
  }

  /** An array with nothing around it: a port copies all of the memory that an array is a part of. */
  #frame({ bytes, prefixes, length }: Outbox): Uint8Array {
    if (length > MAX_FRAME_BYTES) return bytes.slice(0, length);
    let frame = this.#frames[length];
    if (frame === undefined) {
      frame = new Uint8Array(length);
      this.#frames[length] = frame;
    }
    frame.set(prefixes.of(length));
    return frame;
  }
}
