import { ConfigError } from '@quorate/kernel';
import type { NodeId } from './ring-id.js';

/** A node that may become a member. */
export interface TotemNode {
  readonly id: NodeId;
  /** IPv4 address of its ring interface. Needed in era `rhel6`, where it decides the node's place. */
  readonly address?: string;
}

/** Which corosync to behave like: 1.4 under cman, or 3.1. */
export type Era = 'rhel6' | 'modern';

/**
 * The order of nodes: who is representative, and the way of the token.
 *
 * In 3.1 by node id. In 1.4 by the IP address of the first ring, as a number; node ids play no part. A node that is not
 * configured comes after all that are, by its id.
 */
export class NodeOrder {
  readonly #places = new Map<NodeId, number>();

  /** @throws {ConfigError} for an id that is 0, no unsigned 32-bit number or given twice, and for a bad address. */
  constructor(nodes: readonly TotemNode[], era: Era) {
    for (const node of nodes) {
      if (!(node.id > 0 && node.id === node.id >>> 0)) {
        throw new ConfigError('nodes', `${node.id}`, 'an id between 1 and 4294967295');
      }
      if (this.#places.has(node.id)) throw new ConfigError('nodes', `${node.id}`, 'every id once');
      this.#places.set(node.id, era === 'rhel6' ? addressAsNumber(node) : node.id);
    }
  }

  has(node: NodeId): boolean {
    return this.#places.has(node);
  }

  /** The ids in ring order; the first is the representative. */
  sorted(nodes: Iterable<NodeId>): NodeId[] {
    return [...nodes].sort((a, b) => this.#compare(a, b));
  }

  #compare(a: NodeId, b: NodeId): number {
    const placeOfA = this.#places.get(a) ?? UNKNOWN + a;
    const placeOfB = this.#places.get(b) ?? UNKNOWN + b;
    return placeOfA - placeOfB;
  }
}

const UNKNOWN = 0x1_0000_0000;

function addressAsNumber(node: TotemNode): number {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/
    .exec(node.address ?? '')
    ?.slice(1)
    .map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) {
    throw new ConfigError('nodes', node.address ?? '', `an IPv4 address for node ${node.id} in era rhel6`);
  }
  return octets.reduce((number, octet) => number * 256 + octet, 0);
}
