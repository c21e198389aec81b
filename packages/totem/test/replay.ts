import { hex, MICROSECOND, MILLISECOND, type Nanos, SECOND } from '@quorate/kernel';
import { type NodeId, Totem, type TotemFact, type TotemInput, type TotemTimings } from '../src/index.js';
import { formatRing, isSameRing, NO_RING, type RingId } from '../src/ring-id.js';
import { Encapsulated } from '../src/wire/header.js';
import { MCAST_HEADER_BYTES, type Mcast } from '../src/wire/mcast.js';
import { decodePacket, type Packet } from '../src/wire/packet.js';
import { enterMidRing, type MidRing, ringSeqBefore } from './mid-ring.js';
import { type Recorded, withoutTarget } from './recorded.js';

/** From the recording at the sender to the receiver's process. */
const LATENCY = 20 * MICROSECOND;
/** How long corosync stands still while it writes the ring id file. */
const STORING = 500 * MICROSECOND;
/** Time that passes before a recording begins. */
const BEFORE = 10 * SECOND;
/** Most packets that a node sends with one token. */
const MAX_MESSAGES = 17;
/** Data that fill one packet of the group `x` exactly: it is queued at once. */
const FULL = new Uint8Array(1395);

/** Packets that the recorded node sent with one token. */
interface Burst {
  count: number;
  /** The token that it had accepted. */
  readonly ring: RingId;
  readonly tokenSeq: number;
  /** It asked for the token first. */
  readonly isAfterCancel: boolean;
}

interface Step {
  readonly at: Nanos;
  readonly run: () => void;
}

export interface ReplayOptions {
  readonly me: NodeId;
  readonly nodes: number;
  readonly timings: TotemTimings;
  /** A node that starts with the recording has this in its ring id file; without it, it is in a ring by then. */
  readonly ringSeq?: number;
  /** Seconds of the recording in which the node ran. */
  readonly from?: number;
  readonly until?: number;
  /** Seconds in which nothing came through to it. */
  readonly cutOff?: readonly [from: number, until: number];
  /** What it had accepted before the recording began, where its first token does not tell. */
  readonly lastToken?: Pick<MidRing, 'token' | 'at' | 'isIdle'> & { readonly isAnswerRecorded?: boolean };
  /** What others sent in these last seconds before its first join waited in its socket. */
  readonly heardBefore?: number;
}

/**
 * Plays a recording to a `Totem` in the place of one of its nodes: it hears what that node heard, has as much to say at
 * the same tokens, and leaves when it left. What it says comes out as text, one datagram a line; what is the same as the
 * line before it, a join or token again, counts once, as corosync's timers are never on time.
 */
export class Replay {
  readonly said: string[] = [];
  /** States in their order, with the ring, but for gather. */
  readonly states: string[] = [];
  /** Packets in the order of their delivery. */
  readonly delivered: string[] = [];
  /** The same of the recorded node. */
  readonly recorded: { readonly said: string[]; readonly states: string[]; readonly delivered: string[] };
  readonly #me: NodeId;
  readonly #totem: Totem;
  readonly #end: Nanos;
  readonly #steps: Step[] = [];
  readonly #bursts: Burst[];
  #now: Nanos = 0;
  #busyUntil: Nanos = 0;
  #wakeFrom: Nanos = 0;
  #packetsDue = 0;
  #packetsSent = 0;
  #lastToken = '';
  readonly #begin: Nanos;

