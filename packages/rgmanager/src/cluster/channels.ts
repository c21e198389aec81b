import { ByteWriter, type Nanos, type Task } from '@quorate/kernel';
import { Mailbox } from '../runtime/mailbox.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Members } from './members.js';
import { type MessageDefect, type RgMessage, readMessage, writeMessage } from './message.js';
import { Control, PORT_HEADER_BYTES, type PortHeader, readPortHeader, writePortHeader } from './port-header.js';

/** Ends of conversations that a node can have, the one that everybody hears included. */
const MAX_CONTEXTS = 128;

/** What a conversation's reader gets. */
export type Received = RgMessage | 'closed';

/** A message that cman would not take, and whom it is for; 0: all. */
interface Kept {
  readonly to: number;
  readonly payload: Uint8Array;
}

/** A conversation of two nodes over cman's datagrams. */
export class Channel {
  readonly node: number;
  readonly localContext: number;
  readonly inbox: Mailbox<Received>;
  /** 0: not open yet, or closed by the other node. */
  remoteContext: number;

  constructor(node: number, localContext: number, remoteContext: number, inbox: Mailbox<Received>) {
    this.node = node;
    this.localContext = localContext;
    this.remoteContext = remoteContext;
    this.inbox = inbox;
  }
}

export interface ChannelEvents {
  /** Another node opened a conversation; it says what it wants in its first message. */
  accepted(channel: Channel): void;
  /** A message to everybody, our own included. */
  broadcast(from: number, message: RgMessage): void;
  rejected(from: number, reason: MessageDefect): void;
}

/**
 * Conversations with other rgmanagers on cman's port 177.
 *
 * Differs from rgmanager: cman takes nothing on that port without quorum, and a node without it may still be a member, whose answer
 * others wait for, the original's for ever. What ends a conversation or a proposal is sent when there is quorum again.
 *
 * Source: rgmanager src/clulib/msg_cluster.c.
 */
export class Channels {
  readonly #runtime: Runtime;
  readonly #members: Members;
  readonly #events: ChannelEvents;
  readonly #channels = new Map<number, Channel>();
  readonly #opening = new Map<number, () => void>();
  readonly #writer = new ByteWriter(false, 512);
  #kept: Kept[] = [];
  #lastContext = 1;

  constructor(runtime: Runtime, members: Members, events: ChannelEvents) {
    this.#runtime = runtime;
    this.#members = members;
    this.#events = events;
  }

