import { FrameCapture, type FrameCaptureOptions } from '../capture/frame-capture.js';
import type { Trace } from '../reader.js';

/**
 * The frames of a traced run, for Wireshark; see `FrameCapture`. Times are the run's own, from 1970 on. Yields nothing but whole
 * blocks.
 *
 * @throws {RangeError} when frames were traced without their bytes.
 */
export function* exportPcapng(trace: Trace, options?: FrameCaptureOptions): Generator<Uint8Array, void, undefined> {
  const blocks: Uint8Array[] = [];
  const capture = new FrameCapture(trace.header, (block) => blocks.push(block.slice()), options);
  for (const { time, node, kind, fields } of trace.records()) {
    const id = Number(fields.id);
    switch (kind) {
      case 'net.send': {
        // The first copy has the bytes, further ones follow at once.
        const payload = fields.payload as Uint8Array;
        if (payload.length > 0) capture.sent(time, node, payload);
        capture.copied(time, node, id);
        break;
      }
      case 'net.recv': {
        const payload = fields.payload as Uint8Array;
        if (payload.length === 0) {
          throw new RangeError(`the frame at ${time} ns has no bytes: pcapng needs a trace with payloads`);
        }
        capture.received(time, node, id, payload);
        break;
      }
      case 'net.drop':
        capture.dropped(time, node, id, Number(fields.to), String(fields.reason));
        break;
    }
    yield* blocks.splice(0);
  }
  yield* blocks.splice(0);
}