  constructor(recording: readonly Recorded[], options: ReplayOptions) {
    const { me, nodes, timings, ringSeq } = options;
    this.#me = me;
    const played = shifted(recording, options);
    const start = ringSeq === undefined ? midRingOf(played, options) : undefined;
    const isAnswerRecorded = options.lastToken?.isAnswerRecorded ?? false;
    this.#begin = Math.max((start?.at ?? 0) + (isAnswerRecorded ? 0 : 1), played[0]!.at - MILLISECOND);
    if (start !== undefined) this.states.push(`operational ${formatRing(start.ring)}`);
    this.#totem = new Totem({
      nodeId: me,
      nodes: Array.from({ length: nodes }, (_, i) => ({ id: i + 1 })),
      era: 'modern',
      timings,
      ringSeq: ringSeq ?? ringSeqBefore(start!.ring),
      tokenFacts: true,
      observe: (fact) => this.#observe(fact),
    });
    this.#end = played.at(-1)!.at + MILLISECOND;
    this.#bursts = burstsOf(played, me, start);
    const said = played.filter((datagram) => isSaid(datagram, me));
    this.recorded = {
      said: onceEach(said.map(({ bytes }) => lineOf(bytes))),
      states: statesOf(played, me, start),
      delivered: deliveredOf(played, me, start),
    };
    for (const datagram of played) this.#plan(datagram);
    this.#steps.sort((a, b) => a.at - b.at);
    if (start === undefined) this.#boot(played, options);
    else {
      enterMidRing(this.#totem, me, start, (now, input) => {
        this.#now = now;
        this.#step(input);
      });
    }
  }

  run(): this {
    for (const { at, run } of this.#steps) {
      this.#wakeUntil(Math.max(this.#busyUntil, at - 1));
      this.#now = Math.max(this.#now, at, this.#busyUntil);
      run();
    }
    this.#wakeUntil(this.#end);
    return this;
  }

  /** The first join goes out to one node after the other: what comes in before the copy to itself is heard before it. */
  #boot(played: readonly Recorded[], { heardBefore = 0 }: ReplayOptions): void {
    const join = played.find(({ from, bytes }) => from === this.#me && read(bytes).kind === 'join')!;
    const heard = this.#steps.filter((step) => step.at > join.at - heardBefore * SECOND);
    this.#steps.length = 0;
    this.#steps.push({ at: join.at, run: () => this.#step({ kind: 'network-up' }) }, ...heard);
    this.#wakeFrom = join.at + join.lags[join.to.indexOf(this.#me)]! + LATENCY;
  }

  #plan({ at, from, to, lags, bytes }: Recorded): void {
    const packet = read(bytes);
    const copy = to.indexOf(this.#me);
    if (from !== this.#me) {
      if (copy >= 0) this.#steps.push({ at: at + lags[copy]! + LATENCY, run: () => this.#hear(packet, bytes) });
    } else if (packet.kind === 'hold-cancel') {
      this.#steps.push({ at, run: () => this.#cast() });
    } else if (packet.kind === 'join' && packet.body.nodeId === 0) {
      this.#steps.push({ at, run: () => this.#step({ kind: 'leave' }) });
    }
  }

  #hear(packet: Packet, bytes: Uint8Array): void {
    const burst = this.#bursts[0];
    if (packet.kind === 'orf-token' && burst !== undefined) {
      const { ring, tokenSeq } = packet.body;
      if (isSameRing(ring, burst.ring) && tokenSeq === burst.tokenSeq && !burst.isAfterCancel) this.#cast();
    }
    this.#step({ kind: 'datagram', bytes });
  }

  #wakeUntil(time: Nanos): void {
    for (;;) {
      const at = Math.max(this.#busyUntil, this.#wakeFrom, this.#totem.deadline());
      if (at > time) return;
      this.#now = at;
      this.#step({ kind: 'wake' });
      this.#castIfAlone();
    }
  }

  /** A node alone in its ring has its next token from itself. */
  #castIfAlone(): void {
    const burst = this.#bursts[0];
    if (burst === undefined || burst.isAfterCancel) return;
    if (this.#lastToken === `${formatRing(burst.ring)} ${burst.tokenSeq - 1}`) this.#cast();
  }

  /** Casts the next burst, if the last one is out. */
  #cast(): void {
    if (this.#packetsSent >= this.#packetsDue) this.#castNow();
  }

  #castNow(): void {
    const burst = this.#bursts.shift();
    if (burst === undefined) return;
    this.#packetsDue += burst.count;
    for (let i = 0; i < burst.count; i++) this.#step({ kind: 'cast', group: 'x', payload: FULL });
    // What a token did not let go was queued all the same.
    if (burst.count === MAX_MESSAGES) this.#castNow();
  }

  #step(input: TotemInput): void {
    this.#totem.step(this.#now, input, (output) => {
      if (output.kind === 'store-ring-seq' && this.#isRecorded) this.#busyUntil = this.#now + STORING;
      if (output.kind !== 'unicast' && output.kind !== 'multicast') return;
      if (!this.#isRecorded) return;
      if (isOwnPacket(read(output.bytes), this.#me)) this.#packetsSent += 1;
      const line = lineOf(output.bytes);
      if (line !== this.said.at(-1)) this.said.push(line);
    });
  }

  /** Whether the recording had begun by now. */
  get #isRecorded(): boolean {
    return this.#now >= this.#begin;
  }

  #observe(fact: TotemFact): void {
    if (fact.kind === 'totem.token') this.#lastToken = `${fact.ring} ${fact.tokenSeq}`;
    if (!this.#isRecorded) return;
    if (fact.kind === 'totem.delivered') this.delivered.push(`${fact.ring} ${fact.msgSeq} of ${fact.sender}`);
    if (fact.kind !== 'totem.state') return;
    const state = fact.state === 'gather' ? 'gather' : `${fact.state} ${this.#totem.inspect().ring}`;
    if (state !== this.states.at(-1)) this.states.push(state);
  }
}

