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
import { Incoming, withLength } from '../incoming.js';

export const NFS_PORT = 2049;

const REPLY_LIMIT = 10 * SECOND;
const NO_BYTES = new Uint8Array(0);

/** What a client asks of a server. Paths are those of the server. */
export interface NfsRequest {
  readonly kind:
    | 'mount'
    | 'read'
    | 'write'
    | 'append'
    | 'sync'
    | 'list'
    | 'stat'
    | 'remove'
    | 'rename'
    | 'mkdir'
    | 'rmdir';
  /** Name of the client, as with AUTH_SYS: it is believed. */
  readonly host: string;
  readonly path: string;
  /** Of `rename`. */
  readonly to?: string;
}

/** An answer: `value` is plain data, `bytes` what a file has. */
export interface NfsReply {
  readonly errno?: Errno;
  readonly value?: unknown;
}

/**
 * Messages between client and server: JSON, and the bytes that belong to it, each with its length.
 *
 * Differs from NFS, whose procedures these are, in its bytes.
 */
export function* sendMessage(os: Os, socket: Socket, message: object, bytes: Uint8Array = NO_BYTES): Task {
  yield* os.send(socket, concatBytes(withLength(utf8Bytes(JSON.stringify(message))), withLength(bytes)));
}

/** The next message; EPROTO for what is none. */
export function* receiveMessage(
  os: Os,
  socket: Socket,
): Task<{ readonly message: unknown; readonly bytes: Uint8Array } | Errno> {
  const stream = new Incoming(os, socket);
  const head = yield* stream.takeWithLength();
  if (isErrno(head)) return head;
  const message = parseMessage(utf8Text(head));
  if (message === undefined) return 'EPROTO';
  const bytes = yield* stream.takeWithLength();
  return isErrno(bytes) ? bytes : { message, bytes };
}

/** Undefined for what is no message. */
function parseMessage(text: string): object | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null ? message : undefined;
  } catch {
    return undefined;
  }
}

/** Asks a server once; EIO and other names of errors when it does not answer. */
export function* askServer(
  os: Os,
  address: string,
  request: NfsRequest,
  bytes?: Uint8Array,
): Task<{ readonly reply: NfsReply; readonly bytes: Uint8Array } | Errno> {
  const socket = yield* os.connect(address, NFS_PORT, REPLY_LIMIT);
  if (isErrno(socket)) return socket;
  yield* sendMessage(os, socket, request, bytes);
  const answer = yield* receiveMessage(os, socket);
  os.close(socket);
  return isErrno(answer) ? answer : { reply: answer.message as NfsReply, bytes: answer.bytes };
}
