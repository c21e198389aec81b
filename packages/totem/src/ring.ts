import {
  assert,
  ByteWriter,
  crc32c,
  HighWater,
  type LogPriority,
  type Nanos,
  type Observe,
  type Prng,
} from '@quorate/kernel';
import { createCommitToken, fillEntry } from './commit.js';
import type { Configuration } from './configuration.js';
import type { QueueFact, RingState, Suspicion, TotemFact } from './fact.js';
import { FlowControl } from './flow-control.js';
import { GatherReason } from './gather-reason.js';
import type { HeldPacket } from './held-packet.js';
import { gatherText, newMembershipTexts, pauseText, tokenLossText, tokenWarningText } from './log-text.js';
import { Loopback } from './loopback.js';
import { isLeave, Membership } from './membership.js';
import type { Era, NodeOrder } from './node-order.js';
import { PacketFifo } from './packet-fifo.js';
import { PacketPool } from './packet-pool.js';
import { PauseWatch } from './pause-watch.js';
import { highRingDelivered, isExchangeNeeded, lowRingAru, RecoveryEnd, transitionalMembers } from './recovery.js';
import { addRequests, answerRequests } from './requests.js';
import { formatRing, isSameRing, NO_RING, type NodeId, type RingId } from './ring-id.js';
import { RingTimers } from './ring-timers.js';
import { SEQUENCE_QUEUE_SIZE, SequenceQueue } from './sequence-queue.js';
import { isSerialLess, isSerialLessOrEqual } from './serial.js';
import type { TotemTimings } from './timings.js';
import { type CommitToken, encodeCommitToken } from './wire/commit-token.js';
import { Encapsulated, type RejectReason } from './wire/header.js';
import { encodeHoldCancel, type HoldCancel } from './wire/hold-cancel.js';
import { encodeJoin, type Join } from './wire/join.js';
import { MCAST_HEADER_BYTES, type McastHeader, McastReader } from './wire/mcast.js';
import { encodeMergeDetect, type MergeDetect } from './wire/merge-detect.js';
import { encodeOrfToken, type OrfToken, OrfTokenReader } from './wire/orf-token.js';
import { decodePacket } from './wire/packet.js';

/** What the ring needs of the layers around it. Bytes are lent for the call. */
export interface RingPorts {
  unicast(to: NodeId, bytes: Uint8Array): void;
  /** To everybody else; this node's own copy stays inside the ring. */
  multicast(bytes: Uint8Array): void;
  /** The payload of the next packet in the ring's order; its fields are in the sender's byte order. */
  deliver(from: NodeId, payload: Uint8Array, littleEndian: boolean): void;
  configuration(configuration: Configuration): void;
  /** The token was accepted: what is to go with it must be enqueued now. */
  tokenReceived(): void;
  storeRingSeq(seq: number): void;
  /** Asks for `networkUp` or `networkDown` if the interface is not as it was. */
  checkInterface(): void;
  log(priority: LogPriority, text: string): void;
  reject(reason: RejectReason): void;
}

export interface RingConfig {
  readonly nodeId: NodeId;
  /** Of this node's ring interface, for the log. */
  readonly address: string | undefined;
  readonly order: NodeOrder;
  readonly era: Era;
  readonly timings: TotemTimings;
  /** Sequence found in the ring id file; 0 when there was none. */
  readonly ringSeq: number;
  /** Packets that a queue takes. */
  readonly queueCapacity: number;
  /** Whether safe packets wait until every member has them; without it they are as agreed as in corosync. */
  readonly safeDelivery: boolean;
  /** Needed for `send_join`. */
  readonly prng?: Prng;
  readonly tokenFacts: boolean;
  readonly observe?: Observe<TotemFact>;
}

/**
 * Totem single-ring ordering and membership.
 *
 * Source: Amir, Moser, Melliar-Smith, Agarwal, Ciarfella, "The Totem Single-Ring Ordering and Membership Protocol";
 * corosync exec/totemsrp.c, whose decisions these are where it differs from the paper. The names are its names; the
 * order of steps within a handler is its order.
 */
export class Ring {
  readonly #me: NodeId;
  readonly #address: string | undefined;
  readonly #order: NodeOrder;
  readonly #era: Era;
  readonly #timings: TotemTimings;
  readonly #ports: RingPorts;
  readonly #observe: Observe<TotemFact> | undefined;

  #now: Nanos = 0;
  #state: RingState = 'operational';
  #link: 'unbound' | 'up' | 'down' = 'unbound';
  #ring: RingId;
  #oldRing: RingId;
  /** Highest ring sequence ever seen in a join or used. */
  #maxRingSeq: number;

  readonly #membership: Membership;
  /** Installed members. */
  #memb: readonly NodeId[] = [];
  /** Members of the ring being formed. */
  #newMemb: readonly NodeId[] = [];
  /** Of the ring that was formed last, from its recovery on; 0 before the first. */
  #processorCount = 0;
  /** Members that come along from the same old ring. */
  #trans: readonly NodeId[] = [];
  /** Senders whose messages behind a hole may be delivered. */
  #deliverMemb: readonly NodeId[] = [];
  /** Nodes whose leave was received since the last configuration. */
  readonly #leftCleanly = new Set<NodeId>();

  /** All of 1..aru is held. */
  #aru = 0;
  /** High sequence number seen (`my_high_seq_received`). */
  #highSeq = 0;
  #highDelivered = 0;
  /** Every member of the ring holds everything up to here: safe packets are delivered so far. */
  #safeTo = 0;
  #lastReleased = 0;
  #lastTokenAru = 0;
  #lastTokenSeq = 0;
  #tokenSeqSeen = 0xffff_ffff;
  readonly #pool = new PacketPool();
  #regularQ = new SequenceQueue<HeldPacket>(this.#pool.release);
  #recoveryQ = new SequenceQueue<HeldPacket>(this.#pool.release);

  /** Old messages to be sent again in recovery. */
  readonly #retransQ: PacketFifo;
  /** Packets to be ordered: normally, and while synchronisation runs. */
  readonly #newQ: PacketFifo;
  readonly #newTransQ: PacketFifo;
  #waitingTransAck = true;

