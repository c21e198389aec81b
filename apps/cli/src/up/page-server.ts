import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SECOND } from '@quorate/kernel';
import type { Fetched } from '@quorate/lab';
import { UsageError } from '../usage-error.js';
import type { RunningCluster } from './running-cluster.js';

/** How long a browser waits for the cluster's page, in the time of the cluster. */
const PATIENCE = 10 * SECOND;

/** The service's address on a port of this machine: what is asked for here is asked for from the client's machine there. */
export class PageServer {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  /**
   * @param port 0: any that is free.
   * @throws {UsageError} when the port cannot be had.
   */
  static async start(cluster: RunningCluster, address: string, port: number): Promise<PageServer> {
    const server = createServer((request, response) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
      void cluster
        .fetch({ address, path: request.url ?? '/', timeout: PATIENCE })
        .then((fetched) => answer(response, fetched, address));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(new UsageError(`--port: found ${port}, which cannot be had: ${error.code}`));
      });
      server.listen(port, '127.0.0.1', resolve);
    });
    return new PageServer(server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Nobody there is a gateway's answer: 504 when it was waited for, else 502. */
function answer(response: ServerResponse, fetched: Fetched | undefined, address: string): void {
  const outcome = fetched?.outcome ?? 'the cluster is no more';
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(outcome)?.[1] ?? (outcome === 'ETIMEDOUT' ? 504 : 502));
  const body = fetched?.body || `${address}: ${outcome}\n`;
  response.writeHead(status, {
    'content-type': `text/${fetched?.body ? 'html' : 'plain'}; charset=utf-8`,
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(body);
}
