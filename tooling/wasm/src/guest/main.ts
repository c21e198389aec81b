import { decode, encode } from '@msgpack/msgpack';
import type { Request } from './messages.js';
import { ring } from './ring.js';
import { simulate } from './simulate.js';

/** A request in MessagePack in, its reply in MessagePack out; see `messages.ts`. */
export function main(bytes: Uint8Array): Uint8Array {
  const request = decode(bytes) as Request;
  switch (request.kind) {
    case 'simulate':
      return encode(simulate(request));
    case 'ring':
      return encode(ring(request));
  }
}
