import type { Task } from '@quorate/kernel';
import { type ConfElement, childrenNamed } from '../conf/conf-element.js';
import { type EventTrigger, readEventTriggers } from '../conf/event-triggers.js';
import { readFailoverDomains } from '../state/failover-domain.js';
import { copyIncarnations, resourceDelta, treeDelta } from '../tree/delta.js';
import type { Resource } from '../tree/resource.js';
import { applyResourceDefaults, loadResources, ResourceList } from '../tree/resource-list.js';
import type { ResourceNode } from '../tree/resource-node.js';
import type { ResourceRule } from '../tree/resource-rule.js';
import { buildTree } from '../tree/resource-tree.js';
import { type TreeOperation, TreeWalk } from '../tree/tree-operation.js';
import { formatDomain, formatEventTriggers, formatResource, formatRule, formatTree } from './listing.js';

interface Loaded {
  readonly messages: string;
  readonly rules: readonly ResourceRule[];
  readonly list: ResourceList;
  readonly roots: readonly ResourceNode[];
  readonly domains: string;
  readonly triggers: readonly EventTrigger[];
}

/** What an operation on a service or vm printed, and whether there is such a service. */
export interface RgTestWalk {
  readonly text: string;
  readonly isFound: boolean;
}

/**
 * `rg_test`: what it prints of rules and configurations, with the messages of loading them before. Nothing is carried out.
 *
 * Source: cluster.git rgmanager/src/daemons/test.c.
 */
export class RgTest {
  readonly #rules: readonly ResourceRule[];

  constructor(rules: readonly ResourceRule[]) {
    this.#rules = rules;
  }

  /** `rg_test AGENTS rules`. */
  rules(): string {
    return this.#rules.map(formatRule).join('');
  }

  /** `rg_test AGENTS test CONF`. */
  list(cluster: ConfElement): string {
    const { messages, list, roots, domains, triggers } = this.#load(cluster);
    return [
      messages,
      list.size === 0 ? '' : `=== Resources List ===\n${resources(list)}`,
      roots.length === 0 ? '' : `=== Resource Tree ===\n${formatTree(roots)}`,
      domains === '' ? '' : `=== Failover Domains ===\n${domains}`,
      `=== Event Triggers ===\n${formatEventTriggers(triggers)}`,
    ].join('');
  }

  /** `rg_test AGENTS noop CONF start|stop|status TYPE NAME`, without the messages of loading. */
  operate(cluster: ConfElement, operation: RgTestOperation, type: string, name: string): RgTestWalk {
    const [begin, end, good] = PRINTED[operation];
    const { list, roots } = this.#load(cluster);
    const resource = list.find(type, name);
    if (resource === undefined) return { isFound: false, text: `No resource ${name} of type ${type} found\n` };
    const text = `${begin} ${name}...\n${walk(roots, resource, operation)}${end} ${name} ${good}\n`;
    return { isFound: true, text };
  }

