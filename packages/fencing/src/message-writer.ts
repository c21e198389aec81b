import { ByteWriter } from '@quorate/kernel';
import { type Change, changeInfoOf, findMember } from './domain-change.js';
import {
  MessageType,
  type Protocol,
  type Version,
  writeChangeInfo,
  writeHeader,
  writeNodeInfo,
  writeProtocol,
} from './message.js';
import { type NodeHistory, nodeInfoOf } from './node-history.js';

/** Writes a daemon's messages into one buffer of its own: what a method returns is valid until the next one is called. */
export class MessageWriter {
  readonly #me: number;
  readonly #writer = new ByteWriter(true, 512);
  #version: Version = [0, 0, 0];

  constructor(me: number) {
    this.#me = me;
  }

  /** The protocol that runs, which every message of the domain names. */
  set version(version: Version) {
    this.#version = version;
  }

  protocol(protocol: Protocol): Uint8Array {
    writeHeader(this.#writer.reset(), {
      version: [0, 0, 0],
      type: MessageType.PROTOCOL,
      from: this.#me,
      flags: 0,
      data: 0,
    });
    writeProtocol(this.#writer, protocol);
    return this.#writer.bytes();
  }

  /** START or COMPLETE: the change, and what is known of every node. */
  change(
    type: number,
    flags: number,
    change: Change,
    startedCount: number,
    history: ReadonlyMap<number, NodeHistory>,
  ): Uint8Array {
    this.#header(type, flags, change.seq);
    writeChangeInfo(this.#writer, changeInfoOf(change, startedCount), history.size);
    for (const past of history.values()) {
      writeNodeInfo(this.#writer, nodeInfoOf(past, findMember(change, past.nodeId) !== undefined));
    }
    return this.#writer.bytes();
  }

  /** `past` has who fenced the victim, how and when. */
  victimDone(flags: number, seq: number, past: NodeHistory): Uint8Array {
    this.#header(MessageType.VICTIM_DONE, flags, seq);
    writeNodeInfo(this.#writer, { ...nodeInfoOf(past, false), externalBy: 0, externalTime: 0 });
    return this.#writer.bytes();
  }

  external(victim: number): Uint8Array {
    this.#header(MessageType.EXTERNAL, 0, victim);
    return this.#writer.bytes();
  }

  #header(type: number, flags: number, data: number): void {
    writeHeader(this.#writer.reset(), { version: this.#version, type, from: this.#me, flags, data });
  }
}
