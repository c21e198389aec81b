import { EventKind } from './event-tap.js';
import { DRIVER_NODE } from './layout.js';
import type { TraceRing } from './ring.js';
import { type TraceHeader, TraceWriter } from './writer.js';

const NOTHING = new Uint8Array(0);

/**
 * Writes the last events of a run as a trace: what arrived, which commands reached the disks and ended, which timers fired.
 *
 * A ring has neither what was sent nor what caused an event: `cause` is 0.
 */
export function writeRing(ring: TraceRing, header: TraceHeader, hash: string, sink: (bytes: Uint8Array) => void): void {
  const writer = new TraceWriter(header, sink);
  for (const { time, seq, kind, node, id, a, b } of ring.records()) {
    switch (kind) {
      case EventKind.receive:
        writer.add('receive', node, time, seq, [id, a, 0, NOTHING]);
        break;
      case EventKind.timer:
        writer.add('timer', node === 0 ? DRIVER_NODE : node, time, seq, []);
        break;
      case EventKind.arrive:
        writer.add('arrive', node, time, seq, [id, a, 0]);
        break;
      case EventKind.done:
        writer.add('done', node, time, seq, [id, a, '', b, 0]);
        break;
    }
  }
  writer.end(hash);
}
