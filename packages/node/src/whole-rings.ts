import type { Fact, Nanos, Stamped } from '@quorate/kernel';

type AnyFact = Fact & Readonly<Record<string, unknown>>;

interface Ring {
  /** The ring whose configuration it was given last, and its members. */
  name: string;
  members: readonly number[];
  since: Nanos;
  /** It is not looking for others, and not told of a new ring by halves. */
  isOperational: boolean;
  isPaused: boolean;
}

/**
 * Which nodes are in a ring that is whole: every member has been given it, and runs.
 *
 * A member that died or stopped holds up the token, long before anybody misses it, and one that was not given the ring yet hears
 * nothing of it: what was told to one member may not have reached the next.
 */
export class WholeRings {
  static readonly kinds: readonly string[] = [
    'quorum.killed',
    'quorum.left',
    'quorum.failed',
    'node.corosync-killed',
    'node.state',
    'totem.state',
    'totem.configuration',
  ];
  readonly #rings = new Map<number, Ring>();

  hear(fact: Stamped<AnyFact>): void {
    const { node } = fact;
    switch (fact.kind) {
      case 'totem.state':
        this.#ring(node).isOperational = fact.state === 'operational';
        break;
      case 'totem.configuration':
        if (fact.type === 'regular') {
          this.#ring(node).name = String(fact.ring);
          this.#ring(node).members = fact.members as readonly number[];
          this.#ring(node).since = fact.at;
        }
        break;
      case 'node.state':
        if (fact.state === 'paused' || fact.state === 'up') this.#ring(node).isPaused = fact.state === 'paused';
        else this.#rings.delete(node);
        break;
      case 'quorum.killed':
      case 'quorum.left':
      case 'quorum.failed':
      case 'node.corosync-killed':
        this.#rings.delete(node);
        break;
    }
  }

  /** The ring that it was given last, with its members, and when; undefined where nothing was told of one. */
  ringOf(
    node: number,
  ): { readonly name: string; readonly members: readonly number[]; readonly since: Nanos } | undefined {
    const ring = this.#rings.get(node);
    return ring === undefined || ring.name === '' ? undefined : ring;
  }

  /** Whether that node is in one; true also where nothing was told of its ring. */
  has(node: number): boolean {
    const ring = this.#rings.get(node);
    if (ring === undefined) return true;
    return goesOn(ring) && ring.members.every((member) => this.#isIn(member, ring.name));
  }

  #isIn(node: number, name: string): boolean {
    const ring = this.#rings.get(node);
    return ring?.name === name && goesOn(ring);
  }

  #ring(node: number): Ring {
    let ring = this.#rings.get(node);
    if (ring === undefined) {
      ring = { name: '', members: [], since: 0, isOperational: true, isPaused: false };
      this.#rings.set(node, ring);
    }
    return ring;
  }
}

function goesOn({ isOperational, isPaused }: Ring): boolean {
  return isOperational && !isPaused;
}
