import { type MessagePort, workerData } from 'node:worker_threads';
import { expose } from 'comlink';
import { DiskThread } from './alloc/disk-thread.js';
import { type NodeThreadData, RealTimeNode } from './alloc/real-time-node.js';
import { endpointOf } from './locks/endpoint.js';

/** What a thread is given. */
export type AllocThreadData =
  | ({ readonly kind: 'node'; readonly control: MessagePort } & NodeThreadData)
  | { readonly kind: 'disk'; readonly mib: number; readonly ports: readonly MessagePort[] }
  /** Of a switch: what comes on one of a pair goes out on the other. */
  | { readonly kind: 'switch'; readonly crossings: readonly (readonly [MessagePort, MessagePort])[] };

const data = workerData as AllocThreadData;
switch (data.kind) {
  case 'node':
    expose(new RealTimeNode(data), endpointOf(data.control));
    break;
  case 'disk':
    new DiskThread(data.mib, data.ports);
    break;
  case 'switch':
    for (const [a, b] of data.crossings) {
      a.on('message', (bytes: Uint8Array) => b.postMessage(bytes));
      b.on('message', (bytes: Uint8Array) => a.postMessage(bytes));
    }
}
