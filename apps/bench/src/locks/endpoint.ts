import type { MessagePort } from 'node:worker_threads';
import type { Endpoint } from 'comlink';

/** Comlink's idea of a port is the browser's; Node's has all that it uses. */
export function endpointOf(port: MessagePort): Endpoint {
  return port as unknown as Endpoint;
}
