import {
  asciiBytes,
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
 * Messages between client and server: a line of JSON, with the number of bytes that follow it.
 *
 * Differs from NFS, whose procedures these are, in its bytes.
 */
export function* sendMessage(os: Os, socket: Socket, message: object, bytes: Uint8Array = NO_BYTES): Task {
  const head = utf8Bytes(`${JSON.stringify({ ...message, length: bytes.length })}\n`);
  yield* os.send(socket, concatBytes(head, bytes));
}

/** The next message. */
export function* receiveMessage(
  os: Os,
  socket: Socket,
): Task<{ readonly message: unknown; readonly bytes: Uint8Array } | Errno> {
  let all = asciiBytes('');
  for (;;) {
    const end = all.indexOf(0x0a);
    if (end >= 0) {
      const message = parseMessage(utf8Text(all.subarray(0, end)));
      if (message === undefined) return 'EPROTO';
      if (all.length >= end + 1 + message.length)
        return { message, bytes: all.slice(end + 1, end + 1 + message.length) };
    }
    const more = yield* os.receive(socket);
    if (isErrno(more)) return more;
    if (more.length === 0) return 'ECONNRESET';
    all = concatBytes(all, more);
  }
}

/** Undefined for what is no message. */
function parseMessage(line: string): { readonly length: number } | undefined {
  try {
    const message: unknown = JSON.parse(line);
    const isMessage = typeof message === 'object' && message !== null && 'length' in message;
    return isMessage && Number.isSafeInteger(message.length) ? (message as { readonly length: number }) : undefined;
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
