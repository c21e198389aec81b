import type { Pdu } from './pdu.js';

/**
 * The data segment of a SCSI Response with CHECK CONDITION, and of an Asynchronous Message with a SCSI event.
 *
 * offset size field
 *      0    2 SenseLength
 *      2      sense data
 *
 * Source: RFC 7143, 11.4.7 and 11.9.4.
 */
export function senseSegment(sense: Uint8Array): Uint8Array {
  const segment = new Uint8Array(2 + sense.length);
  segment[0] = sense.length >>> 8;
  segment[1] = sense.length;
  segment.set(sense, 2);
  return segment;
}

/** The sense data in such a PDU, as much of it as came; aliases the PDU. */
export function senseIn({ data }: Pdu): Uint8Array {
  const length = data.length < 2 ? 0 : (data[0]! << 8) | data[1]!;
  return data.subarray(2, 2 + length);
}