/** What the node could hear and say, on the machine's clock. */
function shifted(
  recording: readonly Recorded[],
  { me, from = 0, until = Infinity, cutOff }: ReplayOptions,
): readonly Recorded[] {
  return recording.flatMap((datagram) => {
    const { at } = datagram;
    if (at < from * SECOND || at > until * SECOND) return [];
    const isCutOff = cutOff !== undefined && at >= cutOff[0] * SECOND && at < cutOff[1] * SECOND;
    if (isCutOff && datagram.from !== me) return [];
    return [{ ...datagram, at: at + BEFORE }];
  });
}

/** Where the node stood when the recording began, by the first token that it got or sent on. */
function midRingOf(recording: readonly Recorded[], { me, nodes, timings, lastToken }: ReplayOptions): MidRing {
  for (const { at, from, to, bytes } of recording) {
    const packet = read(bytes);
    if (packet.kind !== 'orf-token' || (from !== me && !to.includes(me))) continue;
    const { ring, seq, tokenSeq } = packet.body;
    const isIdle = recording[0]!.at === at || at - recording[0]!.at > MILLISECOND;
    return {
      ring: { ...ring },
      members: Array.from({ length: nodes }, (_, i) => i + 1),
      seq,
      token: { tokenSeq: tokenSeq - (from === me ? 1 : nodes) },
      at: at - (isIdle ? timings.hold : 50 * MICROSECOND),
      isIdle,
      ...(lastToken && { ...lastToken, at: BEFORE + lastToken.at * SECOND }),
    };
  }
  throw new Error('a recording without a token');
}

/** What a node's datagrams show of its states. Of a ring's operational state it is the first packet of its own. */
function statesOf(played: readonly Recorded[], me: NodeId, start: MidRing | undefined): string[] {
  const states = start === undefined ? [] : [`operational ${formatRing(start.ring)}`];
  const enter = (state: string): void => {
    if (!states.slice(states.lastIndexOf('gather') + 1).includes(state) && states.at(-1) !== state) states.push(state);
  };
  for (const { from, to, bytes } of played) {
    if (from !== me) continue;
    const packet = read(bytes);
    if (packet.kind !== 'commit-token' && isLateCopy(to, me)) continue;
    if (packet.kind === 'join' && packet.body.nodeId !== 0) enter('gather');
    if (packet.kind === 'commit-token') {
      const ring = formatRing(packet.body.ring);
      enter(`${states.at(-1) === `commit ${ring}` ? 'recovery' : 'commit'} ${ring}`);
    }
    if (isOwnPacket(packet, me)) enter(`operational ${formatRing(packet.body.ring)}`);
  }
  return states;
}

