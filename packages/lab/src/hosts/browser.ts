import { asciiBytes, type Fact, type Nanos, type Observe, utf8Text } from '@quorate/kernel';
import { type IpConfig, type IpOutput, IpStack } from '@quorate/network';
import type { Host, HostInput, HostOutput } from './gateway.js';

export type BrowserFact =
  | (Fact & {
      /** A request ended: the whole page came, or something else did, or nothing. */
      readonly kind: 'client.request';
      readonly number: number;
      readonly isAnswered: boolean;
      /** Status line, or why there was none: `ETIMEDOUT`, `ECONNREFUSED`, `ECONNRESET`, `given up`. */
      readonly outcome: string;
      /** The page; empty without one. */
      readonly body: string;
      readonly sentAt: Nanos;
    })
  | (Fact & {
      /** The first page after at least one failure. */
      readonly kind: 'client.outage-ended';
      /** When the first failed request was sent. */
      readonly from: Nanos;
      readonly failed: number;
    });

export interface BrowserConfig {
  readonly stack: IpConfig;
  readonly address: string;
  readonly path: string;
  /** How often F5 is pressed. */
  readonly interval: Nanos;
  readonly observe?: Observe<BrowserFact>;
}

interface Request {
  readonly number: number;
  readonly connection: number;
  readonly sentAt: Nanos;
  text: string;
}

/**
 * Somebody who keeps pressing F5: every press opens a new connection to whatever the ARP cache says is the server, and
 * gives up the request before it if that has not been answered.
 */
export class Browser implements Host {
  readonly #config: BrowserConfig;
  readonly #stack: IpStack;
  readonly #requestBytes: Uint8Array;
  #nextPress: Nanos = Infinity;
  #request: Request | undefined;
  #presses = 0;
  #failedSince: Nanos | undefined;
  #failed = 0;
  #now: Nanos = 0;
  #emit: (output: HostOutput) => void = () => {};

  constructor(config: BrowserConfig) {
    this.#config = config;
    this.#stack = new IpStack(config.stack);
    this.#requestBytes = asciiBytes(
      `GET ${config.path} HTTP/1.0\r\nHost: ${config.address}\r\nPragma: no-cache\r\n\r\n`,
    );
  }

  step(now: Nanos, input: HostInput, emit: (output: HostOutput) => void): void {
    this.#now = now;
    this.#emit = emit;
    if (input.kind !== 'wake') {
      this.#stack.step(now, { ...input, interface: 0 }, this.#onStack);
      if (input.kind === 'carrier' && input.isUp && this.#nextPress === Infinity) this.#nextPress = now;
    } else if (this.#stack.deadline() <= now) this.#stack.step(now, input, this.#onStack);
    this.#drain();
    if (now >= this.#nextPress) this.#press();
  }

  deadline(): Nanos {
    return Math.min(this.#stack.deadline(), this.#nextPress);
  }

  /** What the stack reported during its own step and what needs the stack again. */
  readonly #toDo: (() => void)[] = [];

  readonly #onStack = (output: IpOutput): void => {
    switch (output.kind) {
      case 'frame':
        this.#emit({ kind: 'frame', bytes: output.bytes });
        break;
      case 'tcp-connected':
        if (output.id === this.#request?.connection) {
          const { connection } = this.#request;
          this.#toDo.push(() => this.#send({ kind: 'tcp-send', id: connection, bytes: this.#requestBytes }));
        }
        break;
      case 'tcp-received':
        if (output.id === this.#request?.connection) this.#request.text += utf8Text(output.bytes);
        break;
      case 'tcp-closed':
        if (output.id === this.#request?.connection) this.#finish(this.#request);
        this.#toDo.push(() => this.#send({ kind: 'tcp-close', id: output.id }));
        break;
      case 'tcp-failed':
        if (output.id === this.#request?.connection) this.#end(this.#request, false, output.errno, '');
        break;
    }
  };

  #drain(): void {
    for (let next = this.#toDo.shift(); next !== undefined; next = this.#toDo.shift()) next();
  }

  #send(input: Parameters<IpStack['step']>[1]): void {
    this.#stack.step(this.#now, input, this.#onStack);
  }

  #press(): void {
    this.#nextPress = this.#now + this.#config.interval;
    const old = this.#request;
    if (old !== undefined) {
      this.#end(old, false, 'given up', '');
      this.#send({ kind: 'tcp-abort', id: old.connection });
    }
    this.#presses += 1;
    const number = this.#presses;
    this.#request = { number, connection: number, sentAt: this.#now, text: '' };
    this.#send({ kind: 'tcp-connect', id: number, to: this.#config.address, port: 80 });
    this.#drain();
  }

  #finish(request: Request): void {
    const end = request.text.indexOf('\r\n\r\n');
    if (end < 0) return this.#end(request, false, 'ECONNRESET', '');
    const status = request.text.slice(0, request.text.indexOf('\r\n'));
    this.#end(request, / 200 /.test(status), status, request.text.slice(end + 4));
  }

  #end(request: Request, isAnswered: boolean, outcome: string, body: string): void {
    this.#request = undefined;
    const now = this.#now;
    const { number, sentAt } = request;
    this.#config.observe?.({ kind: 'client.request', now, number, isAnswered, outcome, body, sentAt });
    if (!isAnswered) {
      this.#failedSince ??= sentAt;
      this.#failed += 1;
    } else if (this.#failedSince !== undefined) {
      this.#config.observe?.({ kind: 'client.outage-ended', now, from: this.#failedSince, failed: this.#failed });
      this.#failedSince = undefined;
      this.#failed = 0;
    }
  }
}
