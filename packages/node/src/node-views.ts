import type { Fact, Stamped } from '@quorate/kernel';

type AnyFact = Fact & Readonly<Record<string, unknown>>;

interface View {
  isQuorate: boolean;
  /** Ring of its newest quorum reckoning. */
  ring: string;
  members: string;
  /** Members of each lockspace by name. */
  readonly lockspaces: Map<string, string>;
  rgMembers: string;
  /** Its rgmanager ends: it hears of nobody any more. */
  isRgStopping: boolean;
  /** It is not looking for others, and not told of a new ring by halves. */
  isOperational: boolean;
  /** The ring whose configuration it was given last. */
  totemRing: string;
  totemMembers: readonly number[];
  isPaused: boolean;
}

/** Something on which nodes of one partition differ. */
export interface Disagreement {
  readonly what: string;
  readonly nodes: readonly number[];
  /** Each view once, with the nodes that have it. */
  readonly found: readonly string[];
}

/** What every node of a cluster believes: its members, its lockspaces, who runs rgmanager. */
export class NodeViews {
  static readonly kinds: readonly string[] = [
    'quorum.changed',
    'quorum.kill',
    'quorum.killed',
    'quorum.left',
    'quorum.failed',
    'node.state',
    'dlm.recovered',
    'dlm.stopped',
    'dlm.released',
    'rg.members',
    'rg.stopping',
    'rg.exited',
    'totem.state',
    'totem.configuration',
  ];
  readonly #views = new Map<number, View>();

  hear(fact: Stamped<AnyFact>): void {
    switch (fact.kind) {
      case 'quorum.changed': {
        const view = this.#view(fact.node);
        const members = fact.members as readonly { readonly node: number }[];
        const ring = fact.ring as { readonly representative: number; readonly seq: number };
        view.isQuorate = fact.isQuorate === true;
        view.members = members.map(({ node }) => node).join(' ');
        view.ring = `${ring.representative}.${ring.seq}`;
        break;
      }
      case 'dlm.recovered':
        this.#view(fact.node).lockspaces.set(String(fact.lockspace), (fact.members as readonly number[]).join(' '));
        break;
      case 'dlm.stopped':
      case 'dlm.released':
        this.#view(fact.node).lockspaces.delete(String(fact.lockspace));
        break;
      case 'rg.members': {
        const view = this.#view(fact.node);
        view.rgMembers = view.isRgStopping ? '' : (fact.members as readonly number[]).join(' ');
        break;
      }
      case 'rg.stopping':
        this.#view(fact.node).isRgStopping = true;
        this.#view(fact.node).rgMembers = '';
        break;
      case 'rg.exited':
        this.#view(fact.node).isRgStopping = false;
        this.#view(fact.node).rgMembers = '';
        break;
      case 'quorum.kill':
        // It counts its victim no more; a victim that is dead never hears of it, and the others only by the next ring.
        this.#view(fact.node).isOperational = false;
        break;
      case 'totem.state':
        this.#view(fact.node).isOperational = fact.state === 'operational';
        break;
      case 'totem.configuration': {
        if (fact.type !== 'regular') break;
        const view = this.#view(fact.node);
        view.totemRing = String(fact.ring);
        view.totemMembers = fact.members as readonly number[];
        break;
      }
      case 'node.state':
        if (fact.state === 'paused') this.#onPaused(fact.node);
        else if (fact.state === 'up') this.#view(fact.node).isPaused = false;
        else this.#views.delete(fact.node);
        break;
      default:
        this.#views.delete(fact.node);
    }
  }

  /** Nobody is asked while its ring is not whole. */
  disagreements(): readonly Disagreement[] {
    const partitions = new Map<string, [number, View][]>();
    for (const [node, view] of this.#views) {
      if (!view.isQuorate || view.isPaused || !view.isOperational || !this.#isRingWhole(view)) continue;
      const partition = partitions.get(view.ring) ?? [];
      partition.push([node, view]);
      partitions.set(view.ring, partition);
    }
    return [...partitions.values()].flatMap((partition) => [...compare(partition)]);
  }

  /**
   * A member that died or stopped holds up the token, long before anybody misses it, and one that was not given the ring yet
   * hears nothing of it: what was told to one member may not have reached the next.
   */
  #isRingWhole({ totemRing, totemMembers }: View): boolean {
    return totemMembers.every((member) => {
      const view = this.#views.get(member);
      return view?.totemRing === totemRing && view.isOperational && !view.isPaused;
    });
  }

  /** It keeps its ring if that outlives the pause, but has no view until it tells one anew. */
  #onPaused(node: number): void {
    const { totemRing, totemMembers, isOperational } = this.#view(node);
    this.#views.delete(node);
    Object.assign(this.#view(node), { totemRing, totemMembers, isOperational, isPaused: true });
  }

  #view(node: number): View {
    let view = this.#views.get(node);
    if (view === undefined) {
      view = {
        isQuorate: false,
        ring: '',
        members: '',
        lockspaces: new Map(),
        rgMembers: '',
        isRgStopping: false,
        isOperational: true,
        totemRing: '',
        totemMembers: [],
        isPaused: false,
      };
      this.#views.set(node, view);
    }
    return view;
  }
}

function* compare(partition: readonly [number, View][]): Generator<Disagreement> {
  const lockspaces = new Set(partition.flatMap(([, view]) => [...view.lockspaces.keys()]));
  yield* differing('members', partition, (view) => view.members);
  for (const name of lockspaces) {
    yield* differing(`members of lockspace ${name}`, partition, (view) => view.lockspaces.get(name) ?? '');
  }
  yield* differing('nodes that run rgmanager', partition, (view) => view.rgMembers);
}

/** The views that are there and differ; nodes without one take no part. */
function* differing(
  what: string,
  partition: readonly [number, View][],
  viewOf: (view: View) => string,
): Generator<Disagreement> {
  const groups = new Map<string, number[]>();
  for (const [node, view] of partition) {
    const text = viewOf(view);
    if (text !== '') groups.set(text, [...(groups.get(text) ?? []), node]);
  }
  if (groups.size < 2) return;
  const found = [...groups].map(([text, nodes]) => `{${text}} on ${nodes.join(' ')}`);
  yield { what, nodes: [...groups.values()].flat(), found };
}