/** Every packet that came to a node or was its own, ring by ring, of rings in which it had the token. */
function deliveredOf(played: readonly Recorded[], me: NodeId, start: MidRing | undefined): string[] {
  const rings = new Map<string, Map<number, NodeId>>();
  const own = new Set<string>();
  for (const { from, to, bytes } of played) {
    const packet = read(bytes);
    if (packet.kind === 'orf-token' && from === me) own.add(formatRing(packet.body.ring));
    if (packet.kind !== 'mcast' || packet.body.encapsulated !== Encapsulated.normal) continue;
    const { ring, seq, systemFrom } = packet.body;
    if (isFromBefore(packet.body, start) || (from !== me && !to.includes(me))) continue;
    const name = formatRing(ring);
    rings.set(name, (rings.get(name) ?? new Map<number, NodeId>()).set(seq, systemFrom));
  }
  const inOrder = (packets: Map<number, NodeId>) => [...packets].sort(([a], [b]) => a - b);
  return [...rings].flatMap(([ring, packets]) =>
    own.has(ring) ? inOrder(packets).map(([seq, sender]) => `${ring} ${seq} of ${sender}`) : [],
  );
}

function burstsOf(recording: readonly Recorded[], me: NodeId, start: MidRing | undefined): Burst[] {
  const bursts: Burst[] = [];
  const places = new Set<string>();
  let accepted = { ring: NO_RING, tokenSeq: -1 };
  let open: Burst | undefined;
  let isAfterCancel = false;
  for (const { from, to, bytes } of recording) {
    const packet = read(bytes);
    if (packet.kind === 'orf-token' && to.includes(me)) {
      accepted = { ring: { ...packet.body.ring }, tokenSeq: packet.body.tokenSeq };
    }
    if (from !== me) continue;
    if (packet.kind === 'orf-token') open = undefined;
    if (packet.kind === 'hold-cancel') isAfterCancel = true;
    if (!isOwnPacket(packet, me) || isFromBefore(packet.body, start)) continue;
    const place = `${formatRing(packet.body.ring)} ${packet.body.seq}`;
    if (places.has(place)) continue;
    places.add(place);
    if (open === undefined) {
      open = { ...accepted, count: 0, isAfterCancel };
      isAfterCancel = false;
      bursts.push(open);
    }
    open.count += 1;
  }
  return bursts;
}

type McastPacket = Extract<Packet, { kind: 'mcast' }>;

function isOwnPacket(packet: Packet, me: NodeId): packet is McastPacket {
  return packet.kind === 'mcast' && packet.body.systemFrom === me && packet.body.encapsulated === Encapsulated.normal;
}

/** Whether a packet had its place before the recording began. */
function isFromBefore({ ring, seq }: Mcast, start: MidRing | undefined): boolean {
  return start !== undefined && isSameRing(ring, start.ring) && seq <= start.seq;
}

/** A token that a node sends to itself stays in the machine. */
function isSaid({ from, to, bytes }: Recorded, me: NodeId): boolean {
  if (from !== me) return false;
  const { kind } = read(bytes);
  return kind === 'orf-token' || kind === 'commit-token' ? !to.includes(me) : !isLateCopy(to, me);
}

/** Whether a copy went out alone: of what goes to all, it is one that had waited for an address to be resolved. */
function isLateCopy(to: readonly NodeId[], me: NodeId): boolean {
  return to.length === 1 && !to.includes(me);
}

function read(bytes: Uint8Array): Packet {
  const packet = decodePacket(bytes);
  if (typeof packet === 'string') throw new Error(packet);
  return packet;
}

function onceEach(lines: readonly string[]): string[] {
  return lines.filter((line, i) => line !== lines[i - 1]);
}

/** All of a datagram; of an ordered message only what totemsrp makes of it, without the sender's running count. */
function lineOf(bytes: Uint8Array): string {
  const { kind } = read(bytes);
  if (kind !== 'mcast') return `${kind} ${hex(withoutTarget(bytes))}`;
  const header = withoutTarget(bytes.subarray(0, MCAST_HEADER_BYTES));
  return `${kind} ${hex(header.fill(0, 21, 25))}`;
}
