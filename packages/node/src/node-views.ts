import { type Fact, type Nanos, SECOND, type Stamped } from '@quorate/kernel';
import { WholeRings } from './whole-rings.js';

type AnyFact = Fact & Readonly<Record<string, unknown>>;

interface View {
  isQuorate: boolean;
  /** Ring of its newest quorum reckoning. */
  ring: string;
  /** The newest ring of whose members it had reckoned all. */
  wholeRing: string;
  members: string;
  /** Members of each lockspace by name; empty while it is stopped. */
  readonly lockspaces: Map<string, string>;
  /** Who runs rgmanager; undefined if it does not itself, empty while its own ends and hears of nobody any more. */
  rgMembers: string | undefined;
  /** When it last left a lockspace or those that run rgmanager. */
  leftAt: Nanos;
}

/** Something on which nodes of one partition differ. */
export interface Disagreement {
  readonly what: string;
  readonly nodes: readonly number[];
  /** Each view once, with the nodes that have it. */
  readonly found: readonly string[];
}

/**
 * From a ring's configuration to a reckoning of its votes: cman waits for the transition messages of all, which a token that is sent
 * again and again brings round slowly. So it does with what a node says when it leaves. What stands still longer is a lost token, and
 * no ring.
 */
export const LONGEST_RECKONING: Nanos = 30 * SECOND;

/** What every node of a cluster believes: its members, its lockspaces, who runs rgmanager. */
export class NodeViews {
  static readonly kinds: readonly string[] = [
    ...WholeRings.kinds,
    'quorum.changed',
    'dlm.recovered',
    'dlm.stopped',
    'dlm.released',
    'rg.members',
    'rg.stopping',
    'rg.exited',
  ];
  readonly #views = new Map<number, View>();
  readonly #rings = new WholeRings();

  hear(fact: Stamped<AnyFact>): void {
    this.#rings.hear(fact);
    switch (fact.kind) {
      case 'quorum.changed': {
        const view = this.#view(fact.node);
        const members = fact.members as readonly { readonly node: number }[];
        const ring = fact.ring as { readonly representative: number; readonly seq: number };
        view.isQuorate = fact.isQuorate === true;
        view.members = members.map(({ node }) => node).join(' ');
        view.ring = `${ring.representative}.${ring.seq.toString(16)}`;
        const given = this.#rings.ringOf(fact.node);
        if (given?.name === view.ring && given.members.length === members.length) view.wholeRing = view.ring;
        break;
      }
      case 'dlm.recovered':
        this.#view(fact.node).lockspaces.set(String(fact.lockspace), (fact.members as readonly number[]).join(' '));
        break;
      case 'dlm.stopped':
        this.#view(fact.node).lockspaces.set(String(fact.lockspace), '');
        break;
      case 'dlm.released': {
        const view = this.#view(fact.node);
        view.lockspaces.delete(String(fact.lockspace));
        view.leftAt = fact.at;
        break;
      }
      case 'rg.members': {
        const view = this.#view(fact.node);
        if (view.rgMembers !== '') view.rgMembers = (fact.members as readonly number[]).join(' ');
        break;
      }
      case 'rg.stopping':
        this.#view(fact.node).rgMembers = '';
        break;
      case 'rg.exited': {
        const view = this.#view(fact.node);
        view.rgMembers = undefined;
        view.leftAt = fact.at;
        break;
      }
      case 'node.state':
        // A paused node believes what it believed, and is asked again when it goes on and its ring is whole.
        if (fact.state === 'off') this.#views.delete(fact.node);
        break;
      case 'quorum.killed':
      case 'quorum.left':
      case 'quorum.failed':
      case 'node.corosync-killed':
        this.#views.delete(fact.node);
        break;
    }
  }

  /** Nobody is asked while its ring is not whole, or as long as it may take until cman has heard from all members of a new one. */
  disagreements(at: Nanos): readonly Disagreement[] {
    const partitions = new Map<string, [number, View][]>();
    for (const [node, view] of this.#views) {
      if (!view.isQuorate || !this.#rings.has(node)) continue;
      const given = this.#rings.ringOf(node);
      const ring = given?.name ?? view.ring;
      if (given !== undefined && view.wholeRing !== ring && at - given.since < LONGEST_RECKONING) continue;
      const partition = partitions.get(ring) ?? [];
      partition.push([node, view]);
      partitions.set(ring, partition);
    }
    return [...partitions.values()].flatMap((partition) => [...compare(partition, at)]);
  }

  #view(node: number): View {
    let view = this.#views.get(node);
    if (view === undefined) {
      view = {
        isQuorate: false,
        ring: '',
        wholeRing: '',
        members: '',
        lockspaces: new Map(),
        rgMembers: undefined,
        leftAt: -Infinity,
      };
      this.#views.set(node, view);
    }
    return view;
  }
}

function* compare(partition: readonly [number, View][], at: Nanos): Generator<Disagreement> {
  const lockspaces = new Set(partition.flatMap(([, view]) => [...view.lockspaces.keys()]));
  yield* differing('members', partition, at, (view) => view.members);
  for (const name of lockspaces) {
    yield* differing(`members of lockspace ${name}`, partition, at, (view) => view.lockspaces.get(name));
  }
  yield* differing('nodes that run rgmanager', partition, at, (view) => view.rgMembers);
}

/** The views that are there and differ, and nodes that are in somebody's view and have left; what changes is not asked. */
function* differing(
  what: string,
  partition: readonly [number, View][],
  at: Nanos,
  viewOf: (view: View) => string | undefined,
): Generator<Disagreement> {
  const groups = new Map<string, number[]>();
  const named = new Set<string>();
  for (const [node, view] of partition) {
    const text = viewOf(view);
    if (text === undefined || text === '') continue;
    groups.set(text, [...(groups.get(text) ?? []), node]);
    for (const member of text.split(' ')) named.add(member);
  }
  const absent = partition.filter(
    ([node, view]) => viewOf(view) === undefined && named.has(String(node)) && at - view.leftAt >= LONGEST_RECKONING,
  );
  if (groups.size < 2 && absent.length === 0) return;
  const found = [...groups].map(([text, nodes]) => `{${text}} on ${nodes.join(' ')}`);
  if (absent.length > 0) found.push(`none on ${absent.map(([node]) => node).join(' ')}`);
  yield { what, nodes: [...groups.values(), absent.map(([node]) => node)].flat(), found };
}
