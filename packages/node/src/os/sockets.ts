import type { Errno, Socket, TaskId } from '@quorate/kernel';
import type { IpInput } from '@quorate/network';

/** How a socket answers the task that waits for it. */
type Reply = (task: TaskId, value: unknown) => void;

interface Listener {
  readonly kind: 'listener';
  readonly port: number;
  readonly owner: number;
  readonly waiting: Socket[];
  accepting: TaskId | undefined;
}

interface Stream {
  readonly kind: 'stream';
  readonly owner: number;
  /** The connection's id in the IP stack. */
  readonly connection: number;
  readonly chunks: Uint8Array[];
  isEnded: boolean;
  error: Errno | undefined;
  connecting: TaskId | undefined;
  receiving: TaskId | undefined;
}

const NOTHING = new Uint8Array(0);

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}

/** The stream sockets of a machine's processes, on top of its IP stack. */
export class Sockets {
  readonly #sockets = new Map<Socket, Listener | Stream>();
  readonly #byConnection = new Map<number, Socket>();
  readonly #toStack: (input: IpInput) => void;
  readonly #reply: Reply;
  readonly #newConnection: () => number;
  #last = 2;

  constructor(toStack: (input: IpInput) => void, newConnection: () => number, reply: Reply) {
    this.#toStack = toStack;
    this.#newConnection = newConnection;
    this.#reply = reply;
  }

  listen(port: number, owner: number): Socket | Errno {
    if (!isPort(port)) return 'EINVAL';
    for (const socket of this.#sockets.values()) {
      if (socket.kind === 'listener' && socket.port === port) return 'EADDRINUSE';
    }
    this.#toStack({ kind: 'tcp-listen', port });
    return this.#open({ kind: 'listener', port, owner, waiting: [], accepting: undefined });
  }

  /** Gives a connection that waits, or lets the task wait for one. */
  accept(task: TaskId, listener: Socket): void {
    const socket = this.#sockets.get(listener);
    if (socket?.kind !== 'listener') return this.#reply(task, 'EBADF');
    const next = socket.waiting.shift();
    if (next !== undefined) return this.#reply(task, next);
    socket.accepting = task;
  }

  connect(task: TaskId, owner: number, address: string, port: number): Socket {
    const connection = this.#newConnection();
    const stream = this.#stream(connection, owner);
    stream.connecting = task;
    const socket = this.#open(stream);
    this.#byConnection.set(connection, socket);
    this.#toStack({ kind: 'tcp-connect', id: connection, to: address, port });
    return socket;
  }

  /** Ends an attempt to connect that has taken too long; nothing happens once it has ended otherwise. */
  giveUp(which: Socket): void {
    const socket = this.#sockets.get(which);
    if (socket?.kind !== 'stream' || socket.connecting === undefined) return;
    this.#toStack({ kind: 'tcp-abort', id: socket.connection });
    this.onFailed(socket.connection, 'ETIMEDOUT');
  }

  receive(task: TaskId, from: Socket): void {
    const socket = this.#sockets.get(from);
    if (socket?.kind !== 'stream') return this.#reply(task, 'EBADF');
    const chunk = socket.chunks.shift();
    if (chunk !== undefined) return this.#reply(task, chunk);
    if (socket.error !== undefined) return this.#reply(task, socket.error);
    if (socket.isEnded) return this.#reply(task, NOTHING);
    socket.receiving = task;
  }

  send(to: Socket, bytes: Uint8Array): Errno | undefined {
    const socket = this.#sockets.get(to);
    if (socket?.kind !== 'stream') return 'EBADF';
    if (socket.error !== undefined) return 'EPIPE';
    this.#toStack({ kind: 'tcp-send', id: socket.connection, bytes });
    return undefined;
  }

  /** A task that waits for something from it hears that it is gone. */
  close(which: Socket): void {
    const socket = this.#sockets.get(which);
    if (socket === undefined) return;
    this.#sockets.delete(which);
    const task = socket.kind === 'listener' ? socket.accepting : socket.receiving;
    if (task !== undefined) this.#reply(task, 'EBADF');
    if (socket.kind === 'listener') {
      this.#toStack({ kind: 'tcp-unlisten', port: socket.port });
      for (const waiting of socket.waiting) this.close(waiting);
      return;
    }
    this.#byConnection.delete(socket.connection);
    if (socket.error === undefined) this.#toStack({ kind: 'tcp-close', id: socket.connection });
  }

  /** Closes what a process that ended had opened. */
  closeOf(owner: number): void {
    for (const [id, socket] of this.#sockets) {
      if (socket.owner === owner) this.close(id);
    }
  }

  /** Whether a connection of the stack belongs to a socket here. */
  owns(connection: number): boolean {
    return this.#byConnection.has(connection);
  }

  /** Takes a connection that the stack accepted on a port; false when nobody listens there through a socket. */
  onAccepted(connection: number, port: number): boolean {
    for (const listener of this.#sockets.values()) {
      if (listener.kind !== 'listener' || listener.port !== port) continue;
      const stream = this.#stream(connection, listener.owner);
      const socket = this.#open(stream);
      this.#byConnection.set(connection, socket);
      const task = listener.accepting;
      listener.accepting = undefined;
      if (task === undefined) listener.waiting.push(socket);
      else this.#reply(task, socket);
      return true;
    }
    return false;
  }

  onConnected(connection: number): void {
    const found = this.#find(connection);
    if (found === undefined) return;
    const { id, stream } = found;
    const task = stream.connecting;
    stream.connecting = undefined;
    if (task !== undefined) this.#reply(task, id);
  }

  onReceived(connection: number, bytes: Uint8Array): void {
    const stream = this.#find(connection)?.stream;
    if (stream === undefined) return;
    const copy = bytes.slice();
    const task = stream.receiving;
    stream.receiving = undefined;
    if (task === undefined) stream.chunks.push(copy);
    else this.#reply(task, copy);
  }

  onClosed(connection: number): void {
    const stream = this.#find(connection)?.stream;
    if (stream === undefined) return;
    stream.isEnded = true;
    const task = stream.receiving;
    stream.receiving = undefined;
    if (task !== undefined) this.#reply(task, NOTHING);
  }

  onFailed(connection: number, errno: Errno): void {
    const found = this.#find(connection);
    if (found === undefined) return;
    const { id, stream } = found;
    stream.error = errno;
    for (const task of [stream.connecting, stream.receiving]) if (task !== undefined) this.#reply(task, errno);
    if (stream.connecting !== undefined) {
      this.#sockets.delete(id);
      this.#byConnection.delete(connection);
    }
    stream.connecting = stream.receiving = undefined;
  }

  #find(connection: number): { readonly id: Socket; readonly stream: Stream } | undefined {
    const id = this.#byConnection.get(connection);
    const stream = id === undefined ? undefined : this.#sockets.get(id);
    return id === undefined || stream?.kind !== 'stream' ? undefined : { id, stream };
  }

  #open(socket: Listener | Stream): Socket {
    this.#last += 1;
    this.#sockets.set(this.#last, socket);
    return this.#last;
  }

  #stream(connection: number, owner: number): Stream {
    return {
      kind: 'stream',
      owner,
      connection,
      chunks: [],
      isEnded: false,
      error: undefined,
      connecting: undefined,
      receiving: undefined,
    };
  }
}
