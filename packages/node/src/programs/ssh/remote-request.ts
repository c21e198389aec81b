import {
  concatBytes,
  type Errno,
  isErrno,
  type Os,
  SECOND,
  type Socket,
  type Task,
  utf8Bytes,
  utf8Text,
} from '@quorate/kernel';
import { Incoming, withLength } from '../../os/incoming.js';

export const SSH_PORT = 22;
const CONNECT_TIMEOUT = 127 * SECOND;

/** What one machine asks of the sshd of another one, once for each connection. */
export type RemoteRequest =
  | { readonly kind: 'run'; readonly command: string; readonly input: string }
  | { readonly kind: 'get'; readonly path: string }
  /** Into `path`, or as `name` into the directory `path`. */
  | { readonly kind: 'put'; readonly path: string; readonly name: string; readonly content: Uint8Array };

export interface RemoteReply {
  /** Exit status. */
  readonly status: number;
  /** What was printed, or the content of a file. */
  readonly output: Uint8Array;
  readonly errors: string;
}

// Ours, and in the clear: SSH's own bytes could be judged by nobody who listens.
const KINDS = ['run', 'get', 'put'] as const;

function encodeRequest(request: RemoteRequest): Uint8Array {
  const parts = partsOf(request);
  return concatBytes(Uint8Array.of(KINDS.indexOf(request.kind), parts.length), ...parts.map(withLength));
}

function partsOf(request: RemoteRequest): readonly Uint8Array[] {
  switch (request.kind) {
    case 'run':
      return [utf8Bytes(request.command), utf8Bytes(request.input)];
    case 'get':
      return [utf8Bytes(request.path)];
    case 'put':
      return [utf8Bytes(request.path), utf8Bytes(request.name), request.content];
  }
}

export function encodeReply({ status, output, errors }: RemoteReply): Uint8Array {
  return concatBytes(Uint8Array.of(status), withLength(output), withLength(utf8Bytes(errors)));
}

/** The request of a client; undefined if it goes without one, or asks nonsense. */
export function* receiveRequest(os: Os, socket: Socket): Task<RemoteRequest | undefined> {
  const stream = new Incoming(os, socket);
  const head = yield* stream.take(2);
  if (isErrno(head)) return undefined;
  const parts: Uint8Array[] = [];
  for (let i = 0; i < head[1]!; i++) {
    const part = yield* stream.takeWithLength();
    if (isErrno(part)) return undefined;
    parts.push(part);
  }
  const [first, second, third] = parts;
  const kind = KINDS[head[0]!];
  if (first === undefined || kind === undefined) return undefined;
  if (kind === 'get') return { kind, path: utf8Text(first) };
  if (second === undefined) return undefined;
  if (kind === 'run') return { kind, command: utf8Text(first), input: utf8Text(second) };
  return third === undefined ? undefined : { kind, path: utf8Text(first), name: utf8Text(second), content: third };
}

/** Asks the sshd of a machine, or who listens on another port. ECONNRESET when it goes before it has answered. */
export function* askRemote(
  os: Os,
  address: string,
  request: RemoteRequest,
  port: number = SSH_PORT,
): Task<RemoteReply | Errno> {
  const socket = yield* os.connect(address, port, CONNECT_TIMEOUT);
  if (isErrno(socket)) return socket;
  const refused = yield* os.send(socket, encodeRequest(request));
  const reply = refused ?? (yield* receiveReply(new Incoming(os, socket)));
  os.close(socket);
  return reply;
}

function* receiveReply(stream: Incoming): Task<RemoteReply | Errno> {
  const status = yield* stream.take(1);
  if (isErrno(status)) return status;
  const output = yield* stream.takeWithLength();
  if (isErrno(output)) return output;
  const errors = yield* stream.takeWithLength();
  return isErrno(errors) ? errors : { status: status[0]!, output, errors: utf8Text(errors) };
}