  /**
   * `rg_test AGENTS delta OLD NEW`.
   *
   * Compatible: the defaults of the new configuration go to the rules of the old one, whose resources are read already.
   * They are told, and have no effect; the daemon gives them to the new rules.
   */
  delta(before: ConfElement, after: ConfElement): string {
    const old = this.#load(before);
    const { messages: defaults } = withDefaults(after, old.rules);
    const next = load(after, this.#rules);
    resourceDelta(old.list, next.list);
    treeDelta(old.roots, next.roots);
    const lists = [
      `=== Old Resource List ===\n${resources(old.list)}`,
      `=== New Resource List ===\n${resources(next.list)}`,
      `=== Old Resource Tree ===\n${formatTree(old.roots)}`,
      `=== New Resource Tree ===\n${formatTree(next.roots)}`,
    ].join('');
    const down = downPhase(old);
    copyIncarnations(old.list, next.list);
    const phases = `=== Operations (down-phase) ===\n${down}=== Operations (up-phase) ===\n${upPhase(next)}`;
    return `${old.messages}${defaults}${next.messages}${lists}${phases}`;
  }

  /** Defaults apply before the resources section is read. */
  #load(cluster: ConfElement): Loaded {
    const { messages, rules } = withDefaults(cluster, this.#rules);
    const loaded = load(cluster, rules);
    return { ...loaded, messages: messages + loaded.messages };
  }
}

function withDefaults(cluster: ConfElement, rules: readonly ResourceRule[]): Pick<Loaded, 'messages' | 'rules'> {
  let messages = '';
  const changed = applyResourceDefaults(childrenNamed(cluster, 'rm')[0], rules, (text) => {
    messages += `${text}\n`;
  });
  return { messages, rules: changed };
}

function load(cluster: ConfElement, rules: readonly ResourceRule[]): Loaded {
  const rm = childrenNamed(cluster, 'rm')[0];
  let messages = '';
  const report = (text: string): void => {
    messages += `${text}\n`;
  };
  const silent = (): void => {};
  const list = new ResourceList();
  loadResources(rm, rules, list, report);
  const roots = buildTree(rm, rules, list, report);
  const domains = readFailoverDomains(cluster, silent).map(formatDomain);
  return { messages, rules, list, roots, domains: domains.join(''), triggers: readEventTriggers(cluster, silent) };
}

function resources(list: ResourceList): string {
  return [...list].map(formatResource).join('');
}

function drive<T>(task: Task<T>): T {
  const { done, value } = task.next();
  if (!done) throw new Error('a walk with agents that answer at once must not wait');
  return value;
}

/** A walk in which every agent succeeds, and what `rg_test noop` prints of it. */
function walk(roots: readonly ResourceNode[], resource: Resource, operation: TreeOperation): string {
  let printed = '';
  const walker = new TreeWalk({
    *run(node, action, depth) {
      if (node.action(action, depth) !== undefined) printed += `[${action}] ${node.name}\n`;
      return 0;
    },
    seconds: 1_000_000,
    log: () => {},
    report: (text) => {
      printed += `${text}\n`;
    },
    beginCheck: () => true,
    endCheck: () => {},
    isParallel: false,
    *together() {
      return [];
    },
  });
  const result = drive(walker.operate(roots, resource, operation));
  return result === 0 ? printed : `${printed}${operation} ended with ${result}\n`;
}

export type RgTestOperation = 'start' | 'stop' | 'status';

const PRINTED = {
  start: ['Starting', 'Start of', 'complete'],
  stop: ['Stopping', 'Stop of', 'complete'],
  status: ['Checking status of', 'Status of', 'is good'],
} as const satisfies Record<RgTestOperation, unknown>;

/** The list is a ring in the original, and each walk of a phase begins where the phase is. */
function from(root: ResourceNode, roots: readonly ResourceNode[]): readonly ResourceNode[] {
  const at = roots.indexOf(root);
  return [...roots.slice(at), ...roots.slice(0, at)];
}

function canMigrate(root: ResourceNode): boolean {
  return root.children.length === 0 && root.action('migrate', 0) !== undefined;
}

/** `[kill]` and `[init]` are printed without a line end. */
function downPhase({ roots }: Loaded): string {
  const phase = roots.map((root) => {
    const mark = root.resource.needsStop ? '[kill] ' : '';
    if (mark !== '' && !root.resource.rule.destroyOnDelete && canMigrate(root)) {
      return `${mark}[no-op] ${root.name} was removed from the config, but I am not stopping it.\n`;
    }
    return mark + walk(from(root, roots), root.resource, 'condstop');
  });
  return phase.join('');
}

function upPhase({ roots }: Loaded): string {
  const phase = roots.map((root) => {
    const mark = root.resource.needsStart && !root.resource.isReconfigured ? '[init] ' : '';
    if (mark === '') return walk(from(root, roots), root.resource, 'condstart');
    if (!root.resource.rule.initOnAdd && canMigrate(root)) {
      return `${mark}[noop] ${root.name} was added, but I am not initializing it\n`;
    }
    return mark + walk(from(root, roots), root.resource, 'stop');
  });
  return phase.join('');
}