  /** Old ring's state, kept over failed recoveries until a new ring is installed. */
  #savedAru = 0;
  #savedHighSeq = 0;
  #saved = false;
  /** Whether there was no hole when the commit token passed. */
  #receivedFlag = true;
  readonly #recoveryEnd = new RecoveryEnd();
  /** With safe delivery: some member of a ring that failed to form may have delivered all that this node holds. */
  #isObliged = false;
  /** How far any member of the old ring had delivered it. */
  #highRingDelivered = 0;

  readonly #flowControl = new FlowControl();
  #seqUnchanged = 0;
  #tokenHeld = false;
  /** Rotations with the same aru, which somebody set. */
  #aruCount = 0;
  #discardTokens = false;
  #originatedFirstToken = false;
  #failedToRecv = false;
  /** Running count of own packets; never reset, informative only. */
  #thisSeqno = 0;

  #target: NodeId;
  /** The last token sent, ordering or commit, for retransmission. */
  readonly #lastSentToken = new ByteWriter(true, 1024);
  /** What `lastSentToken` holds; made anew only when its length changes. */
  #lastSentBytes = this.#lastSentToken.bytes();
  readonly #tokenReader = new OrfTokenReader();
  readonly #mcastReader = new McastReader();
  readonly #scratch = new ByteWriter(true, 2048);
  readonly #loopback = new Loopback();
  readonly #timers = new RingTimers();
  readonly #pauseWatch: PauseWatch;
  readonly #prng: Prng | undefined;
  /** Since when consensus is waited for, and for how long at least. */
  #patienceFrom: Nanos = 0;
  #patience: Nanos = 0;
  readonly #safeDelivery: boolean;
  readonly #tokenFacts: boolean;

  readonly #toSendMark = new HighWater();
  readonly #heldMark = new HighWater();
  readonly #counters = { tokens: 0, retransmitted: 0, requested: 0, dropped: 0, flushed: 0, delivered: 0 };
  /** The rings' names for facts, made once for each ring. */
  #ringName = '';
  #oldRingName = '';

  constructor(config: RingConfig, ports: RingPorts) {
    this.#me = config.nodeId;
    this.#address = config.address;
    this.#order = config.order;
    this.#era = config.era;
    this.#timings = config.timings;
    this.#ports = ports;
    this.#observe = config.observe;
    // One more at every start, so that a singleton's first ring is new even if the last one never left this node.
    this.#ring = { representative: config.nodeId, seq: config.ringSeq + 1 };
    this.#oldRing = NO_RING;
    this.#maxRingSeq = this.#ring.seq;
    this.#membership = new Membership(config.nodeId, config.order, (node, why) => this.#observeSuspicion(node, why));
    this.#pauseWatch = new PauseWatch(config.timings.token);
    this.#prng = config.prng;
    this.#safeDelivery = config.safeDelivery;
    this.#tokenFacts = config.tokenFacts;
    this.#retransQ = new PacketFifo(SEQUENCE_QUEUE_SIZE);
    this.#newQ = new PacketFifo(config.queueCapacity);
    this.#newTransQ = new PacketFifo(config.queueCapacity);
    this.#target = config.nodeId;
  }

  // What the machine around it calls.

  /** Takes the time, before anything else. */
  tick(now: Nanos): void {
    this.#pauseWatch.tick(now, this.#link !== 'unbound');
    this.#now = now;
  }

  /** The interface has its address: a node that was without it gathers anew. */
  networkUp(): void {
    if (this.#link !== 'up' && this.#address !== undefined) {
      this.#ports.log('notice', `The network interface [${this.#address}] is now up.`);
    }
    if (this.#link === 'unbound') this.#observe?.({ kind: 'totem.started', now: this.#now });
    this.#link = 'up';
    this.#startDowncheck();
    this.#enterGather(GatherReason.interfaceChange);
  }

  /** The interface lost its address: this node hears itself alone, and is alone when its patience is over. */
  networkDown(): void {
    if (this.#link === 'down') return;
    this.#link = 'down';
    this.#startDowncheck();
    this.#ports.log('notice', 'The network interface is down.');
    this.#enterGather(GatherReason.interfaceChange);
  }

  /**
   * Only a node that lost the token, is alone or has no address looks: one that has its ring hears by that.
   *
   * Source: corosync exec/totemudp.c, `timer_function_netif_check_timeout` and `totemudp_processor_count_set`.
   */
  #checkInterface(): void {
    this.#startDowncheck();
    this.#ports.checkInterface();
  }

  #startDowncheck(): void {
    const isNeeded = this.#link === 'down' || this.#processorCount === 1;
    this.#timers.downcheck = isNeeded ? this.#now + this.#timings.downcheck : Infinity;
  }

