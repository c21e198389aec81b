import type { Task } from '@quorate/kernel';
import { childrenNamed, descend } from '../conf/conf-element.js';
import { type EventTrigger, readEventTriggers } from '../conf/event-triggers.js';
import { readFailoverDomains } from '../state/failover-domain.js';
import { formatDomain, formatEventTriggers, formatResource, formatRule, formatTree } from '../tools/listing.js';
import { copyIncarnations, resourceDelta, treeDelta } from '../tree/delta.js';
import { applyResourceDefaults, loadResources, ResourceList } from '../tree/resource-list.js';
import type { ResourceNode } from '../tree/resource-node.js';
import type { ResourceRule } from '../tree/resource-rule.js';
import { buildTree } from '../tree/resource-tree.js';
import { type TreeOperation, TreeWalk } from '../tree/tree-operation.js';
import { caseNames, type RecordedCase, type RecordedFiles, recordedRules, textDifferences } from './recorded-files.js';

// What `rg_test` prints: rules, listings, walks over a tree, and the way from one configuration to another.

interface Loaded {
  readonly messages: string;
  readonly list: ResourceList;
  readonly roots: readonly ResourceNode[];
  readonly domains: string;
  readonly triggers: readonly EventTrigger[];
}

class RgTest {
  readonly #files: RecordedFiles;
  readonly #rules: readonly ResourceRule[];

  constructor(files: RecordedFiles) {
    this.#files = files;
    this.#rules = recordedRules(files);
  }

  rules(): string {
    return this.#rules.map(formatRule).join('');
  }

  /** `rg_test AGENTS test CONF`. */
  list(name: string): string {
    const { messages, list, roots, domains, triggers } = this.#load(name);
    return [
      messages,
      list.size === 0 ? '' : `=== Resources List ===\n${resources(list)}`,
      roots.length === 0 ? '' : `=== Resource Tree ===\n${formatTree(roots)}`,
      domains === '' ? '' : `=== Failover Domains ===\n${domains}`,
      `=== Event Triggers ===\n${formatEventTriggers(triggers)}`,
    ].join('');
  }

  /** `rg_test AGENTS noop CONF start|stop|status` for every service or vm of the file, each from a fresh load. */
  operate(name: string, operation: keyof typeof PRINTED): string {
    const [begin, end, good] = PRINTED[operation];
    const rm = descend(this.#files.element(`tree/${name}.conf`), 'rm');
    const written = rm?.children.filter((child) => child.name === 'service' || child.name === 'vm') ?? [];
    return written
      .map(({ name: type, attributes }) => {
        const primary = attributes.get('name') ?? attributes.get('ref') ?? '';
        const { roots } = this.#load(name);
        const root = roots.find((each) => each.name === `${type}:${primary}`);
        if (root === undefined) return `No resource ${primary} of type ${type} found\n`;
        return `${begin} ${primary}...\n${walk(roots, root, operation)}${end} ${primary} ${good}\n`;
      })
      .join('');
  }

  /** `rg_test AGENTS delta OLD NEW`. */
  delta(before: string, after: string): string {
    const old = this.#load(before);
    const next = this.#load(after);
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
    return `${old.messages}${next.messages}${lists}${phases}`;
  }

  /** Defaults apply before the resources section is read. */
  #load(name: string): Loaded {
    const cluster = this.#files.element(`tree/${name}.conf`);
    const rm = childrenNamed(cluster, 'rm')[0];
    let messages = '';
    const report = (text: string): void => {
      messages += `${text}\n`;
    };
    const silent = (): void => {};
    const rules = applyResourceDefaults(rm, this.#rules, report);
    const list = new ResourceList();
    loadResources(rm, rules, list, report);
    const roots = buildTree(rm, rules, list, report);
    const domains = readFailoverDomains(cluster, silent).map(formatDomain);
    return { messages, list, roots, domains: domains.join(''), triggers: readEventTriggers(cluster, silent) };
  }
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
  const result = drive(walker.operate(roots, root.resource, operation));
  return result === 0 ? printed : `${printed}${operation} ended with ${result}\n`;
}

const PRINTED = {
  start: ['Starting', 'Start of', 'complete'],
  stop: ['Stopping', 'Stop of', 'complete'],
  status: ['Checking status of', 'Status of', 'is good'],
} as const;

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

export function treeCases(files: RecordedFiles): readonly RecordedCase[] {
  const rgTest = new RgTest(files);
  const printed = (path: string, print: () => string): RecordedCase => ({
    name: path.replace(/\.expected$/, ''),
    differences: () => textDifferences(print(), files.text(path)),
  });
  const rules = files.names('agents').includes('rules.expected')
    ? [printed('agents/rules.expected', () => rgTest.rules())]
    : [];
  const listings = caseNames(files, 'tree', '.list.expected').map((name) =>
    printed(`tree/${name}.list.expected`, () => rgTest.list(name)),
  );
  const walks = (['start', 'stop', 'status'] as const).flatMap((operation) =>
    caseNames(files, 'tree', `.${operation}.expected`).map((name) =>
      printed(`tree/${name}.${operation}.expected`, () => rgTest.operate(name, operation)),
    ),
  );
  const deltas = caseNames(files, 'delta', '.delta.expected').map((name) => {
    const [before = '', after = ''] = name.split('--');
    return printed(`delta/${name}.delta.expected`, () => rgTest.delta(before, after));
  });
  return [...rules, ...listings, ...walks, ...deltas];
}
