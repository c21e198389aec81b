import { hex, MICROSECOND, MILLISECOND, type Nanos } from '@quorate/kernel';
import { type NodeId, Totem, type TotemInput, type TotemTimings } from '../src/index.js';
import { isSameRing, type RingId } from '../src/ring-id.js';
import { Encapsulated } from '../src/wire/header.js';
import { MCAST_HEADER_BYTES } from '../src/wire/mcast.js';
import { decodePacket, type Packet } from '../src/wire/packet.js';
import { type Recorded, withoutTarget } from './recorded.js';

/** From the recording at the sender to the receiver's process. */
const LATENCY = 20 * MICROSECOND;
/** How long corosync stands still while it writes the ring id file. */
const STORING = 500 * MICROSECOND;
/** From a message to its packet, on a node alone in its ring. */
const AHEAD = 60 * MICROSECOND;
/** Data that fill one packet of the group `x` exactly: it is queued at once. */
const FULL = new Uint8Array(1395);

/** Packets that the recorded node sent with one token. */
interface Burst {
  readonly at: Nanos;
  count: number;
  /** The token it had accepted. */
  ring?: RingId;
  tokenSeq?: number;
  /** It had it from itself, which nobody else could see. */
  isAlone: boolean;
}

interface Step {
  readonly at: Nanos;
  readonly run: () => void;
}

/**
 * Plays a recording to a `Totem` in the place of one of its nodes: it hears what that node heard, has as much to say at
 * the same tokens, and leaves when it left. What it says comes out as text, one datagram a line.
 */
export class Replay {
  readonly expected: readonly string[];
  readonly said: string[] = [];
  readonly #me: NodeId;
  readonly #totem: Totem;
  readonly #end: Nanos;
  readonly #steps: Step[] = [];
  readonly #bursts: Burst[];
  #now: Nanos = 0;
  #busyUntil: Nanos = 0;
  #packetsDue = 0;
  #packetsSent = 0;

  constructor(recording: readonly Recorded[], me: NodeId, nodes: number, timings: TotemTimings) {
    this.#me = me;
    const ids = Array.from({ length: nodes }, (_, i) => ({ id: i + 1 }));
    this.#totem = new Totem({ nodeId: me, nodes: ids, era: 'modern', timings, ringSeq: 0 });
    this.#end = recording.at(-1)!.at + MILLISECOND;
    this.#bursts = burstsOf(recording, me);
    this.expected = recording.filter((datagram) => isSaid(datagram, me)).map(({ bytes }) => lineOf(bytes));
    for (const datagram of recording) this.#plan(datagram);
    this.#steps.sort((a, b) => a.at - b.at);
    const start = recording.find(({ from, bytes }) => from === me && read(bytes).kind === 'join')!;
    this.#steps.unshift({ at: start.at, run: () => this.#step({ kind: 'network-up' }) });
  }

  run(): void {
    for (const { at, run } of this.#steps) {
      this.#wakeUntil(Math.max(this.#busyUntil, at - 1));
      this.#now = Math.max(this.#now, at, this.#busyUntil);
      this.#castIfAlone();
      run();
    }
    this.#wakeUntil(this.#end);
  }

  #plan({ at, from, to, bytes }: Recorded): void {
    const packet = read(bytes);
    if (from !== this.#me) {
      if (to.includes(this.#me)) this.#steps.push({ at: at + LATENCY, run: () => this.#hear(packet, bytes) });
    } else if (packet.kind === 'hold-cancel') {
      this.#steps.push({ at, run: () => this.#cast() });
    } else if (packet.kind === 'join' && packet.body.nodeId === 0) {
      this.#steps.push({ at, run: () => this.#step({ kind: 'leave' }) });
    }
  }

  #hear(packet: Packet, bytes: Uint8Array): void {
    const burst = this.#bursts[0];
    if (packet.kind === 'orf-token' && burst?.ring !== undefined) {
      if (isSameRing(packet.body.ring, burst.ring) && packet.body.tokenSeq === burst.tokenSeq) this.#cast();
    }
    this.#step({ kind: 'datagram', bytes });
  }

  #wakeUntil(time: Nanos): void {
    for (;;) {
      const at = Math.max(this.#busyUntil, this.#totem.deadline());
      if (at > time) return;
      this.#now = at;
      this.#castIfAlone();
      this.#step({ kind: 'wake' });
    }
  }

  #castIfAlone(): void {
    const burst = this.#bursts[0];
    if (burst?.isAlone === true && burst.at <= this.#now + AHEAD) this.#cast();
  }

  /** Casts the next burst, if the last one is out. */
  #cast(): void {
    if (this.#packetsSent < this.#packetsDue) return;
    const burst = this.#bursts.shift();
    if (burst === undefined) return;
    this.#packetsDue += burst.count;
    for (let i = 0; i < burst.count; i++) this.#step({ kind: 'cast', group: 'x', payload: FULL });
  }

  #step(input: TotemInput): void {
    this.#totem.step(this.#now, input, (output) => {
      if (output.kind === 'store-ring-seq') this.#busyUntil = this.#now + STORING;
      if (output.kind !== 'unicast' && output.kind !== 'multicast') return;
      if (isOwnPacket(read(output.bytes), this.#me)) this.#packetsSent += 1;
      this.said.push(lineOf(output.bytes));
    });
  }
}

function burstsOf(recording: readonly Recorded[], me: NodeId): Burst[] {
  const bursts: Burst[] = [];
  const places = new Set<string>();
  let open: Burst | undefined;
  for (const { at, from, to, bytes } of recording) {
    if (from !== me) continue;
    const packet = read(bytes);
    if (packet.kind === 'orf-token') {
      if (open !== undefined) {
        open.ring = packet.body.ring;
        open.tokenSeq = packet.body.tokenSeq - 1;
        open.isAlone = to.every((node) => node === me);
      }
      open = undefined;
    } else if (isOwnPacket(packet, me)) {
      const place = `${packet.body.ring.representative}.${packet.body.ring.seq} ${packet.body.seq}`;
      if (places.has(place)) continue;
      places.add(place);
      if (open === undefined) {
        open = { at, count: 0, isAlone: true };
        bursts.push(open);
      }
      open.count += 1;
    }
  }
  return bursts;
}

type McastPacket = Extract<Packet, { kind: 'mcast' }>;

function isOwnPacket(packet: Packet, me: NodeId): packet is McastPacket {
  return packet.kind === 'mcast' && packet.body.systemFrom === me && packet.body.encapsulated === Encapsulated.normal;
}

/** A token that a node sends to itself stays in the machine. */
function isSaid({ from, to, bytes }: Recorded, me: NodeId): boolean {
  if (from !== me) return false;
  const { kind } = read(bytes);
  return (kind !== 'orf-token' && kind !== 'commit-token') || to.some((node) => node !== me);
}

function read(bytes: Uint8Array): Packet {
  const packet = decodePacket(bytes);
  if (typeof packet === 'string') throw new Error(packet);
  return packet;
}

/** All of a datagram; of an ordered message only what totemsrp makes of it. */
function lineOf(bytes: Uint8Array): string {
  const { kind } = read(bytes);
  return `${kind} ${hex(withoutTarget(kind === 'mcast' ? bytes.subarray(0, MCAST_HEADER_BYTES) : bytes))}`;
}
