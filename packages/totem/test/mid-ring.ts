import { ByteWriter, MILLISECOND, type Nanos } from '@quorate/kernel';
import type { NodeId, RingId, Totem, TotemInput } from '../src/index.js';
import { type CommitToken, encodeCommitToken } from '../src/wire/commit-token.js';
import { Encapsulated } from '../src/wire/header.js';
import { encodeJoin } from '../src/wire/join.js';
import { encodeMcast } from '../src/wire/mcast.js';
import { encodeOrfToken, type OrfToken } from '../src/wire/orf-token.js';

/** Where a recording begins, for a node that was in a ring by then. */
export interface MidRing {
  readonly ring: RingId;
  readonly members: readonly NodeId[];
  /** Packets that the ring had ordered. */
  readonly seq: number;
  /** The last token that the node had accepted, as far as it is not that of an idle ring, and when that was. */
  readonly token: Partial<OrfToken> & Pick<OrfToken, 'tokenSeq'>;
  readonly at: Nanos;
  /** Whether the ring had been idle for so long that the token was held. */
  readonly isIdle: boolean;
}

/** How far rings' sequences are apart. */
const STEP = 4;
/** A whole message of length 0 for no group: it is dropped behind totemsrp. */
const NOTHING = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0, 0, 0);

/** Sequence in the ring id file with which a node has to start so that `enterMidRing` leads it into that ring. */
export function ringSeqBefore(ring: RingId): number {
  return ring.seq - 2 * STEP - 1;
}

/**
 * Leads a node that was just made into the ring that a recording begins in the middle of, by what the others could have
 * said: it starts alone, hears their joins and the commit token, and is given as many packets and tokens as there were.
 */
export function enterMidRing(totem: Totem, me: NodeId, start: MidRing, step: (now: Nanos, input: TotemInput) => void) {
  const { ring, members, seq } = start;
  const others = members.filter((node) => node !== me);
  const writer = new ByteWriter(true, 2048);
  let now = start.at - 20 * MILLISECOND;
  const hear = (): void => step(now, { kind: 'datagram', bytes: writer.bytes() });
  const token = (seq: number, tokenSeq: number, more: Partial<OrfToken> = {}): void => {
    const nodeId = others[0]!;
    const idle = { nodeId, seq, tokenSeq, aru: seq, aruAddr: 0, ring, backlog: 0, fcc: 0, retransFlg: 0, rtr: [] };
    encodeOrfToken(writer, { ...idle, ...more });
    hear();
  };

  step(now, { kind: 'network-up' });
  for (const end = now + MILLISECOND; totem.deadline() < end; ) {
    now = totem.deadline();
    step(now, { kind: 'wake' });
  }
  const join = { proc: members, failed: [], ringSeq: ring.seq - STEP };
  for (let round = 0; round < 2; round++) {
    for (const other of others) {
      encodeJoin(writer, { ...join, nodeId: other, systemFrom: other });
      hear();
    }
  }
  for (const membIndex of ring.representative === me ? [members.length] : [members.indexOf(me), members.length]) {
    encodeCommitToken(writer, commitToken(start, membIndex));
    hear();
  }
  if (ring.representative === me) hear();
  for (let i = 1; i <= 5; i++) token(0, i);
  for (let i = 1; i <= seq; i++) {
    encodeMcast(writer, {
      ...{ nodeId: me, littleEndian: true, encapsulated: Encapsulated.normal, systemFrom: me },
      ...{ seq: i, thisSeqno: i, ring, guarantee: 0, payload: NOTHING },
    });
    hear();
  }
  now = start.at - 1;
  const { tokenSeq, rtr: _, ...earlier } = start.token;
  for (let i = start.isIdle ? 40 : 2; i > 0; i--) token(seq, tokenSeq - i, earlier);
  now = start.at;
  token(seq, tokenSeq, start.token);
}

/** As everybody of the ring fills it: each comes from a ring of its own. */
function commitToken({ ring, members }: MidRing, membIndex: number): CommitToken {
  const entries = members.map((node, i) => ({
    ring: i < membIndex ? { representative: node, seq: ring.seq - STEP } : { representative: 0, seq: 0 },
    aru: 0,
    highDelivered: 0,
    receivedFlg: i < membIndex ? 1 : 0,
  }));
  return { nodeId: members[0]!, tokenSeq: membIndex, ring, membIndex, addresses: members, entries };
}
