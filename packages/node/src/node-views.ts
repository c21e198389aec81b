import type { Fact, Stamped } from '@quorate/kernel';
import { WholeRings } from './whole-rings.js';

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
      case 'node.state':
        // A paused node believes what it believed; it has no view until it tells one anew.
        if (fact.state !== 'up') this.#views.delete(fact.node);
        break;
      case 'quorum.killed':
      case 'quorum.left':
      case 'quorum.failed':
        this.#views.delete(fact.node);
        break;
    }
  }

  /** Nobody is asked while its ring is not whole. */
  disagreements(): readonly Disagreement[] {
    const partitions = new Map<string, [number, View][]>();
    for (const [node, view] of this.#views) {
      if (!view.isQuorate || !this.#rings.has(node)) continue;
      const partition = partitions.get(view.ring) ?? [];
      partition.push([node, view]);
      partitions.set(view.ring, partition);
    }
    return [...partitions.values()].flatMap((partition) => [...compare(partition)]);
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
