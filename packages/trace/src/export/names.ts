import { DRIVER_NODE } from '../layout.js';
import type { TraceHeader } from '../writer.js';

/** The node number of the network and the disks. */
export const WORLD_NODE = 0;

/** Names of nodes and hosts by their numbers; 0 is the network and the disks, 255 the driver. */
export function nodeNames({ nodes, hosts = [] }: Pick<TraceHeader, 'nodes' | 'hosts'>): ReadonlyMap<number, string> {
  const named = [...nodes, ...hosts].map(({ id, name }): [number, string] => [id, name]);
  return new Map([[WORLD_NODE, 'network and disks'], ...named, [DRIVER_NODE, 'driver']]);
}

export function nameOf(names: ReadonlyMap<number, string>, node: number): string {
  return names.get(node) ?? `node ${node}`;
}