  receive(bytes: Uint8Array): void {
    if (this.#link !== 'up') return;
    if (this.#pauseWatch.isFlushing) this.#counters.flushed += 1;
    else this.#take(bytes, false);
  }

  wake(): void {
    const now = this.#now;
    const timers = this.#timers;
    this.#takeOwn();
    if (now >= timers.token) this.#onTokenTimer();
    if (now >= timers.heartbeat) this.#onHeartbeatTimer();
    if (now >= timers.consensus) this.#onConsensusTimer();
    if (now >= timers.join) this.#onJoinTimer();
    if (now >= timers.sendJoin) this.#onSendJoinTimer();
    if (now >= timers.tokenRetransmit) this.#onTokenRetransmitTimer();
    if (now >= timers.hold) this.#onHoldTimer();
    if (now >= timers.merge) this.#onMergeTimer();
    if (now >= timers.tokenWarning) this.#onTokenWarningTimer();
    if (now >= timers.downcheck) this.#checkInterface();
  }

  #takeOwn(): void {
    for (let own = this.#loopback.receive(this.#now); own !== undefined; own = this.#loopback.receive(this.#now)) {
      this.#take(own, true);
    }
  }

  /** Tells everybody that this node goes, once. Nothing is heard or sent after it. */
  leave(): void {
    if (this.#link === 'unbound') return;
    this.#ports.log('debug', 'sending join/leave message');
    this.#membership.addFailed(this.#me, 'left');
    const proc = this.#membership.proc.filter((node) => node !== this.#me);
    this.#encodeJoin(0, proc);
    this.#multicast();
    this.#loopback.clear();
    this.#link = 'unbound';
    this.#timers.stop();
  }

  /** Synchronisation is through: what comes from now on is ordered behind what waited for it. */
  transAck(): void {
    this.#waitingTransAck = false;
  }

  /** Whether this is the ring that is installed or being formed. */
  isCurrent(ring: RingId): boolean {
    return isSameRing(ring, this.#ring);
  }

  /** Whether new messages belong to the synchronisation that runs. */
  get isWaitingTransAck(): boolean {
    return this.#waitingTransAck;
  }

  /** Room in packets, in the queue of synchronisation (`trans`) or in the normal one. */
  available(trans: boolean): number {
    return (trans ? this.#newTransQ : this.#newQ).available;
  }

  /** Queues one packet; copies the payload. */
  enqueue(trans: boolean, payload: Uint8Array, isSafe: boolean): void {
    const queue = trans ? this.#newTransQ : this.#newQ;
    queue.push(this.#ownPacket(Encapsulated.normal, payload, isSafe));
    if (this.#toSendMark.rises(queue.length)) this.#observeQueue('to send', queue.length);
  }

  #ownPacket(encapsulated: number, payload: Uint8Array, isSafe: boolean): HeldPacket {
    return this.#pool.take(MCAST_HEADER_BYTES + payload.length).fill(this.#me, encapsulated, payload, isSafe);
  }

  /** A message is about to be queued: asks for the token if it is thought to be held. */
  cancelHold(): void {
    if (!this.#tokenHeld) return;
    this.#tokenHeld = false;
    encodeHoldCancel(this.#scratch, { nodeId: this.#me, ring: this.#ring });
    this.#multicast();
  }

  deadline(): Nanos {
    return Math.min(this.#loopback.deadline, this.#timers.deadline());
  }

  inspect(): RingView {
    return {
      state: this.#state,
      isUp: this.#link === 'up',
      ring: formatRing(this.#ring),
      oldRing: formatRing(this.#oldRing),
      members: ascending(this.#memb),
      proc: this.#membership.proc,
      failed: this.#membership.failed,
      consensus: this.#membership.consensus,
      aru: this.#aru,
      highSeq: this.#highSeq,
      highDelivered: this.#highDelivered,
      lastReleased: this.#lastReleased,
      tokenHeld: this.#tokenHeld,
      waitingTransAck: this.#waitingTransAck,
      queued: this.#newQ.length,
      queuedTrans: this.#newTransQ.length,
      flowControl: this.#flowControl.inspect(),
      counters: { ...this.#counters },
    };
  }

  // Datagrams.

  #take(bytes: Uint8Array, isOwn: boolean): void {
    const token = this.#tokenReader.read(bytes);
    if (token !== undefined) return this.#onOrfToken(token);
    const mcast = this.#mcastReader.read(bytes);
    if (mcast !== undefined) return this.#onMcast(mcast, bytes);
    const packet = decodePacket(bytes);
    if (typeof packet === 'string') return this.#ports.reject(packet);
    switch (packet.kind) {
      case 'orf-token':
        return this.#onOrfToken(packet.body);
      case 'mcast':
        return this.#onMcast(packet.body, bytes);
      case 'merge-detect':
        return this.#onMergeDetect(packet.body);
      case 'join':
        return this.#onJoin(packet.body, isOwn);
      case 'commit-token':
        return this.#onCommitToken(packet.body);
      case 'hold-cancel':
        return this.#onHoldCancel(packet.body);
    }
  }

  #onOrfToken(token: OrfToken): void {
    if (this.#discardTokens) return;
    const isRep = this.#ring.representative === this.#me;
    this.#countIdleRotation(token);
    this.#tokenHeld = isRep
      ? this.#seqUnchanged > this.#timings.seqnoUnchangedConst
      : this.#seqUnchanged >= this.#timings.seqnoUnchangedConst;
    let forward = !(isRep && this.#tokenHeld);

    if (this.#era === 'rhel6') this.#ports.tokenReceived();
    if (this.#state === 'commit') return;
    if (!isSameRing(token.ring, this.#ring)) return;
    if (isSerialLessOrEqual(token.tokenSeq, this.#tokenSeqSeen)) return;
    const { aru: arrivedAru, tokenSeq: arrivedTokenSeq } = token;
    if ((token.seq - this.#aru) >>> 0 >= SEQUENCE_QUEUE_SIZE) return this.#ports.reject('out-of-window');
    this.#counters.tokens += 1;
    if (this.#era === 'modern') this.#ports.tokenReceived();

    // Differs from corosync, which releases before it knows the token to be new: a token that comes twice then counts as
    // two rotations, and what a third node misses is gone.
    if (this.#state === 'operational') this.#release(token.aru);
    const lastAru = this.#lastTokenAru;
    this.#lastTokenAru = token.aru;
    let allowed = this.#flowControl.allowed(token, this.#backlog(), this.#timings);
    const resent = this.#answerRequests(token, allowed);
    allowed -= resent;
    const { missCountConst } = this.#timings;
    this.#counters.requested += addRequests(token, this.#ring, this.#queueOfState(), this.#aru, missCountConst);
    if (this.#timings.cancelTokenHoldOnRetransmit && this.#tokenHeld && (token.rtr.length > 0 || resent > 0)) {
      this.#tokenHeld = false;
      forward = true;
    }
    const window = SEQUENCE_QUEUE_SIZE - allowed - this.#timings.windowSize;
    if (isSerialLess((this.#lastReleased + window) >>> 0, token.seq)) allowed = 0;
    const sent = this.#sendPackets(token, allowed);
    this.#flowControl.update(token, resent + sent);
    this.#lowerAru(token, lastAru);
    if (this.#aruCount > this.#timings.failRecvConst && token.aruAddr === this.#me) return this.#failToReceive();

    this.#tokenSeqSeen = token.tokenSeq;
    token.tokenSeq = (token.tokenSeq + 1) >>> 0;
    if (this.#state === 'recovery') this.#onRecoveryToken(token);
    token.nodeId = this.#me;
    encodeOrfToken(this.#lastSentToken, token);
    if (forward) this.#sendLastToken();
    if (this.#tokenFacts) this.#observeToken(token, arrivedTokenSeq, arrivedAru, sent, resent);
    if (this.#state === 'operational') this.#deliver(this.#highSeq, this.#safeTo);
    this.#startTokenTimers();
    this.#timers.heartbeat = forward ? this.#now + this.#timings.heartbeat : Infinity;
    if (isRep && this.#tokenHeld) this.#timers.hold = this.#now + this.#timings.hold;
  }

  /** Runs before the token's ring is looked at: a stray token of another ring resets the idle counters too. */
  #countIdleRotation(token: OrfToken): void {
    if (token.seq === this.#lastTokenSeq) {
      if (this.#timers.merge === Infinity) this.#timers.merge = this.#now + this.#timings.merge;
      this.#seqUnchanged += 1;
    } else {
      this.#timers.merge = Infinity;
      this.#timers.hold = Infinity;
      this.#seqUnchanged = 0;
    }
    this.#lastTokenSeq = token.seq;
  }

  /** Two rotations of the token's aru have gone by these: everybody holds them. */
  #release(tokenAru: number): void {
    let releaseTo = tokenAru;
    if (isSerialLess(this.#lastTokenAru, releaseTo)) releaseTo = this.#lastTokenAru;
    if (isSerialLess(this.#safeTo, releaseTo)) this.#safeTo = releaseTo;
    if (isSerialLess(this.#highDelivered, releaseTo)) releaseTo = this.#highDelivered;
    if (!isSerialLess(this.#lastReleased, releaseTo)) return;
    this.#regularQ.releaseTo(releaseTo);
    this.#lastReleased = releaseTo;
  }

  #backlog(): number {
    if (this.#state === 'recovery') return this.#retransQ.length;
    return this.#state === 'operational' ? this.#sendQueue().length : 0;
  }

  /**
   * Differs from corosync: what was queued for a synchronisation that ended meanwhile is sent first, where corosync
   * leaves it until the next one.
   */
  #sendQueue(): PacketFifo {
    if (this.#state === 'recovery') return this.#retransQ;
    return this.#waitingTransAck || this.#newTransQ.length > 0 ? this.#newTransQ : this.#newQ;
  }

  #queueOfState(): SequenceQueue<HeldPacket> {
    return this.#state === 'recovery' ? this.#recoveryQ : this.#regularQ;
  }

  #answerRequests(token: OrfToken, allowed: number): number {
    if (token.rtr.length === 0) return 0;
    this.#ports.log('notice', `Retransmit List: ${token.rtr.map((entry) => entry.seq.toString(16)).join(' ')} `);
    const resent = answerRequests(token, this.#ring, this.#queueOfState(), allowed, this.#sendAgain);
    this.#counters.retransmitted += resent;
    return resent;
  }

  readonly #sendAgain = (held: HeldPacket): void => this.#toOthers(held.bytes);

  #sendPackets(token: OrfToken, allowed: number): number {
    const from = this.#sendQueue();
    const queue = this.#queueOfState();
    let sent = 0;
    for (; sent < allowed; sent++) {
      const held = from.shift();
      if (held === undefined) break;
      token.seq = (token.seq + 1) >>> 0;
      held.stamp(token.seq, this.#thisSeqno++, this.#ring);
      queue.add(token.seq, held);
      this.#highSeq = token.seq;
      if (this.#state === 'operational') this.#observePacket('totem.sent', this.#ringName, token.seq, held);
      this.#toOthers(held.bytes);
    }
    this.#updateAru();
    return sent;
  }

  #updateAru(): void {
    this.#updateAruOf(this.#queueOfState());
    const held = (this.#highSeq - this.#lastReleased) >>> 0;
    if (this.#heldMark.rises(held)) this.#observeQueue('held', held);
  }

  #updateAruOf(queue: SequenceQueue<HeldPacket>): void {
    while (this.#aru !== this.#highSeq && queue.has((this.#aru + 1) >>> 0)) this.#aru = (this.#aru + 1) >>> 0;
  }

  #lowerAru(token: OrfToken, lastAru: number): void {
    if (isSerialLess(this.#aru, token.aru) || token.aruAddr === this.#me || token.aruAddr === 0) {
      token.aru = this.#aru;
      token.aruAddr = token.aru === token.seq ? 0 : this.#me;
    }
    this.#aruCount = token.aru === lastAru && token.aruAddr !== 0 ? this.#aruCount + 1 : 0;
  }

  /**
   * A node whose aru holds the whole ring back blames itself. Differs from the paper, in which the others exclude it;
   * corosync does it this way.
   */
  #failToReceive(): void {
    this.#ports.log('err', 'FAILED TO RECEIVE');
    this.#failedToRecv = true;
    this.#membership.addFailed(this.#me, 'failed-to-receive');
    this.#enterGather(GatherReason.failedToReceive);
  }

  #onRecoveryToken(token: OrfToken): void {
    const end = this.#recoveryEnd.onToken(token, this.#retransQ.length > 0, this.#aru);
    if (end !== 'wait' && !this.#receivedFlag) {
      this.#receivedFlag = true;
      this.#deliverMemb = this.#trans;
      this.#isObliged = this.#safeDelivery;
    }
    if (end === 'operational') this.#enterOperational();
  }

  #onMcast(mcast: McastHeader, bytes: Uint8Array): void {
    if (!isSameRing(mcast.ring, this.#ring)) return this.#onForeignMcast(mcast);
    const { systemFrom } = mcast;
    // A packet is its originator's own datagram, whoever sends it again.
    if (mcast.nodeId !== systemFrom || !this.#newMemb.includes(systemFrom)) return this.#ports.reject('bad-sender');
    const isRecovery = mcast.encapsulated === Encapsulated.recovery;
    // The regular queue has the old ring's numbering as long as its state is saved, the recovery queue a meaning only in
    // recovery. By the token's way nothing else arrives; corosync does not look.
    if (isRecovery ? this.#state !== 'recovery' : this.#saved) {
      this.#counters.dropped += 1;
      return;
    }
    const queue = isRecovery ? this.#recoveryQ : this.#regularQ;
    if (queue.isInRange(mcast.seq) && !queue.has(mcast.seq)) {
      queue.add(mcast.seq, this.#pool.take(bytes.length).receive(mcast, bytes));
      if (isSerialLess(this.#highSeq, mcast.seq)) this.#highSeq = mcast.seq;
    }
    this.#updateAru();
    if (this.#state === 'operational') this.#deliver(this.#highSeq, this.#safeTo);
  }

  #onForeignMcast(mcast: McastHeader): void {
    switch (this.#state) {
      case 'operational':
        if (!this.#membership.addProc(mcast.systemFrom)) return this.#ports.reject('bad-count');
        return this.#enterGather(GatherReason.foreignMessageOperational);
      case 'gather':
        if (this.#membership.knows(mcast.systemFrom)) return;
        if (!this.#membership.addProc(mcast.systemFrom)) return this.#ports.reject('bad-count');
        return this.#enterGather(GatherReason.foreignMessageGather);
      case 'commit':
      case 'recovery':
        this.#counters.dropped += 1;
    }
  }

  #onMergeDetect(merge: MergeDetect): void {
    if (isSameRing(merge.ring, this.#ring)) return;
    switch (this.#state) {
      case 'operational':
        if (!this.#membership.addProc(merge.systemFrom)) return this.#ports.reject('bad-count');
        return this.#enterGather(GatherReason.mergeOperational);
      case 'gather':
        if (this.#membership.knows(merge.systemFrom)) return;
        if (!this.#membership.addProc(merge.systemFrom)) return this.#ports.reject('bad-count');
        return this.#enterGather(GatherReason.mergeGather);
      case 'commit':
      case 'recovery':
        return;
    }
  }

  #onHoldCancel(cancel: HoldCancel): void {
    if (!isSameRing(cancel.ring, this.#ring)) return;
    this.#seqUnchanged = 0;
    if (this.#ring.representative === this.#me) this.#onTokenRetransmitTimer();
  }

  // Gather: joins and consensus.

  #onJoin(join: Join, isOwn: boolean): void {
    if (!isOwn && this.#flushesAfterPause()) return;
    if (join.ringSeq > this.#maxRingSeq) this.#maxRingSeq = join.ringSeq;
    switch (this.#state) {
      case 'operational':
        return this.#isLateJoin(join) ? undefined : this.#processJoin(join);
      case 'gather':
        return this.#processJoin(join);
      case 'commit':
        if (!this.#isFromNewMember(join) && !this.#isFromDissenter(join)) return;
        this.#processJoin(join);
        return this.#enterGather(GatherReason.joinCommit);
      case 'recovery':
        if (!this.#isFromNewMember(join)) return;
        this.#restoreOldRing();
        this.#processJoin(join);
        this.#enterGather(GatherReason.tokenLostRecovery);
        return this.#enterGather(GatherReason.joinRecovery);
    }
  }

  /** Joins queued while this node was not scheduled speak of the past: they are thrown away, with all queued behind. */
  #flushesAfterPause(): boolean {
    const length = this.#pauseWatch.onJoin();
    if (length === undefined) return false;
    this.#ports.log('notice', pauseText(length));
    this.#counters.flushed += 1;
    return true;
  }

  /** A join from before this ring, or one of a ring that this node is not to be in. 1.4 lets it tear the ring down. */
  #isLateJoin(join: Join): boolean {
    if (this.#era === 'rhel6') return false;
    if (join.failed.includes(this.#me)) return true;
    return this.#memb.includes(join.systemFrom) && join.ringSeq < this.#ring.seq;
  }

  #isFromNewMember(join: Join): boolean {
    return this.#newMemb.includes(join.systemFrom) && join.ringSeq >= this.#ring.seq;
  }

  /**
   * Whether a member of the ring being formed knows more than was agreed: it gathers anew, and the commit token ends at it.
   *
   * Differs from corosync, which takes such a join for one from before the agreement, and waits for the token's timer: of
   * five nodes that start together, one time in four all wait five seconds.
   */
  #isFromDissenter(join: Join): boolean {
    if (!this.#newMemb.includes(join.systemFrom)) return false;
    return !this.#membership.includes(join);
  }

  #processJoin(join: Join): void {
    if (isLeave(join)) this.#noteLeave(join);
    const verdict = this.#membership.judge(join, this.#memb);
    if (verdict === 'too-many') return this.#ports.reject('bad-count');
    if (verdict === 'merged') return this.#enterGather(GatherReason.mergeDuringJoin);
    if (verdict === 'unbelieved' || verdict === 'accused') return this.#onContraryJoin();
    if (verdict === 'equal' && this.#membership.isAgreed()) {
      if (this.#failedToRecv) return this.#formRingAlone();
      if (this.#membership.isRepresentative()) return this.#commit();
    }
    if (this.#state === 'operational') this.#enterGather(GatherReason.joinOperational);
  }

  /**
   * A join that contradicts this node's beliefs and is not taken over.
   *
   * Differs from corosync, which enters gather anew for each, and returns an accusation. Two nodes that think different
   * others failed then answer each other's joins without end; and two that crossed on the way accuse each other, form
   * rings alone, and meet again with the same result, as long as their timers keep step. Here such a join is not
   * answered at once. An accuser gives its reason up with its next ring: whoever thinks nobody failed waits for that.
   */
  #onContraryJoin(): void {
    if (this.#state !== 'gather') this.#enterGather(GatherReason.mergeDuringJoin);
  }

  #noteLeave(join: Join): void {
    const leaver = join.failed.at(-1) ?? 0;
    this.#ports.log('debug', `Received LEAVE message from ${leaver.toString(16)}`);
    if (leaver !== 0) this.#leftCleanly.add(leaver);
  }

  /** Everybody agrees that this node receives nothing: it goes on alone and merges again later. */
  #formRingAlone(): void {
    this.#failedToRecv = false;
    this.#membership.reset([this.#me]);
    this.#membership.resetConsensus();
    this.#commit();
  }

  #enterGather(reason: GatherReason): void {
    if (this.#state === 'recovery') this.#restoreOldRing();
    this.#discardTokens = true;
    this.#originatedFirstToken = false;
    this.#membership.addProc(this.#me);
    this.#sendJoin();
    this.#timers.stopTokenTimers();
    this.#timers.join = this.#now + this.#timings.join;
    this.#timers.consensus = this.#now + this.#timings.consensus;
    this.#timers.merge = Infinity;
    this.#resetConsensus(this.#timings.consensus);
    this.#ports.log('debug', gatherText(this.#era, reason));
    this.#enter('gather', reason);
  }

  /** Everybody has that long to agree. */
  #resetConsensus(patience: Nanos): void {
    this.#membership.resetConsensus();
    this.#patienceFrom = this.#now;
    this.#patience = patience;
  }

  /**
   * Differs from corosync, which stands still for the random time of `send_join`: here it is the join alone that waits, and
   * what this node believes when it goes out is what it says.
   */
  #sendJoin(): void {
    const { sendJoin } = this.#timings;
    if (sendJoin === 0 || this.#prng === undefined) return this.#onSendJoinTimer();
    if (this.#timers.sendJoin === Infinity) this.#timers.sendJoin = this.#now + this.#prng.below(sendJoin);
  }

  #onSendJoinTimer(): void {
    this.#timers.sendJoin = Infinity;
    this.#encodeJoin(this.#me, this.#membership.proc);
    this.#multicast();
  }

  /** With node id 0 it is a leave. */
  #encodeJoin(nodeId: NodeId, proc: readonly NodeId[]): void {
    const { failed } = this.#membership;
    encodeJoin(this.#scratch, { nodeId, systemFrom: this.#me, ringSeq: this.#ring.seq, proc, failed });
  }

  #onJoinTimer(): void {
    if (this.#state !== 'gather' && this.#state !== 'commit') return;
    this.#sendJoin();
    this.#timers.join = this.#now + this.#timings.join;
  }

  #onConsensusTimer(): void {
    this.#timers.consensus = Infinity;
    if (this.#membership.isAgreed()) {
      // The representative agrees as well but has not started: it has as long as a token may take.
      this.#resetConsensus(this.#timings.token);
      this.#startTokenLossTimer();
      return;
    }
    this.#membership.failSilent();
    this.#enterGather(GatherReason.consensusTimeout);
  }

  // Commit.

  #commit(): void {
    this.#ports.log('debug', 'Creating commit token because I am the rep.');
    this.#enterCommit(createCommitToken(this.#me, this.#maxRingSeq, this.#membership.candidates()));
  }

  #onCommitToken(token: CommitToken): void {
    switch (this.#state) {
      case 'operational':
        return;
      case 'gather':
        if (this.#isCommitTokenAcceptable(token)) this.#enterCommit(token);
        return;
      case 'commit':
        // Retransmissions of the first round are not full yet.
        if (isSameRing(token.ring, this.#ring) && token.membIndex === token.addresses.length)
          this.#enterRecovery(token);
        return;
      case 'recovery':
        if (this.#ring.representative === this.#me && isSameRing(token.ring, this.#ring)) this.#originateFirstToken();
    }
  }

  #isCommitTokenAcceptable(token: CommitToken): boolean {
    if (token.ring.seq <= this.#ring.seq || token.addresses[token.membIndex] !== this.#me) return false;
    const candidates = this.#membership.candidates();
    const addresses = new Set(token.addresses);
    return (
      addresses.size === token.addresses.length &&
      addresses.size === candidates.length &&
      candidates.every((node) => addresses.has(node))
    );
  }

  #enterCommit(token: CommitToken): void {
    this.#saveOldRing();
    this.#newMemb = token.addresses;
    this.#receivedFlag = fillEntry(token, {
      ring: this.#oldRing,
      aru: this.#savedAru,
      highDelivered: this.#highDelivered,
      hasAll: this.#isObliged || this.#aru === this.#highSeq,
    });
    this.#target = token.addresses[token.membIndex % token.addresses.length]!;
    this.#forwardCommitToken(token);
    this.#timers.join = Infinity;
    this.#timers.sendJoin = Infinity;
    this.#timers.consensus = Infinity;
    this.#ring = token.ring;
    this.#ringName = formatRing(token.ring);
    this.#storeRingSeq();
    this.#maxRingSeq = Math.max(this.#maxRingSeq, token.ring.seq);
    this.#ports.log('debug', 'entering COMMIT state.');
    this.#enter('commit', null);
    this.#startTokenTimers();
    this.#flowControl.reset();
  }

  #saveOldRing(): void {
    if (this.#saved) return;
    this.#saved = true;
    this.#oldRing = this.#ring;
    this.#oldRingName = formatRing(this.#ring);
    this.#savedAru = this.#aru;
    this.#savedHighSeq = this.#highSeq;
  }

  /** The new ring does not come to be. */
  #restoreOldRing(): void {
    // Others may have installed the ring and delivered safe what was recovered, all of which this node holds.
    if (this.#isObliged) this.#moveRecoveredMessages();
    this.#aru = this.#savedAru;
    this.#highSeq = this.#savedHighSeq;
    if (this.#isObliged) this.#updateAruOf(this.#regularQ);
    this.#savedAru = this.#aru;
  }

  #forwardCommitToken(token: CommitToken): void {
    token.tokenSeq = (token.tokenSeq + 1) >>> 0;
    token.nodeId = this.#me;
    encodeCommitToken(this.#lastSentToken, token);
    this.#sendLastToken();
  }

  /** After the commit token went on, before any ordering token or message of the ring. */
  #storeRingSeq(): void {
    this.#ports.storeRingSeq(this.#ring.seq);
    this.#observe?.({ kind: 'totem.ring-stored', now: this.#now, ring: this.#ringName, ringSeq: this.#ring.seq });
  }

  // Recovery.

  #enterRecovery(token: CommitToken): void {
    this.#ports.log('debug', 'entering RECOVERY state.');
    this.#discardTokens = false;
    this.#recoveryQ.reset();
    this.#retransQ.clear();
    this.#recoveryEnd.reset();
    this.#forwardCommitToken(token);
    this.#tokenSeqSeen = 0xffff_ffff;
    this.#processorCount = token.addresses.length;
    this.#startDowncheck();
    this.#trans = transitionalMembers(this.#memb, token, this.#oldRing);
    if (isExchangeNeeded(this.#trans, token)) {
      this.#deliverMemb = this.#trans;
      this.#queueOldMessages(lowRingAru(this.#deliverMemb, token, this.#oldRing, this.#savedHighSeq));
    }
    this.#highRingDelivered = highRingDelivered(token, this.#oldRing);
    this.#aru = 0;
    this.#highSeq = 0;
    this.#lastReleased = 0;
    this.#aruCount = 0;
    this.#seqUnchanged = 0;
    this.#enter('recovery', null);
    this.#startTokenTimers();
  }

  /** Every holder sends what somebody may miss; a message that arrives twice is dropped. */
  #queueOldMessages(low: number): void {
    const range = (this.#savedHighSeq - low) >>> 0;
    assert(range < SEQUENCE_QUEUE_SIZE, 'what is sent again fits into the window');
    for (let i = 1; i <= range; i++) {
      const held = this.#regularQ.get((low + i) >>> 0);
      if (held === undefined) continue;
      this.#retransQ.push(this.#ownPacket(Encapsulated.recovery, held.bytes, false));
    }
  }

  /** The commit token is back: everybody is in recovery. The paper converts it; corosync makes a new token. */
  #originateFirstToken(): void {
    if (this.#originatedFirstToken) return;
    this.#originatedFirstToken = true;
    encodeOrfToken(this.#lastSentToken, {
      nodeId: this.#me,
      seq: 0,
      tokenSeq: 0,
      aru: 0xffff_ffff,
      aruAddr: this.#me,
      ring: this.#ring,
      backlog: 0,
      fcc: 0,
      retransFlg: this.#recoveryEnd.startFlag(this.#retransQ.length > 0),
      rtr: [],
    });
    this.#sendLastToken();
    this.#startTokenTimers();
  }

  #enterOperational(): void {
    this.#originatedFirstToken = false;
    this.#moveRecoveredMessages();
    if (isSerialLess(this.#safeTo, this.#highRingDelivered)) this.#safeTo = this.#highRingDelivered;
    this.#deliver(this.#savedHighSeq, this.#safeTo);
    const left = this.#memb.filter((node) => !this.#trans.includes(node));
    const joined = this.#newMemb.filter((node) => !this.#trans.includes(node));
    this.#memb = this.#newMemb;
    this.#deliverConfiguration('transitional', this.#trans, [], left);
    this.#waitingTransAck = true;
    this.#deliver(this.#savedHighSeq, this.#savedHighSeq);
    this.#deliverBehindHoles(this.#savedHighSeq);
    this.#deliverConfiguration('regular', this.#newMemb, joined, []);

    this.#continueRecoveryNumbering();
    this.#lastTokenAru = 0;
    this.#membership.reset(this.#newMemb);
    this.#saved = false;
    this.#isObliged = false;
    this.#receivedFlag = true;
    this.#oldRing = this.#ring;
    this.#logNewMembership(joined, left);
    this.#leftCleanly.clear();
    this.#enter('operational', null);
  }

  /** Unwraps what recovery brought of the old ring. */
  #moveRecoveredMessages(): void {
    for (let seq = 1; seq <= this.#aru; seq++) {
      const wrapped = this.#recoveryQ.get(seq);
      if (wrapped === undefined) continue;
      const inner = decodePacket(wrapped.payload);
      if (typeof inner === 'string' || inner.kind !== 'mcast' || !isSameRing(inner.body.ring, this.#oldRing)) continue;
      const old = inner.body;
      if (old.nodeId !== old.systemFrom || !this.#memb.includes(old.systemFrom)) continue;
      if (!this.#regularQ.isInRange(old.seq) || this.#regularQ.has(old.seq)) continue;
      this.#regularQ.add(old.seq, this.#pool.take(wrapped.payload.length).receive(old, wrapped.payload));
      if (isSerialLess(this.#savedHighSeq, old.seq)) this.#savedHighSeq = old.seq;
    }
  }

  /** The new ring goes on behind the recovery's messages, all of which everybody has. */
  #continueRecoveryNumbering(): void {
    [this.#regularQ, this.#recoveryQ] = [this.#recoveryQ, this.#regularQ];
    this.#recoveryQ.reset();
    let highest = this.#highSeq;
    while (highest !== 0 && !this.#regularQ.has(highest)) highest -= 1;
    this.#highDelivered = highest;
    this.#safeTo = highest;
    this.#regularQ.releaseTo(highest);
    this.#lastReleased = highest;
  }

  #logNewMembership(joined: readonly NodeId[], left: readonly NodeId[]): void {
    const failed = left.filter((node) => !this.#leftCleanly.has(node));
    for (const text of newMembershipTexts(this.#era, this.#ringName, joined, left, failed)) {
      this.#ports.log('notice', text);
    }
  }

  // Delivery.

  /**
   * Hands up what follows without a hole: agreed order, no wait for the others. A safe packet, and all behind it, waits until
   * everybody has it.
   */
  #deliver(endPoint: number, safeTo: number): void {
    const ring = this.#saved ? this.#oldRingName : this.#ringName;
    while (this.#highDelivered !== endPoint) {
      const seq = (this.#highDelivered + 1) >>> 0;
      const held = this.#regularQ.get(seq);
      if (held === undefined) return;
      if (this.#safeDelivery && held.isSafe && isSerialLess(safeTo, seq)) return;
      this.#highDelivered = seq;
      this.#hand(held, ring, seq);
    }
  }

  /** Hands up the rest of the old ring, over holes that nobody can fill, of the senders that came along. */
  #deliverBehindHoles(endPoint: number): void {
    const range = (endPoint - this.#highDelivered) >>> 0;
    assert(range < SEQUENCE_QUEUE_SIZE, 'what is left of the old ring fits into the window');
    for (let i = 0; i < range; i++) {
      this.#highDelivered = (this.#highDelivered + 1) >>> 0;
      const held = this.#regularQ.get(this.#highDelivered);
      if (held === undefined || !this.#deliverMemb.includes(held.systemFrom)) continue;
      this.#hand(held, this.#oldRingName, this.#highDelivered);
    }
  }

  #hand(held: HeldPacket, ring: string, seq: number): void {
    this.#counters.delivered += 1;
    this.#observePacket('totem.delivered', ring, seq, held);
    this.#ports.deliver(held.from, held.payload, held.littleEndian);
  }

  #deliverConfiguration(
    type: Configuration['type'],
    members: readonly NodeId[],
    joined: readonly NodeId[],
    left: readonly NodeId[],
  ): void {
    const change = { type, members: ascending(members), joined: ascending(joined), left: ascending(left) };
    this.#observe?.({ kind: 'totem.configuration', now: this.#now, ring: this.#ringName, ...change });
    this.#ports.configuration({ ring: this.#ring, ...change });
  }

  // Timers.

  #onHeartbeatTimer(): void {
    this.#timers.heartbeat = Infinity;
    this.#ports.log('debug', `HeartBeat Timer expired Invoking token loss mechanism in state ${this.#state} `);
    this.#onTokenTimer();
  }

  #onTokenTimer(): void {
    this.#timers.token = Infinity;
    switch (this.#state) {
      case 'operational':
        this.#ports.log('notice', tokenLossText(this.#era, this.#timings));
        this.#checkInterface();
        return this.#enterGather(GatherReason.tokenLostOperational);
      case 'gather':
        this.#onConsensusTimer();
        return this.#enterGather(GatherReason.consensusExpired);
      case 'commit':
        return this.#enterGather(GatherReason.tokenLostCommit);
      case 'recovery':
        return this.#enterGather(GatherReason.tokenLostRecovery);
    }
  }

  #onTokenWarningTimer(): void {
    this.#ports.log('notice', tokenWarningText(this.#timings));
    this.#timers.tokenWarning = Infinity;
  }

  #onTokenRetransmitTimer(): void {
    this.#timers.tokenRetransmit = Infinity;
    if (this.#state === 'gather') return;
    this.#sendLastToken();
    this.#timers.tokenRetransmit = this.#now + this.#timings.tokenRetransmit;
  }

  #onHoldTimer(): void {
    this.#timers.hold = Infinity;
    if (this.#state === 'operational' || this.#state === 'recovery') this.#sendLastToken();
  }

  #onMergeTimer(): void {
    this.#timers.merge = Infinity;
    if (this.#state !== 'operational' || this.#ring.representative !== this.#me) return;
    encodeMergeDetect(this.#scratch, { nodeId: this.#me, systemFrom: this.#me, ring: this.#ring });
    this.#toOthers(this.#scratch.bytes());
  }

  #startTokenTimers(): void {
    this.#startTokenLossTimer();
    this.#timers.tokenRetransmit = this.#now + this.#timings.tokenRetransmit;
  }

  #startTokenLossTimer(): void {
    const { token, tokenWarningPercent } = this.#timings;
    this.#timers.token = this.#now + token;
    if (tokenWarningPercent > 0)
      this.#timers.tokenWarning = this.#now + Math.floor((token * tokenWarningPercent) / 100);
  }

  // Sending.

  #sendLastToken(): void {
    if (this.#lastSentBytes.length !== this.#lastSentToken.length) this.#lastSentBytes = this.#lastSentToken.bytes();
    const bytes = this.#lastSentBytes;
    if (this.#target === this.#me) this.#loopback.send(this.#now, bytes);
    else if (this.#link === 'up') this.#ports.unicast(this.#target, bytes);
  }

  /** Sends what is in the scratch buffer, to this node itself too. */
  #multicast(): void {
    const bytes = this.#scratch.bytes();
    this.#loopback.send(this.#now, bytes);
    this.#toOthers(bytes);
  }

  #toOthers(bytes: Uint8Array): void {
    if (this.#link === 'up') this.#ports.multicast(bytes);
  }

  #enter(state: RingState, reason: GatherReason | null): void {
    this.#state = state;
    this.#observe?.({ kind: 'totem.state', now: this.#now, state, reason });
  }

  #observeQueue(queue: QueueFact['queue'], size: number): void {
    this.#observe?.({ kind: 'totem.queue', now: this.#now, queue, size });
  }

  #observePacket(kind: 'totem.sent' | 'totem.delivered', ring: string, msgSeq: number, held: HeldPacket): void {
    if (this.#observe === undefined) return;
    const { systemFrom: sender, isSafe, payload } = held;
    this.#observe({ kind, now: this.#now, ring, msgSeq, sender, digest: crc32c(payload), isSafe });
  }

  #observeToken(token: OrfToken, tokenSeq: number, arrivedAru: number, sent: number, resent: number): void {
    this.#observe?.({
      kind: 'totem.token',
      now: this.#now,
      ring: this.#ringName,
      tokenSeq,
      arrivedAru,
      highSeq: token.seq,
      aru: token.aru,
      fcc: token.fcc,
      backlog: token.backlog,
      sent,
      resent,
      maxMessages: this.#timings.maxMessages,
      released: this.#lastReleased,
    });
  }

  #observeSuspicion(suspect: NodeId, why: Suspicion): void {
    if (this.#observe === undefined) return;
    const waited = why === 'silent' ? this.#now - this.#patienceFrom : 0;
    const patience = why === 'silent' ? this.#patience : 0;
    this.#observe({ kind: 'totem.suspected', now: this.#now, suspect, why, waited, patience });
  }
}

/** What can be seen of a ring from outside. */
export interface RingView {
  readonly state: RingState;
  readonly isUp: boolean;
  readonly ring: string;
  readonly oldRing: string;
  readonly members: readonly NodeId[];
  readonly proc: readonly NodeId[];
  readonly failed: readonly NodeId[];
  readonly consensus: readonly NodeId[];
  readonly aru: number;
  readonly highSeq: number;
  readonly highDelivered: number;
  readonly lastReleased: number;
  readonly tokenHeld: boolean;
  readonly waitingTransAck: boolean;
  readonly queued: number;
  readonly queuedTrans: number;
  readonly flowControl: { readonly trc: number; readonly pbl: number; readonly cbl: number };
  readonly counters: Readonly<Record<string, number>>;
}

function ascending(nodes: readonly NodeId[]): NodeId[] {
  return [...nodes].sort((a, b) => a - b);
}
