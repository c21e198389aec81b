import { connect, type Socket } from 'node:net';
import type { IscsiInitiatorInput, IscsiInitiatorOutput } from '../initiator/initiator-io.js';
import { IscsiInitiator, type IscsiInitiatorConfig } from '../initiator/iscsi-initiator.js';
import { FramePool, SocketOutput } from './socket-output.js';

/** Runs an initiator over a TCP socket. What it emits, but for bytes, goes to `onOutput`. */
export class InitiatorSocket {
  readonly #machine: IscsiInitiator;
  readonly #socket: Socket;
  readonly #output: SocketOutput;
  readonly #onOutput: (output: IscsiInitiatorOutput) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    address: { readonly host: string; readonly port: number },
    config: IscsiInitiatorConfig,
    onOutput: (output: IscsiInitiatorOutput) => void,
  ) {
    this.#machine = new IscsiInitiator(config);
    this.#onOutput = onOutput;
    this.#socket = connect({ host: address.host, port: address.port, noDelay: true });
    this.#output = new SocketOutput(this.#socket, new FramePool(), () => {});
    this.#socket.on('connect', () => this.step({ kind: 'connected' }));
    this.#socket.on('data', (bytes) => this.step({ kind: 'received', bytes }));
    let why = 'the connection broke';
    this.#socket.on('error', ({ message }) => {
      why = message;
    });
    this.#socket.on('close', () => {
      clearTimeout(this.#timer);
      onOutput({ kind: 'close', reason: 'peer-closed', why, status: 0 });
    });
  }

  /** @throws {RangeError} as `IscsiInitiator` does. */
  step(input: IscsiInitiatorInput): void {
    this.#machine.step(Math.floor(performance.now() * 1e6), input, (output) => {
      if (output.kind === 'send') this.#output.add(output.bytes);
      else this.#onOutput(output);
      if (output.kind !== 'close') return;
      this.#output.flush();
      this.#socket.destroySoon();
    });
    this.#output.flush();
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const deadline = this.#machine.deadline();
    if (deadline === Infinity) return;
    const delay = Math.max(0, Math.ceil(deadline / 1e6 - performance.now()));
    this.#timer = setTimeout(() => this.step({ kind: 'wake' }), delay);
  }
}