  /** Opens a conversation; undefined when that node did not answer in time, or all ends are in use. */
  *open(node: number, timeout: Nanos): Task<Channel | undefined> {
    const channel = this.#newChannel(node, 0);
    if (channel === undefined) return undefined;
    const isOpen = yield* this.#runtime.waitFor<true>(timeout, (resume) => {
      this.#opening.set(channel.localContext, () => resume(true));
      this.#control(channel, Control.OPEN);
    });
    this.#opening.delete(channel.localContext);
    if (isOpen) return channel;
    this.close(channel);
    return undefined;
  }

  send(channel: Channel, message: RgMessage): void {
    this.#emit({ ...this.#headerOf(channel), control: Control.DATA }, message);
  }

  close(channel: Channel): void {
    if (this.#channels.get(channel.localContext) !== channel) return;
    this.#channels.delete(channel.localContext);
    if (channel.remoteContext !== 0) this.#control(channel, Control.CLOSE);
  }

  /**
   * These nodes are gone: whoever waits for them hears that the conversation is over.
   *
   * Differs from rgmanager: it would look every 10 s whether they are there, and not notice one that is back by then.
   */
  membersLost(lost: readonly number[]): void {
    this.#kept = this.#kept.filter(({ to }) => !lost.includes(to));
    for (const channel of [...this.#channels.values()]) {
      if (!lost.includes(channel.node)) continue;
      channel.remoteContext = 0;
      channel.inbox.put('closed');
    }
  }

  /**
   * Whoever waits for another node hears that the conversation is over: it is no member for this one. The other may be there all the same,
   * wait for an answer, and hear when this node has no more to say.
   */
  stopListening(): void {
    for (const channel of this.#channels.values()) channel.inbox.put('closed');
  }

  /** cman takes messages again. */
  quorumRegained(): void {
    for (const { to, payload } of this.#kept.splice(0)) this.#runtime.emit({ kind: 'send', to, payload });
  }

  /** To all rgmanagers, this one included. */
  broadcast(message: RgMessage): void {
    const everybody = { sourceContext: 0, sourceNode: this.#members.here, destinationContext: 0, destinationNode: 0 };
    this.#emit({ ...everybody, control: Control.DATA }, message);
  }

  onMessage(from: number, payload: Uint8Array): void {
    const header = readPortHeader(payload);
    if (header === undefined) return this.#events.rejected(from, 'truncated');
    if (header.destinationNode !== 0 && header.destinationNode !== this.#members.here) return;
    if (header.destinationContext !== 0) return this.#onContext(from, header, payload);
    if (header.control === Control.OPEN) return this.#onOpen(from, header.sourceContext);
    if (header.control === Control.DATA) this.#onBroadcast(from, payload);
  }

  /** Number of conversations under way. */
  get size(): number {
    return this.#channels.size;
  }

  #onOpen(from: number, remoteContext: number): void {
    // Whoever opens it gives up when it is not answered, and turns to another node.
    if (!this.#members.isQuorate) return;
    const channel = this.#newChannel(from, remoteContext);
    if (channel === undefined) return;
    this.#control(channel, Control.OPEN_ACK);
    this.#events.accepted(channel);
  }

  #onBroadcast(from: number, payload: Uint8Array): void {
    const message = readMessage(payload.subarray(PORT_HEADER_BYTES));
    if (typeof message === 'string') this.#events.rejected(from, message);
    else this.#events.broadcast(from, message);
  }

  /** A message for one end; that of an end that is closed by now is nobody's. */
  #onContext(from: number, header: PortHeader, payload: Uint8Array): void {
    const channel = this.#channels.get(header.destinationContext);
    if (channel === undefined || channel.node !== from) return;
    switch (header.control) {
      case Control.OPEN_ACK:
        channel.remoteContext = header.sourceContext;
        this.#opening.get(channel.localContext)?.();
        break;
      case Control.CLOSE:
        channel.remoteContext = 0;
        channel.inbox.put('closed');
        break;
      case Control.DATA: {
        const message = readMessage(payload.subarray(PORT_HEADER_BYTES));
        if (typeof message === 'string') this.#events.rejected(from, message);
        else channel.inbox.put(message);
      }
    }
  }

  /** The next number that is free, going round. */
  #newChannel(node: number, remoteContext: number): Channel | undefined {
    for (let tries = 1; tries < MAX_CONTEXTS; tries++) {
      this.#lastContext = this.#lastContext + 1 >= MAX_CONTEXTS ? 1 : this.#lastContext + 1;
      if (this.#channels.has(this.#lastContext)) continue;
      const channel = new Channel(node, this.#lastContext, remoteContext, new Mailbox(this.#runtime));
      this.#channels.set(this.#lastContext, channel);
      return channel;
    }
    return undefined;
  }

  #headerOf(channel: Channel): Omit<PortHeader, 'control'> {
    return {
      sourceContext: channel.localContext,
      sourceNode: this.#members.here,
      destinationContext: channel.remoteContext,
      destinationNode: channel.node,
    };
  }

  #control(channel: Channel, control: number): void {
    this.#emit({ ...this.#headerOf(channel), control }, undefined);
  }

  #emit(header: PortHeader, message: RgMessage | undefined): void {
    const writer = this.#writer.reset();
    writePortHeader(writer, header);
    if (message !== undefined) writeMessage(writer, message);
    const to = header.destinationNode;
    if (!this.#members.isQuorate && isWaitedFor(header, message)) {
      this.#kept.push({ to, payload: writer.bytes().slice() });
      return;
    }
    this.#runtime.emit({ kind: 'send', to, payload: writer.bytes() });
  }
}

/** Within a conversation, or the end of a proposal. */
function isWaitedFor({ destinationContext }: PortHeader, message: RgMessage | undefined): boolean {
  return destinationContext !== 0 || message?.kind === 'formed' || message?.kind === 'abort';
}
