import { type Check, defineInvariant, type Invariant, type Stamped, type Verdict } from '@quorate/kernel';
import type { RgFact, TreeFact } from '../fact.js';
import { PerLife } from './per-life.js';

type Of<K extends RgFact['kind']> = Stamped<Extract<RgFact, { readonly kind: K }>>;

/** What the agents of a service on one node have said. */
interface Tree {
  readonly nodes: ReadonlyMap<string, TreeFact>;
  /** How the last start or stop of each node ended. */
  readonly states: Map<string, 'started' | 'stopped' | 'failed'>;
  readonly isParallel: boolean;
  /** Paths of nodes whose agents start or stop them now. */
  readonly busy: Set<string>;
  operation: string;
  /** The last node that this operation has called, by its parent. */
  readonly last: Map<string, TreeFact>;
  /** Paths of nodes that did not start. */
  readonly failed: Set<string>;
}

/**
 * S28. Starting goes down the tree and stopping goes up; among siblings the levels of their types count, then the order
 * in which the parent's agent names the types, then that of the file. A walk is sequential, and no start follows a
 * failed one; with parallel siblings what is of one level, and what is below it, goes on beside each other. What searches
 * for flagged nodes (inline recovery, reconfiguration, convalesce) goes in another order among siblings, but not otherwise.
 */
class ServiceOrder implements Check<RgFact> {
  readonly #trees = new PerLife<Map<string, Tree>>(() => new Map());

  observe(fact: Stamped<RgFact>, verdict: Verdict): void {
    const trees = this.#trees.of(fact);
    if (fact.kind === 'rg.configured') {
      trees.clear();
      for (const { service, tree } of fact.services) trees.set(service, freshTree(tree, fact.isParallel));
      return;
    }
    if (!('service' in fact)) return;
    const tree = trees.get(fact.service);
    if (tree === undefined) return;
    if (fact.kind === 'rg.operation-started') {
      tree.operation = fact.operation;
      tree.last.clear();
      tree.failed.clear();
    }
    if (fact.kind === 'rg.agent-started') this.#started(tree, fact, verdict);
    if (fact.kind === 'rg.agent-ended') ended(tree, fact);
  }

  #started(tree: Tree, fact: Of<'rg.agent-started'>, verdict: Verdict): void {
    if (fact.action !== 'start' && fact.action !== 'stop') return;
    const problem = fact.action === 'start' ? startProblem(tree, fact.path) : stopProblem(tree, fact.path);
    if (problem !== undefined) {
      const { node, service, action, resource } = fact;
      verdict.violate(`node ${node}: ${service} ${action}s ${resource} ${problem}`, [node]);
    }
    tree.busy.add(fact.path);
    const node = tree.nodes.get(fact.path);
    if (node !== undefined) tree.last.set(parentOf(fact.path), node);
  }
}

function freshTree(nodes: readonly TreeFact[], isParallel: boolean): Tree {
  return {
    nodes: new Map(nodes.map((node) => [node.path, node])),
    states: new Map(),
    isParallel,
    busy: new Set(),
    operation: '',
    last: new Map(),
    failed: new Set(),
  };
}

function ended(tree: Tree, { action, path, status }: Of<'rg.agent-ended'>): void {
  if (action !== 'start' && action !== 'stop') return;
  tree.busy.delete(path);
  tree.states.set(path, status !== 0 ? 'failed' : action === 'start' ? 'started' : 'stopped');
  if (action === 'start' && status !== 0) tree.failed.add(path);
}

function parentOf(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot < 0 ? '' : path.slice(0, dot);
}

function startProblem(tree: Tree, path: string): string | undefined {
  const busy = busyProblem(tree, path, 'start');
  if (busy !== undefined) return busy;
  const failed = [...tree.failed].find((other) => !areBeside(tree, other, path, 'start'));
  if (failed !== undefined && tree.operation === 'start') return 'after another failed to start';
  const parent = parentOf(path);
  const state = tree.states.get(parent);
  if (state === 'stopped' || state === 'failed') return `while ${nameOf(tree, parent)} is ${state}`;
  return siblingProblem(tree, path, 'start');
}

function stopProblem(tree: Tree, path: string): string | undefined {
  const busy = busyProblem(tree, path, 'stop');
  if (busy !== undefined) return busy;
  for (const [other, state] of tree.states) {
    if (state === 'started' && other.startsWith(`${path}.`)) return `while ${nameOf(tree, other)} is started`;
  }
  return siblingProblem(tree, path, 'stop');
}

function busyProblem(tree: Tree, path: string, operation: 'start' | 'stop'): string | undefined {
  const busy = [...tree.busy].find((other) => !areBeside(tree, other, path, operation));
  return busy === undefined ? undefined : `while ${nameOf(tree, busy)} is busy`;
}

/** Whether two places are siblings of one level, or below such. */
function areBeside(tree: Tree, a: string, b: string, operation: 'start' | 'stop'): boolean {
  if (!tree.isParallel) return false;
  const [x, y] = [a.split('.'), b.split('.')];
  const fork = x.findIndex((step, i) => step !== y[i]);
  if (fork < 0 || fork >= y.length) return false;
  const levelAt = (path: readonly string[]): number =>
    levelOf(tree.nodes.get(path.slice(0, fork + 1).join('.')), operation);
  return levelAt(x) > 0 && levelAt(x) === levelAt(y);
}

/** 0: none. */
function levelOf(node: TreeFact | undefined, operation: 'start' | 'stop'): number {
  return (operation === 'start' ? node?.startLevel : node?.stopLevel) ?? 0;
}

function siblingProblem(tree: Tree, path: string, operation: 'start' | 'stop'): string | undefined {
  const before = tree.last.get(parentOf(path));
  const node = tree.nodes.get(path);
  if (tree.operation !== operation || before === undefined || node === undefined) return undefined;
  const isPeer =
    tree.isParallel && levelOf(node, operation) > 0 && levelOf(node, operation) === levelOf(before, operation);
  return isPeer || compareSiblings(before, node, operation) < 0 ? undefined : `after ${before.resource}`;
}

/** Below 0: `a` comes first. */
function compareSiblings(a: TreeFact, b: TreeFact, operation: 'start' | 'stop'): number {
  const isStart = operation === 'start';
  // On the way up what has no level comes last, on the way down first.
  const rankOf = (node: TreeFact): number => {
    if (node.startLevel === 0 && node.stopLevel === 0) return isStart ? Infinity : 0;
    return levelOf(node, operation);
  };
  const [levelA, levelB] = [rankOf(a), rankOf(b)];
  if (levelA !== levelB) return levelA - levelB;
  const hasLevel = levelA !== 0 && levelA !== Infinity;
  if (hasLevel && a.rank !== b.rank) return a.rank - b.rank;
  return isStart ? indexOf(a) - indexOf(b) : indexOf(b) - indexOf(a);
}

function indexOf({ path }: TreeFact): number {
  return Number(path.slice(path.lastIndexOf('.') + 1));
}

function nameOf(tree: Tree, path: string): string {
  return tree.nodes.get(path)?.resource ?? path;
}

export const serviceOrder: Invariant = defineInvariant<RgFact>({
  id: 'S28',
  name: 'svc-order',
  statement: 'Resources start from the root of their tree to its leaves and stop the other way round, by levels.',
  kinds: ['rg.configured', 'rg.operation-started', 'rg.agent-started', 'rg.agent-ended'],
  start: () => new ServiceOrder(),
});
