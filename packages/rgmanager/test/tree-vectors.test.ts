import type { Task } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { readFailoverDomains } from '../src/state/failover-domain.js';
import { formatDomain, formatResource, formatRule, formatTree } from '../src/tools/listing.js';
import { copyIncarnations, resourceDelta, treeDelta } from '../src/tree/delta.js';
import { applyResourceDefaults, loadResources, ResourceList } from '../src/tree/resource-list.js';
import type { ResourceNode } from '../src/tree/resource-node.js';
import { buildTree } from '../src/tree/resource-tree.js';
import { type TreeOperation, TreeWalk } from '../src/tree/tree-operation.js';
import { allRules, confVector, vector, vectorNames } from './vectors.js';

interface Loaded {
  readonly messages: string;
  readonly list: ResourceList;
  readonly roots: readonly ResourceNode[];
  readonly domains: string;
}

/** As rg_test loads a configuration: defaults apply before the resources section is read. */
function load(name: string): Loaded {
  const cluster = confVector(`tree/${name}.conf`);
  const rm = cluster.children.find((child) => child.name === 'rm');
  let messages = '';
  const report = (text: string): void => {
    messages += `${text}\n`;
  };
  const rules = applyResourceDefaults(rm, allRules(), report);
  const list = new ResourceList();
  loadResources(rm, rules, list, report);
  const roots = buildTree(rm, rules, list, report);
  const domains = readFailoverDomains(cluster, () => {}).map(formatDomain);
  return { messages, list, roots, domains: domains.join('') };
}

function drive<T>(task: Task<T>): T {
  const { done, value } = task.next();
  if (!done) throw new Error('a walk with agents that answer at once must not wait');
  return value;
}

/** A walk in which every agent succeeds, and what `rg_test noop` prints of it. */
function walk(roots: readonly ResourceNode[], root: ResourceNode, operation: TreeOperation): string {
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
  });
  expect(drive(walker.operate(roots, root.resource, operation))).toBe(0);
  return printed;
}

const PRINTED = {
  start: ['Starting', 'Start of', 'complete'],
  stop: ['Stopping', 'Stop of', 'complete'],
  status: ['Checking status of', 'Status of', 'is good'],
} as const;

/** `rg_test` for every top-level service or vm of the file, each from a fresh load. */
function operateOnAll(name: string, operation: keyof typeof PRINTED): string {
  const [begin, end, good] = PRINTED[operation];
  const rm = confVector(`tree/${name}.conf`).children.find((child) => child.name === 'rm');
  const written = rm?.children.filter((child) => child.name === 'service' || child.name === 'vm') ?? [];
  return written
    .map(({ name: type, attributes }) => {
      const primary = attributes.get('name') ?? attributes.get('ref') ?? '';
      const { roots } = load(name);
      const root = roots.find((each) => each.name === `${type}:${primary}`);
      if (root === undefined) return `No resource ${primary} of type ${type} found\n`;
      return `${begin} ${primary}...\n${walk(roots, root, operation)}${end} ${primary} ${good}\n`;
    })
    .join('');
}

const EVENTS =
  '=== Event Triggers ===\nEvent Priority Level 100:\n  Name: Default\n    (Any event)\n    File: /usr/share/cluster/default_event_script.sl\n';

function resources(list: ResourceList): string {
  return [...list].map(formatResource).join('');
}

function listing({ messages, list, roots, domains }: Loaded): string {
  return [
    messages,
    list.size === 0 ? '' : `=== Resources List ===\n${resources(list)}`,
    roots.length === 0 ? '' : `=== Resource Tree ===\n${formatTree(roots)}`,
    domains === '' ? '' : `=== Failover Domains ===\n${domains}`,
    EVENTS,
  ].join('');
}

const cases = vectorNames('tree', '.conf');

it('27 agents make the rules that rg_test prints', () => {
  expect(allRules().map(formatRule).join('')).toBe(vector('agents/rules.expected'));
});

describe('resources and tree as rg_test lists them', () => {
  // Event triggers belong to central processing, which this package does not have.
  it.each(cases.filter((name) => !name.includes('-events')))('%s', (name) => {
    expect(listing(load(name))).toBe(vector(`tree/${name}.list.expected`));
  });
});

describe.each(['start', 'stop', 'status'] as const)('order of %s', (operation) => {
  it.each(cases)('%s', (name) => {
    expect(operateOnAll(name, operation)).toBe(vector(`tree/${name}.${operation}.expected`));
  });
});

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
    return mark + walk(roots, root, 'condstop');
  });
  return phase.join('');
}

function upPhase({ roots }: Loaded): string {
  const phase = roots.map((root) => {
    const mark = root.resource.needsStart && !root.resource.isReconfigured ? '[init] ' : '';
    if (mark === '') return walk(roots, root, 'condstart');
    if (!root.resource.rule.initOnAdd && canMigrate(root)) {
      return `${mark}[noop] ${root.name} was added, but I am not initializing it\n`;
    }
    return mark + walk(roots, root, 'stop');
  });
  return phase.join('');
}

function delta(name: string): string {
  const [before, after] = name.split('--');
  const old = load(before!);
  const next = load(after!);
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
  return `${old.messages}${next.messages}${lists}=== Operations (down-phase) ===\n${down}=== Operations (up-phase) ===\n${upPhase(next)}`;
}

describe('going over from one configuration to another', () => {
  it.each(vectorNames('delta', '.delta.expected'))('%s', (name) => {
    expect(delta(name)).toBe(vector(`delta/${name}.delta.expected`));
  });
});
