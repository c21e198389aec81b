import { EventQueue, MICROSECOND, murmur3Of, type Nanos } from '@quorate/kernel';
import { EventClass, EventHash } from '@quorate/simulator';
import { TraceRing } from '@quorate/trace';
import type { RingReply, RingRequest } from './messages.js';

const NODES = 5;
const FRAME_BYTES = 16;

/** From one node to the next. */
const LATENCY: Nanos = 50 * MICROSECOND;

/** `net.recv` of the trace's kinds. */
const RECEIVE = 9;

/**
 * Nodes pass a frame round; each adds one to its sequence number, and that is all it does.
 *
 * What is left is what every run pays for every event: queue, pooled frame, hash and ring of the trace. Each node has one
 * frame under way, so `NODES` events are pending.
 */
export function ring({ events }: RingRequest): RingReply {
  const queue = new EventQueue();
  const hash = new EventHash();
  const trace = new TraceRing();
  const frames = Array.from({ length: NODES }, () => new DataView(new ArrayBuffer(FRAME_BYTES)));
  const holders = Uint8Array.from(frames.keys());
  frames.forEach((_, frame) => {
    queue.push(frame, frame, frame);
  });
  let now: Nanos = 0;
  for (let event = 1; event <= events; event++) {
    now = queue.time;
    const frame = queue.pop();
    const view = frames[frame]!;
    const node = holders[frame]!;
    const seq = view.getUint32(0, true) + 1;
    view.setUint32(0, seq, true);
    hash.event(now, (EventClass.frame << 24) | (node << 16) | RECEIVE, frame, seq);
    hash.word(murmur3Of(view, FRAME_BYTES));
    trace.add(now, event, RECEIVE, node, EventClass.frame, frame, seq, FRAME_BYTES);
    holders[frame] = (node + 1) % NODES;
    queue.push(now + LATENCY, event + NODES, frame);
  }
  return { at: now, events, hash: hash.digest() };
}
