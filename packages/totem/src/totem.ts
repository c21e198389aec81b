import { ConfigError, type LogPriority, type Machine, type Nanos, type Observe, type Prng } from '@quorate/kernel';
import type { Configuration } from './configuration.js';
import type { TotemFact } from './fact.js';
import { decodeGroups, encodeGroups } from './group-message.js';
import { type Era, NodeOrder, type TotemNode } from './node-order.js';
import { Packer } from './packer.js';
import { type QueueLevel, queueLevel } from './queue-level.js';
import { MAX_MESSAGE_BYTES, Reassembly } from './reassembly.js';
import { Ring, type RingView } from './ring.js';
import type { NodeId, RingId } from './ring-id.js';
import type { TotemTimings } from './timings.js';
import type { RejectReason } from './wire/header.js';
import { MCAST_HEADER_BYTES } from './wire/mcast.js';

export type TotemInput =
  /** The ring's interface has its address: at the start, and when it comes back. */
  | { readonly kind: 'network-up' }
  /** It has lost it: until it is back this node hears nobody but itself, and says nothing. */
  | { readonly kind: 'network-down' }
  /** A UDP payload from port 5405. */
  | { readonly kind: 'datagram'; readonly bytes: Uint8Array }
  /** A message to a group, at most 1 MiB with its prefix; delivered to everybody, this node included. */
  | {
      readonly kind: 'cast';
      readonly group: string;
      readonly payload: Uint8Array;
      /** Ordered behind the synchronisation that may run. Without it, what is cast while one runs is part of it. */
      readonly afterSync?: boolean;
      /** Delivered only when every member has it, where `safeDelivery` is offered. */
      readonly safe?: boolean;
    }
  /** The services agree in this ring, the one of the last regular configuration: what waited for it may be sent now. */
  | { readonly kind: 'sync-done'; readonly ring: RingId }
  /** Says goodbye to the others; the machine does nothing after it. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'wake' };

export type TotemOutput =
  /** Lent with its bytes: all tokens go out in one and the same object. */
  | { readonly kind: 'unicast'; readonly to: NodeId; readonly bytes: Uint8Array }
  /** To every configured node except this one: its own copy never leaves the machine. */
  | { readonly kind: 'multicast'; readonly bytes: Uint8Array }
  /** The next message of the total order, once for each group it is for. */
  | { readonly kind: 'deliver'; readonly group: string; readonly from: NodeId; readonly payload: Uint8Array }
  | ConfigurationOutput
  /** Write this to stable storage before anything that follows is sent; it is `ringSeq` of the next start. */
  | { readonly kind: 'store-ring-seq'; readonly seq: number }
  /**
   * Look whether the ring's interface has its address, and say `network-up` or `network-down` if that has changed. Asked when the
   * token is lost, and every `downcheck` by a node that is alone or without its address.
   */
  | { readonly kind: 'check-interface' }
  /** The queue is full: cast it again later. */
  | { readonly kind: 'refused'; readonly group: string; readonly reason: 'try-again' }
  /** How full the queue is has changed; it begins low. While it is critical, who casts had better wait. */
  | { readonly kind: 'queue-level'; readonly level: QueueLevel }
  /** A datagram, or what came in one, was dropped. */
  | { readonly kind: 'reject'; readonly reason: RejectReason }
  | { readonly kind: 'log'; readonly priority: LogPriority; readonly text: string }
  | { readonly kind: 'left' };

/** Every regular configuration comes right after a transitional one; of a node's first the members are none. */
export interface ConfigurationOutput extends Configuration {
  readonly kind: 'configuration';
}

export interface TotemConfig {
  readonly nodeId: NodeId;
  /** All nodes that may become members, this one included. */
  readonly nodes: readonly TotemNode[];
  /** Decides who is representative, by node id (`modern`) or by address (`rhel6`), and the words of the log. */
  readonly era: Era;
  readonly timings: TotemTimings;
  /** Last sequence of `store-ring-seq`, over restarts; 0 on a node that never ran. */
  readonly ringSeq: number;
  /** MTU of the ring's network, 1500 unless told. */
  readonly netMtu?: number;
  /**
   * Whether `cast` may ask for safe delivery, which corosync lacks. Only for rings all of whose nodes have it: a corosync
   * among them delivers such a message at once.
   */
  readonly safeDelivery?: boolean;
  /** Source of the random delays of `send_join`; needed when `timings.sendJoin` is not 0. */
  readonly prng?: Prng;
  /** Whether each accepted token is told as a fact, as the rules about tokens need it: on a busy ring, thousands a second. */
  readonly tokenFacts?: boolean;
  readonly observe?: Observe<TotemFact>;
}

