import type { LogPriority } from '@quorate/kernel';
import type { RgFact, TreeFact } from '../fact.js';
import { type FailoverDomain, findDomain } from '../state/failover-domain.js';
import { isExclusive } from '../state/placement.js';
import type { Resource } from '../tree/resource.js';
import type { ResourceList } from '../tree/resource-list.js';
import { attributeValue, type ResourceNode } from '../tree/resource-node.js';

/** Where a line of the log goes. */
export type Log = (priority: LogPriority, text: string) => void;

/** Services as one `cluster.conf` has them: resources, their tree, failover domains. */
export class Configuration {
  readonly resources: ResourceList;
  /** Top-level nodes, in the order of the file. */
  readonly roots: readonly ResourceNode[];
  readonly domains: readonly FailoverDomain[];
  /** Names of all services, `type:name`. */
  readonly services: readonly string[];
  /** Services that depend on another. */
  readonly dependents: readonly string[];
  /** Whether any service wants a node for itself. */
  readonly hasExclusive: boolean;
  readonly #byName = new Map<string, ResourceNode>();
  readonly #using = new Map<Resource, ResourceNode[]>();
  readonly #log: Log;

  constructor(resources: ResourceList, roots: readonly ResourceNode[], domains: readonly FailoverDomain[], log: Log) {
    this.resources = resources;
    this.roots = roots;
    this.domains = domains;
    this.#log = log;
    this.services = roots.map(({ name }) => name);
    this.dependents = this.services.filter((service) => this.property(service, 'depend') !== undefined);
    this.hasExclusive = [...resources].some((resource) => isExclusive(resource.text('exclusive')));
    for (const root of roots) {
      if (!this.#byName.has(root.name)) this.#byName.set(root.name, root);
      for (const resource of new Set([...root.subtree()].map((node) => node.resource))) {
        const using = this.#using.get(resource);
        if (using === undefined) this.#using.set(resource, [root]);
        else using.push(root);
      }
    }
  }

  has(service: string): boolean {
    return this.#byName.has(service);
  }

  root(service: string): ResourceNode | undefined {
    return this.#byName.get(service);
  }

  /** Top-level nodes that a walk for a resource may end at: it is there, or below. */
  rootsUsing(resource: Resource): readonly ResourceNode[] {
    return this.#using.get(resource) ?? [];
  }

  /** Text of a service's attribute. */
  property(service: string, name: string): string | undefined {
    return this.resources.findRoot(service)?.text(name);
  }

  isExclusive(service: string): boolean {
    return isExclusive(this.property(service, 'exclusive'));
  }

  /** The domain of a service; one that the configuration does not define is none. */
  domainOf(service: string): FailoverDomain | undefined {
    const name = this.property(service, 'domain');
    return name === undefined ? undefined : findDomain(this.domains, name);
  }

  /** Warns of a domain that the configuration does not define. */
  complainOfDomain(service: string): void {
    const name = this.property(service, 'domain');
    if (name === undefined || findDomain(this.domains, name) !== undefined) return;
    this.#log('warning', `#66: Domain '${name}' specified for resource group ${service} nonexistent!`);
  }

  /** Whether a service can move while it runs: its agent knows how to migrate, and it has no children. */
  isMigratory(service: string): boolean {
    const root = this.root(service);
    if (root === undefined || root.children.length > 0) return false;
    return root.resource.actions.some(({ name }) => name === 'migrate');
  }

  /** Addresses of a service's `ip` resources, in the order of its tree. `name` is without the type `service`. */
  addresses(name: string): readonly string[] {
    const root = this.root(`service:${name}`);
    if (root === undefined) return [];
    const nodes = [...root.subtree()].filter(({ type }) => type === 'ip');
    return nodes.map((node) => attributeValue(node, 'address') ?? '');
  }

  describe(): Pick<Extract<RgFact, { kind: 'rg.configured' }>, 'services' | 'domains'> {
    return {
      services: this.roots.map((root) => ({
        service: root.name,
        domain: this.property(root.name, 'domain') ?? '',
        isExclusive: this.isExclusive(root.name),
        dependsOn: this.property(root.name, 'depend') ?? '',
        tree: [...describeTree([root], '')],
      })),
      domains: this.domains.map(({ name, isOrdered, isRestricted, isNofailback, nodes }) => ({
        name,
        isOrdered,
        isRestricted,
        isNofailback,
        nodes: nodes.map(({ nodeId, priority }) => ({ node: nodeId, priority })),
      })),
    };
  }
}

function* describeTree(nodes: readonly ResourceNode[], prefix: string): Generator<TreeFact> {
  for (const [index, node] of nodes.entries()) {
    const path = `${prefix}${index}`;
    const childTypes = node.parent?.resource.rule.childTypes ?? [];
    const rank = childTypes.findIndex(({ type }) => type === node.type);
    const { startLevel = 0, stopLevel = 0 } = childTypes[rank] ?? {};
    const isSingle = node.resource.rule.maxReferences === 1;
    yield { path, resource: node.name, type: node.type, startLevel, stopLevel, isSingle, rank };
    yield* describeTree(node.children, `${path}.`);
  }
}

/** Place of a node in its service's tree: `0`, `0.2`, `0.2.1`. */
export function pathOf(node: ResourceNode): string {
  return node.parent === undefined ? '0' : `${pathOf(node.parent)}.${node.parent.children.indexOf(node)}`;
}
