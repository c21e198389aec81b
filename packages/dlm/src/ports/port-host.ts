import { MILLISECOND, type Nanos } from '@quorate/kernel';
import type { DlmHost, DlmNews, DlmNode } from '../client/dlm-node.js';

/** What is used of a `MessagePort`; those of browsers and of `node:worker_threads` fit. */
export interface MessagePortLike {
  postMessage(message: Uint8Array): void;
  addEventListener(type: 'message', listener: (event: { readonly data?: unknown }) => void): void;
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
  /** Calls back when what is at hand is done: until then packets are gathered. After the promise jobs at hand when absent. */
  defer?(callback: () => void): void;
  onNews?(news: DlmNews): void;
}

/** Packets for one node that have not left yet, one after the other. */
interface Outbox {
  readonly port: MessagePortLike;
  bytes: Uint8Array;
  length: number;
}

const OUTBOX_BYTES = 16_384;

/**
 * Threads as nodes: each has a port to each other one. What one turn of a thread's event loop says to a node goes out as one
 * message, a copy of the packets' bytes.
 *
 * Ports lose nothing and keep the order, so protocol 3.1 (`DlmConfig.protocol`) does: it has no acknowledgements.
 */
export class PortHost implements DlmHost {
  readonly #config: PortHostConfig;
  readonly #outboxes = new Map<number, Outbox>();
  readonly #flush: () => void;
  #isFlushDue = false;
  #node: DlmNode | undefined = undefined;

  constructor(config: PortHostConfig) {
    this.#config = config;
    for (const [nodeId, port] of config.ports) {
      this.#outboxes.set(nodeId, { port, bytes: new Uint8Array(OUTBOX_BYTES), length: 0 });
    }
    this.#flush = () => this.#onFlush();
  }

  /** Connects the node to the others; once, before its first `open`. */
  attach(node: DlmNode): void {
    this.#node = node;
    for (const [peer, { port }] of this.#outboxes) {
      node.step({ kind: 'connected', node: peer });
      port.addEventListener('message', ({ data }) => {
        if (data instanceof Uint8Array) node.receive(peer, data);
      });
      port.start();
    }
  }

  now(): Nanos {
    return Math.round(this.#config.clock() * MILLISECOND);
  }

  send(to: number, bytes: Uint8Array): void {
    const outbox = this.#outboxes.get(to);
    if (outbox === undefined) return;
    if (outbox.length + bytes.length > outbox.bytes.length) grow(outbox, bytes.length);
    outbox.bytes.set(bytes, outbox.length);
    outbox.length += bytes.length;
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    if (this.#config.defer !== undefined) this.#config.defer(this.#flush);
    else void Promise.resolve().then(this.#flush);
  }

  wakeAt(at: Nanos): void {
    this.#config.setTimer(() => this.#node?.wake(), Math.max(0, (at - this.now()) / MILLISECOND));
  }

  onNews(news: DlmNews): void {
    this.#config.onNews?.(news);
  }

  #onFlush(): void {
    this.#isFlushDue = false;
    for (const outbox of this.#outboxes.values()) {
      if (outbox.length === 0) continue;
      outbox.port.postMessage(outbox.bytes.slice(0, outbox.length));
      outbox.length = 0;
    }
  }
}

function grow(outbox: Outbox, more: number): void {
  const bytes = new Uint8Array(2 * (outbox.length + more));
  bytes.set(outbox.bytes.subarray(0, outbox.length));
  outbox.bytes = bytes;
}