export interface TotemView extends RingView {
  readonly nodeId: NodeId;
  readonly hasLeft: boolean;
  readonly rejects: Readonly<Partial<Record<RejectReason, number>>>;
  /** Share of the packet queue that is used, in percent; corosync throttles its clients from 75 on. */
  readonly queueUsedPercent: number;
}

/** What totempg counts off a packet when it estimates how many a message takes. */
const ESTIMATE_OVERHEAD = 24;

/**
 * One node's Totem: membership, total order, packing and groups, in the datagrams of corosync 3.1 over UDP.
 *
 * Source: corosync exec/totemsrp.c (`Ring`) and exec/totempg.c (`Packer`, `Reassembly`), which this joins.
 */
export class Totem implements Machine<TotemInput, TotemOutput> {
  readonly #nodeId: NodeId;
  readonly #ring: Ring;
  /** Packets of messages that belong to a synchronisation are not mixed with others: they go ahead of them. */
  readonly #packer: Packer;
  readonly #transPacker: Packer;
  readonly #reassembly: Reassembly;
  readonly #groups = new Map<string, ReturnType<typeof encodeGroups>>();
  /** Payload of a packet, `net_mtu` after the deduction of two MCAST headers. */
  readonly #netMtu: number;
  readonly #queueCapacity: number;
  readonly #safeDelivery: boolean;
  readonly #rejects = new Map<RejectReason, number>();
  readonly #unicast: { kind: 'unicast'; to: NodeId; bytes: Uint8Array } = {
    kind: 'unicast',
    to: 0,
    bytes: new Uint8Array(0),
  };
  #hasLeft = false;
  #queueLevel: QueueLevel = 'low';
  #emit: (output: TotemOutput) => void = nobody;

  /** @throws {ConfigError} for nodes that cannot form a ring, an MTU below 256, and `send_join` without a `prng`. */
  constructor(config: TotemConfig) {
    const order = new NodeOrder(config.nodes, config.era);
    if (!order.has(config.nodeId)) throw new ConfigError('nodeId', `${config.nodeId}`, 'one of the ids in nodes');
    const netMtu = config.netMtu ?? 1500;
    if (!(netMtu >= 256)) throw new ConfigError('netMtu', `${netMtu}`, 'at least 256');
    if (config.timings.sendJoin > 0 && config.prng === undefined) {
      throw new ConfigError('prng', 'nothing', 'a source of randomness for the delays of send_join');
    }
    this.#nodeId = config.nodeId;
    this.#safeDelivery = config.safeDelivery ?? false;
    this.#netMtu = netMtu - 2 * MCAST_HEADER_BYTES;
    this.#queueCapacity = Math.floor((4 * MAX_MESSAGE_BYTES) / this.#netMtu);
    this.#ring = this.#createRing(config, order);
    this.#packer = new Packer(this.#netMtu, (payload, isSafe) => this.#ring.enqueue(false, payload, isSafe));
    this.#transPacker = new Packer(this.#netMtu, (payload, isSafe) => this.#ring.enqueue(true, payload, isSafe));
    this.#reassembly = new Reassembly((from, message, littleEndian) => this.#onMessage(from, message, littleEndian));
  }

  step(now: Nanos, input: TotemInput, emit: (output: TotemOutput) => void): void {
    if (this.#hasLeft) return;
    this.#emit = emit;
    this.#ring.tick(now);
    this.#on(input);
    this.#tellQueueLevel();
    this.#emit = nobody;
  }

  deadline(): Nanos {
    return this.#ring.deadline();
  }

  inspect(): TotemView {
    return {
      ...this.#ring.inspect(),
      nodeId: this.#nodeId,
      hasLeft: this.#hasLeft,
      rejects: Object.fromEntries(this.#rejects),
      queueUsedPercent: this.#queueUsedPercent,
    };
  }

  get #queueUsedPercent(): number {
    const free = this.#ring.available(this.#ring.isWaitingTransAck);
    return 100 - Math.floor((free * 100) / this.#queueCapacity);
  }

  #tellQueueLevel(): void {
    const level = queueLevel(this.#queueUsedPercent, this.#queueLevel);
    if (level === this.#queueLevel) return;
    this.#queueLevel = level;
    this.#emit({ kind: 'queue-level', level });
  }

  #on(input: TotemInput): void {
    switch (input.kind) {
      case 'network-up':
        return this.#ring.networkUp();
      case 'network-down':
        return this.#ring.networkDown();
      case 'datagram':
        return this.#ring.receive(input.bytes);
      case 'cast':
        return this.#onCast(input);
      case 'sync-done':
        return this.#onSyncDone(input.ring);
      case 'leave':
        return this.#onLeave();
      case 'wake':
        return this.#ring.wake();
    }
  }

  #onCast({ group, payload, afterSync = false, safe = false }: Extract<TotemInput, { kind: 'cast' }>): void {
    if (safe && !this.#safeDelivery) throw new RangeError('a safe message on a ring that does not offer safe delivery');
    const prefix = this.#prefixOf(group);
    const size = prefix.lengths.length + prefix.names.length + payload.length;
    if (size > MAX_MESSAGE_BYTES) throw new RangeError(`a message of ${size} bytes, at most ${MAX_MESSAGE_BYTES}`);
    const isTrans = this.#ring.isWaitingTransAck && !afterSync;
    this.#ring.cancelHold();
    if (this.#ring.available(isTrans) < Math.floor(size / (this.#netMtu - ESTIMATE_OVERHEAD)) + 1) {
      return this.#emit({ kind: 'refused', group, reason: 'try-again' });
    }
    (isTrans ? this.#transPacker : this.#packer).add([prefix.lengths, prefix.names, payload], safe);
  }

  #prefixOf(group: string): ReturnType<typeof encodeGroups> {
    let prefix = this.#groups.get(group);
    if (prefix === undefined) {
      prefix = encodeGroups([group]);
      this.#groups.set(group, prefix);
    }
    return prefix;
  }

  /** What is packed already for the synchronisation keeps its place ahead of everything that waited for its end. */
  #onSyncDone(ring: RingId): void {
    if (!this.#ring.isCurrent(ring)) return;
    this.#flush(this.#transPacker, true);
    this.#ring.transAck();
  }

  #onLeave(): void {
    this.#ring.leave();
    this.#hasLeft = true;
    this.#emit({ kind: 'left' });
  }

  #flush(packer: Packer, isTrans: boolean): void {
    if (!packer.isEmpty && this.#ring.available(isTrans) > 0) packer.flush();
  }

  #onMessage(from: NodeId, message: Uint8Array, littleEndian: boolean): void {
    const decoded = decodeGroups(message, littleEndian);
    if (decoded === undefined) return this.#reject('bad-groups');
    for (const group of decoded.groups) this.#emit({ kind: 'deliver', group, from, payload: decoded.payload });
  }

  #reject(reason: RejectReason): void {
    this.#rejects.set(reason, (this.#rejects.get(reason) ?? 0) + 1);
    this.#emit({ kind: 'reject', reason });
  }

  #createRing(config: TotemConfig, order: NodeOrder): Ring {
    const { nodeId, era, timings, ringSeq, observe, prng } = config;
    const ringConfig = {
      ...{ nodeId, order, era, timings, ringSeq, queueCapacity: this.#queueCapacity },
      address: config.nodes.find(({ id }) => id === nodeId)?.address,
      safeDelivery: this.#safeDelivery,
      tokenFacts: config.tokenFacts ?? false,
      ...(observe && { observe }),
      ...(prng && { prng }),
    };
    return new Ring(ringConfig, {
      unicast: (to, bytes) => {
        this.#unicast.to = to;
        this.#unicast.bytes = bytes;
        this.#emit(this.#unicast);
      },
      multicast: (bytes) => this.#emit({ kind: 'multicast', bytes }),
      deliver: (from, payload, littleEndian) => {
        if (!this.#reassembly.take(from, payload, littleEndian)) this.#reject('bad-packing');
      },
      configuration: (configuration) => {
        for (const node of configuration.left) this.#reassembly.forget(node);
        this.#emit({ kind: 'configuration', ...configuration });
      },
      tokenReceived: () => {
        this.#flush(this.#transPacker, true);
        this.#flush(this.#packer, false);
      },
      storeRingSeq: (seq) => this.#emit({ kind: 'store-ring-seq', seq }),
      checkInterface: () => this.#emit({ kind: 'check-interface' }),
      log: (priority, text) => this.#emit({ kind: 'log', priority, text }),
      reject: (reason) => this.#reject(reason),
    });
  }
}

function nobody(): void {}
