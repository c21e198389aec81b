import { decode, encode } from '@msgpack/msgpack';
import type { Engine } from './engine.js';
import type { ReplyTo, Request } from './guest/messages.js';

/** Asks the simulator's program in an engine; both ways are MessagePack. */
export async function ask<R extends Request>(engine: Engine, request: R): Promise<ReplyTo<R>> {
  return decode(await engine.call(encode(request).slice())) as ReplyTo<R>;
}
