import { ByteReader, type ByteWriter, latin1, type Nanos, SECOND } from '@quorate/kernel';
import type { DlmView } from './dlm.js';
import type { LockspaceView } from './lockspace-view.js';
import type { ClusterViews, NodeViews } from './why-not.js';

/** What a node is asked to show: how it is with a lockspace, and what it has of these resources. */
export interface ViewsAsked {
  readonly lockspace: string;
  readonly resources: readonly string[];
}

/** A question of another node; `query` is its number there. */
export interface ViewsQuestion extends ViewsAsked {
  readonly to: number;
  readonly query: number;
}

/** Delivery takes a round of the token; when a ring has to be made first, it is better to say so than to wait. */
const ANSWER_TIME: Nanos = 2 * SECOND;

interface Query {
  readonly id: number;
  /** Daemons that have not answered. */
  readonly awaited: Set<number>;
  readonly views: Map<number, NodeViews>;
  readonly until: Nanos;
}

/** Questions of this node that are under way. Whoever has not answered in time, or has left, is missing in what comes of it. */
export class ViewQueries {
  readonly #told: (id: number, views: ClusterViews) => void;
  readonly #queries = new Map<number, Query>();
  #last = 0;

  constructor(told: (id: number, views: ClusterViews) => void) {
    this.#told = told;
  }

  get deadline(): Nanos {
    let least = Infinity;
    for (const { until } of this.#queries.values()) least = Math.min(least, until);
    return least;
  }

  /** The number of a new question, to be put to all others; undefined when there is nobody. */
  open(now: Nanos, id: number, others: readonly number[]): number | undefined {
    if (others.length === 0) {
      this.#told(id, new Map());
      return undefined;
    }
    this.#last += 1;
    this.#queries.set(this.#last, { id, awaited: new Set(others), views: new Map(), until: now + ANSWER_TIME });
    return this.#last;
  }

  receive(query: number, from: number, views: NodeViews | undefined): void {
    const found = this.#queries.get(query);
    if (!found?.awaited.delete(from)) return;
    if (views !== undefined) found.views.set(from, views);
    this.#endIf(query, found.awaited.size === 0);
  }

  confchg(members: readonly number[]): void {
    for (const [query, { awaited }] of this.#queries) {
      for (const node of awaited) if (!members.includes(node)) awaited.delete(node);
      this.#endIf(query, awaited.size === 0);
    }
  }

  at(now: Nanos): void {
    for (const [query, { until }] of this.#queries) this.#endIf(query, now >= until);
  }

  #endIf(query: number, hasEnded: boolean): void {
    const { id, views } = this.#queries.get(query)!;
    if (!hasEnded) return;
    this.#queries.delete(query);
    this.#told(id, views);
  }
}

/** What of a node's lock manager was asked for. */
export function partOf({ lockspaces, peers }: DlmView, { lockspace, resources }: ViewsAsked): DlmView {
  const asked = new Set(resources);
  const part = (ls: LockspaceView): LockspaceView => ({
    ...ls,
    resources: ls.resources.filter(({ name }) => asked.has(name)),
    waiters: ls.waiters.filter(({ resource }) => asked.has(resource)),
  });
  return { lockspaces: lockspaces.filter(({ name }) => name === lockspace).map(part), peers };
}

/** Body of VIEWS_ASKED, in our numbering: u16 number of names; then of each, the lockspace's first, u16 length and the name. */
export function writeViewsAsked(writer: ByteWriter, { lockspace, resources }: ViewsAsked): void {
  writer.u16(1 + resources.length);
  for (const name of [lockspace, ...resources]) {
    writer.u16(name.length);
    writeLatin1(writer, name);
  }
}

/** Undefined when its bytes do not hold what it says. */
export function readViewsAsked(bytes: Uint8Array): ViewsAsked | undefined {
  const reader = new ByteReader(bytes, true);
  if (reader.left < 2) return undefined;
  const names: string[] = [];
  for (let count = reader.u16(); count > 0; count--) {
    if (reader.left < 2) return undefined;
    const length = reader.u16();
    if (length > reader.left) return undefined;
    let name = '';
    for (let i = 0; i < length; i++) name += String.fromCharCode(reader.u8());
    names.push(name);
  }
  const [lockspace, ...resources] = names;
  return lockspace === undefined ? undefined : { lockspace, resources };
}

/** Body of VIEWS_TOLD, in our numbering: JSON of `NodeViews`, a byte for a character. */
export function writeViewsTold(writer: ByteWriter, views: NodeViews): void {
  writeLatin1(writer, JSON.stringify(views));
}

/** Undefined when it is nothing of the kind. */
export function readViewsTold(bytes: Uint8Array): NodeViews | undefined {
  try {
    const views = JSON.parse(latin1(bytes)) as NodeViews | null;
    const isWhole = Array.isArray(views?.dlm?.lockspaces) && Array.isArray(views.controld?.lockspaces);
    return isWhole ? (views ?? undefined) : undefined;
  } catch {
    return undefined;
  }
}

function writeLatin1(writer: ByteWriter, text: string): void {
  for (let i = 0; i < text.length; i++) writer.u8(text.charCodeAt(i));
}
