import { asciiBytes, type Fact, type Nanos, type Observe, utf8Text } from '@quorate/kernel';
import { type IpConfig, type IpInput, type IpOutput, IpStack } from '@quorate/network';
import { Child } from '@quorate/node';
import type { Fetched } from '../lab.js';
import { type Host, type HostInput, type HostOutput, type PageRequest, toStack } from './host.js';

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

interface Fetching {
  readonly id: number;
  readonly request: PageRequest;
  readonly until: Nanos;
  text: string;
}

interface Request {
  readonly number: number;
  readonly connection: number;
  readonly sentAt: Nanos;
  text: string;
}

const HTTP = 80;

/**
 * Somebody who keeps pressing F5: every press opens a new connection to whatever the ARP cache says is the server, and
 * gives up the request before it if that has not been answered.
 */
export class Browser implements Host {
  readonly #config: BrowserConfig;
  readonly #stack: Child<IpInput, IpOutput>;
  /** By connection. */
  readonly #fetches = new Map<number, Fetching>();
  #nextPress: Nanos = Infinity;
  #request: Request | undefined;
  #presses = 0;
  #lastConnection = 0;
  #failedSince: Nanos | undefined;
  #failed = 0;
  #now: Nanos = 0;
  #emit: (output: HostOutput) => void = () => {};

  constructor(config: BrowserConfig) {
    this.#config = config;
    this.#stack = new Child(new IpStack(config.stack), () => this.#now, this.#onStack);
  }

  step(now: Nanos, input: HostInput, emit: (output: HostOutput) => void): void {
    this.#now = now;
    this.#emit = emit;
    if (input.kind === 'impair') return;
    if (input.kind === 'fetch') this.#fetch(input.id, input.request);
    else if (input.kind !== 'wake') {
      this.#stack.send(toStack(input));
      if (input.kind === 'carrier' && input.isUp && this.#nextPress === Infinity) this.#nextPress = now;
    } else this.#stack.wakeIfDue(now);
    if (now >= this.#nextPress) this.#press();
    for (const [connection, { until }] of this.#fetches) if (until <= now) this.#giveUp(connection);
  }

  deadline(): Nanos {
    let deadline = Math.min(this.#stack.deadline(), this.#nextPress);
    for (const { until } of this.#fetches.values()) if (until < deadline) deadline = until;
    return deadline;
  }

  readonly #onStack = (output: IpOutput): void => {
    switch (output.kind) {
      case 'frame':
        this.#emit({ kind: 'frame', bytes: output.bytes });
        break;
      case 'tcp-connected': {
        const { id } = output;
        const page = id === this.#request?.connection ? this.#config : this.#fetches.get(id)?.request;
        if (page !== undefined) this.#stack.send({ kind: 'tcp-send', id, bytes: getOf(page) });
        break;
      }
      case 'tcp-received': {
        const waiting = this.#waiting(output.id);
        if (waiting !== undefined) waiting.text += utf8Text(output.bytes);
        break;
      }
      case 'tcp-closed':
        this.#close(output.id, answerOf(this.#waiting(output.id)?.text ?? ''));
        this.#stack.send({ kind: 'tcp-close', id: output.id });
        break;
      case 'tcp-failed':
        this.#close(output.id, { isAnswered: false, outcome: output.errno, body: '' });
        break;
    }
  };

  #waiting(connection: number): Request | Fetching | undefined {
    return connection === this.#request?.connection ? this.#request : this.#fetches.get(connection);
  }

  #close(connection: number, result: Fetched): void {
    if (connection === this.#request?.connection) return this.#end(this.#request, result);
    const fetching = this.#fetches.get(connection);
    this.#fetches.delete(connection);
    if (fetching !== undefined) this.#emit({ kind: 'fetched', id: fetching.id, result });
  }

  #fetch(id: number, request: PageRequest): void {
    this.#lastConnection += 1;
    const connection = this.#lastConnection;
    this.#fetches.set(connection, { id, request, until: this.#now + request.timeout, text: '' });
    this.#stack.send({ kind: 'tcp-connect', id: connection, to: request.address, port: HTTP });
  }

  #giveUp(connection: number): void {
    this.#close(connection, { isAnswered: false, outcome: 'ETIMEDOUT', body: '' });
    this.#stack.send({ kind: 'tcp-abort', id: connection });
  }

  #press(): void {
    this.#nextPress = this.#now + this.#config.interval;
    const old = this.#request;
    if (old !== undefined) {
      this.#end(old, { isAnswered: false, outcome: 'given up', body: '' });
      this.#stack.send({ kind: 'tcp-abort', id: old.connection });
    }
    this.#presses += 1;
    this.#lastConnection += 1;
    const connection = this.#lastConnection;
    this.#request = { number: this.#presses, connection, sentAt: this.#now, text: '' };
    this.#stack.send({ kind: 'tcp-connect', id: connection, to: this.#config.address, port: HTTP });
  }

  #end(request: Request, { isAnswered, outcome, body }: Fetched): void {
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

function getOf({ address, path }: Pick<PageRequest, 'address' | 'path'>): Uint8Array {
  return asciiBytes(`GET ${path} HTTP/1.0\r\nHost: ${address}\r\nPragma: no-cache\r\n\r\n`);
}

/** What a server that has closed its connection had said. */
function answerOf(text: string): Fetched {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return { isAnswered: false, outcome: 'ECONNRESET', body: '' };
  const outcome = text.slice(0, text.indexOf('\r\n'));
  return { isAnswered: / 200 /.test(outcome), outcome, body: text.slice(end + 4) };
}
