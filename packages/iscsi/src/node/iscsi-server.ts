import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Nanos } from '@quorate/kernel';
import { IMMEDIATE_SERVICE, type LogicalUnitConfig } from '@quorate/scsi';
import { IscsiTarget, type IscsiTargetConfig } from '../target/iscsi-target.js';
import type { IscsiTargetOutput } from '../target/target-io.js';
import { RANDOM_WORLD } from './random-world.js';
import { FramePool, SocketOutput } from './socket-output.js';

/** Hears every byte of the connections. What it is handed is lent. */
export interface StreamTap {
  /** `remote` and `local` as `10.0.0.1:40000`, or `[::1]:40000`. */
  connected(connection: number, remote: string, local: string): void;
  received(connection: number, bytes: Uint8Array): void;
  sent(connection: number, bytes: Uint8Array): void;
  closed(connection: number): void;
}

export interface IscsiServerOptions extends Omit<IscsiTargetConfig, 'world'> {
  /** Default 3260; 0 takes a free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly tap?: StreamTap;
}

/** A socket that is to be closed and takes nothing any more is cut off after this many milliseconds. */
const LINGER_MS = 5000;

/** Node's timers hold no more. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/** iSCSI targets on a TCP port. */
export class IscsiServer {
  readonly #options: IscsiServerOptions;
  readonly #machine: IscsiTarget;
  readonly #server: Server;
  readonly #connections = new Map<number, SocketOutput>();
  readonly #pool = new FramePool();
  readonly #emit: (output: IscsiTargetOutput) => void;
  /** Outputs that this step has filled. */
  readonly #filled = new Set<SocketOutput>();
  #lastConnection = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAt: Nanos = Infinity;
  #onEmpty: (() => void) | undefined;

  /** Listens once `listen()` is called. @throws {ConfigError} as `IscsiTarget` does. */
  constructor(options: IscsiServerOptions) {
    this.#options = options;
    const targets = options.targets.map((target) => ({
      ...target,
      logicalUnits: target.logicalUnits.map(
        (unit): LogicalUnitConfig => ({ ...unit, service: unit.service ?? IMMEDIATE_SERVICE }),
      ),
    }));
    this.#machine = new IscsiTarget({ ...options, targets, world: RANDOM_WORLD });
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#emit = (output) => this.#onOutput(output);
  }

  /** The address at which it listens. Rejects with the host's error (`EADDRINUSE`, `EACCES`, …). */
  listen(): Promise<AddressInfo> {
    const { port = 3260, host = '127.0.0.1' } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** What the machine says of itself. */
  inspect(): Readonly<Record<string, unknown>> {
    return this.#machine.inspect();
  }

  /**
   * The store of that logical unit got another size, in this very turn of the event loop: its initiators are told.
   *
   * @throws {RangeError} for a target or logical unit that is not there.
   */
  capacityChanged(target: string, lun: number): void {
    this.#step({ kind: 'capacity-changed', target, lun });
  }

  /**
   * Takes nobody new, asks initiators to log out, drops after `limits.stop` who has not, and flushes the stores.
   */
  async close(): Promise<void> {
    const isClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const isEmpty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    this.#step({ kind: 'stop' });
    if (this.#connections.size > 0) await isEmpty;
    await isClosed;
    clearTimeout(this.#timer);
    for (const { logicalUnits } of this.#options.targets) for (const { store } of logicalUnits) store.flush();
  }

  #accept(socket: Socket): void {
    this.#lastConnection += 1;
    const id = this.#lastConnection;
    const output = new SocketOutput(socket, this.#pool, (bytes) => {
      if (this.#connections.has(id)) this.#step({ kind: 'sent', connection: id, bytes });
    });
    this.#connections.set(id, output);
    const { tap } = this.#options;
    socket.on('data', (bytes) => {
      tap?.received(id, bytes);
      this.#step({ kind: 'received', connection: id, bytes });
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#onClosed(id));
    const remote = addressOf(socket.remoteAddress, socket.remotePort);
    const local = addressOf(socket.localAddress, socket.localPort);
    tap?.connected(id, remote, local);
    this.#step({ kind: 'connected', connection: id, remote, local });
  }

  #onClosed(id: number): void {
    this.#connections.delete(id);
    this.#options.tap?.closed(id);
    this.#step({ kind: 'closed', connection: id });
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  #step(input: Parameters<IscsiTarget['step']>[1]): void {
    this.#machine.step(nanos(), input, this.#emit);
    for (const output of this.#filled) output.flush();
    this.#filled.clear();
    this.#arm();
  }

  #onOutput(output: IscsiTargetOutput): void {
    const connection = this.#connections.get(output.connection);
    if (connection === undefined) return;
    switch (output.kind) {
      case 'send':
        this.#options.tap?.sent(output.connection, output.bytes);
        connection.add(output.bytes);
        this.#filled.add(connection);
        return;
      case 'pause':
        connection.socket.pause();
        return;
      case 'resume':
        connection.socket.resume();
        return;
      case 'close':
        connection.flush();
        return closeSoon(connection.socket);
    }
  }

  /** One timer, for the next instant that the machine asks for. */
  #arm(): void {
    const deadline = this.#machine.deadline();
    // A timer that rings too early does no harm: the machine is asked again then.
    if (deadline === Infinity || (this.#timer !== undefined && this.#timerAt <= deadline)) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    const delay = Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil((deadline - nanos()) / 1e6)));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#step({ kind: 'wake' });
    }, delay);
  }
}

function closeSoon(socket: Socket): void {
  socket.destroySoon();
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(cut));
}

function addressOf(address = '', port = 0): string {
  const plain = address.replace(/^::ffff:/, '');
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}

/** The driver's clock: monotonic, 0 at the start of the process. */
function nanos(): Nanos {
  return Math.floor(performance.now() * 1e6);
}
