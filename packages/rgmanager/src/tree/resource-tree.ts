import { atoi } from '../conf/atoi.js';
import { type ConfElement, childrenNamed } from '../conf/conf-element.js';
import { expandTime } from '../conf/time-text.js';
import { loadResource, type Report, type Resource } from './resource.js';
import type { ResourceList } from './resource-list.js';
import { ResourceNode } from './resource-node.js';
import type { ResourceRule } from './resource-rule.js';
import { RestartCounter } from './restart-counter.js';

/** `absent`: an inline element that is no resource; it ends the scan that met it. `bad`: one that is skipped. */
type Loaded = ResourceNode | 'absent' | 'bad';

/**
 * Builds the tree of services from `/cluster/rm`; inline resources are added to `list`.
 *
 * Source: rgmanager src/daemons/restree.c, `build_tree`.
 */
export function buildTree(
  rm: ConfElement | undefined,
  rules: readonly ResourceRule[],
  list: ResourceList,
  report: Report,
): readonly ResourceNode[] {
  const builder = new TreeBuilder(rules, list, report);
  const roots: ResourceNode[] = [];
  if (rm !== undefined) builder.build(rm, '/cluster/rm', undefined, roots);
  return roots;
}

class TreeBuilder {
  readonly #rules: readonly ResourceRule[];
  readonly #list: ResourceList;
  readonly #report: Report;

  constructor(rules: readonly ResourceRule[], list: ResourceList, report: Report) {
    this.#rules = rules;
    this.#list = list;
    this.#report = report;
  }

  build(element: ConfElement, path: string, parent: ResourceNode | undefined, siblings: ResourceNode[]): void {
    this.#typedChildren(element, path, parent, siblings);
    this.#untypedChildren(element, path, parent, siblings);
  }

  /** Pass 1: child types in the order of the parent's rule, each in document order. */
  #typedChildren(element: ConfElement, path: string, parent: ResourceNode | undefined, siblings: ResourceNode[]): void {
    for (const { type, isForbidden } of parent?.resource.rule.childTypes ?? []) {
      const rule = this.#rules.find((each) => each.type === type);
      if (rule === undefined || isForbidden) continue;
      for (const [index, child] of childrenNamed(element, type).entries()) {
        if (!this.#add(child, `${path}/${type}[${index + 1}]`, rule, parent, siblings)) break;
      }
    }
  }

  /**
   * Pass 2: what else is a resource, in document order. An element whose name differs from a child type only in case is
   * loaded here.
   */
  #untypedChildren(
    element: ConfElement,
    path: string,
    parent: ResourceNode | undefined,
    siblings: ResourceNode[],
  ): void {
    for (const [index, child] of element.children.entries()) {
      const rule = this.#rules.find((each) => each.type.toLowerCase() === child.name.toLowerCase());
      if (rule === undefined || this.#isTyped(parent, child.name)) continue;
      const childPath = `${path}/child::*[${index + 1}]`;
      if (this.#add(child, childPath, rule, parent, siblings)) continue;
      this.#report(`No resource found @ ${childPath}`);
      break;
    }
  }

  #isTyped(parent: ResourceNode | undefined, name: string): boolean {
    return parent?.resource.rule.childTypes?.some(({ type }) => type === name) ?? false;
  }

  /** False when the scan is over. */
  #add(
    element: ConfElement,
    path: string,
    rule: ResourceRule,
    parent: ResourceNode | undefined,
    siblings: ResourceNode[],
  ): boolean {
    const node = this.#load(element, rule, parent);
    if (node === 'absent') return false;
    if (node === 'bad') return true;
    siblings.push(node);
    this.build(element, path, node, node.children);
    return true;
  }

  /** `do_load_resource`. */
  #load(element: ConfElement, rule: ResourceRule, parent: ResourceNode | undefined): Loaded {
    const resource = this.#resourceOf(element, rule);
    if (typeof resource === 'string') return resource;
    if (rule.maxReferences > 0 && resource.references >= rule.maxReferences) {
      // Compatible: the message names the first attribute, not the resource.
      const name = resource.attributes[0]!.name;
      this.#report(`Warning: Max references exceeded for resource ${name} (type ${rule.type})`);
      return 'bad';
    }
    const node = new ResourceNode(resource, parent);
    readNodeAttributes(node, element);
    resource.references += 1;
    this.#settleNonCritical(node);
    assignRestartPolicy(node, element);
    return node;
  }

  #resourceOf(element: ConfElement, rule: ResourceRule): Resource | 'absent' | 'bad' {
    const reference = element.attributes.get('ref');
    if (reference === undefined) {
      const resource = loadResource(rule, element, true, this.#report);
      if (resource === undefined) return 'absent';
      return this.#list.store(resource, this.#report) ? resource : 'bad';
    }
    const found = this.#list.find(rule.type, reference);
    const about = `resource ${reference} (type ${rule.type})`;
    if (found === undefined) this.#report(`Error: Reference to nonexistent ${about}`);
    else if (found.isInline) this.#report(`Error: Reference to inlined ${about} is illegal`);
    return found === undefined || found.isInline ? 'bad' : found;
  }

  #settleNonCritical(node: ResourceNode): void {
    const { resource } = node;
    if (resource.isNonCritical && resource.references > 1) {
      this.#report(`Non-critical flag for ${resource.name} is being cleared due to multiple references.`);
      resource.isNonCritical = false;
    }
    if (!resource.isNonCritical) return;
    node.isNonCritical = true;
    node.isIndependent = true;
  }
}

/** Reads what concerns the node and not the resource: it counts where the resource is used, not where it is defined. */
function readNodeAttributes(node: ResourceNode, { attributes }: ConfElement): void {
  const independent = attributes.get('__independent_subtree') ?? '';
  if (node.parent !== undefined) {
    if (atoi(independent) === 1 || independent.toLowerCase() === 'yes') node.isIndependent = true;
    if (atoi(independent) === 2 || independent.toLowerCase() === 'non-critical') node.resource.isNonCritical = true;
  }
  const enforce = attributes.get('__enforce_timeouts') ?? '';
  node.enforcesTimeouts = atoi(enforce) > 0 || enforce.toLowerCase() === 'yes';
  const failures = Math.max(0, atoi(attributes.get('__max_failures') ?? ''));
  const expireSec = expandTime(attributes.get('__failure_expire_time') ?? '');
  if (failures > 0 && expireSec > 0) node.failureCounter = new RestartCounter(expireSec, failures);
}

function assignRestartPolicy(node: ResourceNode, { attributes }: ConfElement): void {
  if (node.isIndependent) {
    const max = Math.max(0, atoi(attributes.get('__max_restarts') ?? ''));
    const expireSec = expandTime(attributes.get('__restart_expire_time') ?? '');
    if (max > 0 && expireSec > 0) node.restartCounter = new RestartCounter(expireSec, max);
  } else if (node.parent === undefined) {
    const max = atoi(node.resource.text('max_restarts') ?? '');
    const expireSec = expandTime(node.resource.text('restart_expire_time') ?? '');
    if (max > 0) node.restartCounter = new RestartCounter(expireSec, max);
  }
}
