import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import type { LockThread, LockThreadData, PeerPorts } from '../locks-thread.js';
import { endpointOf } from './endpoint.js';

/** `switched`: through a thread that hands on what comes, as the network of the drivers does. */
export type Way = 'direct' | 'switched';

/** Threads that are nodes, by node id. */
export interface Mesh {
  readonly threads: ReadonlyMap<number, Remote<LockThread>>;
  /** A node's thread ends on the spot. */
  kill(nodeId: number): Promise<unknown>;
  end(): Promise<unknown>;
}

/** The switch; no node has this id. */
const SWITCH = 0;

/** A thread for each node, with two ports to each other one: for its lock manager, and for what is bare. */
export function openMesh(ids: readonly number[], way: Way): Mesh {
  const peers = new Map<number, Map<number, PeerPorts>>(ids.map((id) => [id, new Map()]));
  const crossings: (readonly [MessagePort, MessagePort])[] = [];
  for (const a of ids) {
    for (const b of ids.filter((id) => id > a)) {
      const [locks, bare] = [channel(way, crossings), channel(way, crossings)];
      peers.get(a)!.set(b, { locks: locks[0], bare: bare[0] });
      peers.get(b)!.set(a, { locks: locks[1], bare: bare[1] });
    }
  }
  const workers = new Map<number, Worker>();
  const begin = (data: Omit<LockThreadData, 'control'>): Remote<LockThread> => {
    const { port1, port2 } = new MessageChannel();
    const ports = [...data.peers.values()].flatMap(({ locks, bare }) => [locks, bare]);
    const workerData: LockThreadData = { ...data, control: port2 };
    const transferList = [port2, ...ports, ...data.crossings.flat()];
    workers.set(data.nodeId, new Worker(new URL('./locks-thread.js', import.meta.url), { workerData, transferList }));
    return wrap<LockThread>(endpointOf(port1));
  };
  const threads = new Map(ids.map((id) => [id, begin({ nodeId: id, peers: peers.get(id)!, crossings: [] })]));
  if (way === 'switched') begin({ nodeId: SWITCH, peers: new Map(), crossings });
  return {
    threads,
    kill: (nodeId) => workers.get(nodeId)!.terminate(),
    end: () => Promise.all([...workers.values()].map((worker) => worker.terminate())),
  };
}

/** Both ends; a switched one crosses the switch by the pair that is added. */
function channel(way: Way, crossings: (readonly [MessagePort, MessagePort])[]): readonly [MessagePort, MessagePort] {
  const near = new MessageChannel();
  if (way === 'direct') return [near.port1, near.port2];
  const far = new MessageChannel();
  crossings.push([near.port2, far.port1]);
  return [near.port1, far.port2];
}
