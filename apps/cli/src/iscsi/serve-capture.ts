import type { StreamTap } from '@quorate/iscsi/node';
import { type CapturedConnection, type Endpoint, TrafficCapture } from '@quorate/trace';
import type { OutputFile } from '../output-file.js';

/** Writes what the connections of a target carry as a pcapng file; it begins at 0 s. They are of IPv4. */
export class ServeCapture implements StreamTap {
  readonly #capture: TrafficCapture;
  readonly #connections = new Map<number, CapturedConnection>();
  readonly #start = process.hrtime.bigint();

  constructor(file: OutputFile) {
    file.begin();
    this.#capture = new TrafficCapture((bytes) => file.write(bytes));
  }

  connected(connection: number, remote: string, local: string): void {
    this.#connections.set(connection, this.#capture.connect(this.#now(), endpointOf(remote), endpointOf(local)));
  }

  received(connection: number, bytes: Uint8Array): void {
    this.#connections.get(connection)?.sent(this.#now(), 'client', bytes);
  }

  sent(connection: number, bytes: Uint8Array): void {
    this.#connections.get(connection)?.sent(this.#now(), 'server', bytes);
  }

  /** Who closed it first is not known. */
  closed(connection: number): void {
    this.#connections.get(connection)?.close(this.#now(), 'client');
    this.#connections.delete(connection);
  }

  #now(): number {
    return Number(process.hrtime.bigint() - this.#start);
  }
}

function endpointOf(text: string): Endpoint {
  const at = text.lastIndexOf(':');
  return { address: text.slice(0, at), port: Number(text.slice(at + 1)) };
}
