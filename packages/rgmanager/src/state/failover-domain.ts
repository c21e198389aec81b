import type { LogPriority } from '@quorate/kernel';
import { atoi } from '../conf/atoi.js';
import { type ConfElement, childrenNamed, descend } from '../conf/conf-element.js';

interface DomainNode {
  readonly name: string;
  /** -1 when no clusternode has that name. */
  readonly nodeId: number;
  /** 1..100; 0 in an unordered domain, and where the file has none or another one. The smallest number wins. */
  readonly priority: number;
}

/** Nodes that a service prefers, or is bound to. */
export interface FailoverDomain {
  readonly name: string;
  readonly isOrdered: boolean;
  readonly isRestricted: boolean;
  readonly isNofailback: boolean;
  /** In the order of the file. */
  readonly nodes: readonly DomainNode[];
}

type Log = (priority: LogPriority, text: string) => void;

/**
 * Reads the failover domains. Flags are integers: `yes` is 0. A domain that is named twice ends the list of domains, a
 * node that is named twice the list of its domain.
 *
 * Source: rgmanager src/daemons/fo_domain.c.
 */
export function readFailoverDomains(cluster: ConfElement, log: Log): readonly FailoverDomain[] {
  const domains: FailoverDomain[] = [];
  for (const element of childrenNamed(descend(cluster, 'rm', 'failoverdomains'), 'failoverdomain')) {
    const name = element.attributes.get('name');
    if (name === undefined) break;
    if (findDomain(domains, name) !== undefined) {
      log('err', `#31: Domain ${name} defined multiple times`);
      break;
    }
    const isSet = (attribute: string): boolean => atoi(element.attributes.get(attribute) ?? '') !== 0;
    const isOrdered = isSet('ordered');
    domains.push({
      name,
      isOrdered,
      isRestricted: isSet('restricted'),
      isNofailback: isSet('nofailback'),
      nodes: readDomainNodes(cluster, element, name, isOrdered, log),
    });
  }
  return domains;
}

export function findDomain(domains: readonly FailoverDomain[], name: string): FailoverDomain | undefined {
  return domains.find((domain) => domain.name.toLowerCase() === name.toLowerCase());
}

function readDomainNodes(
  cluster: ConfElement,
  element: ConfElement,
  domain: string,
  isOrdered: boolean,
  log: Log,
): readonly DomainNode[] {
  const nodes: DomainNode[] = [];
  for (const { attributes } of childrenNamed(element, 'failoverdomainnode')) {
    const name = attributes.get('name');
    if (name === undefined) break;
    if (nodes.some((node) => node.name.toLowerCase() === name.toLowerCase())) {
      log('err', `#30: Node ${name} defined multiple times in domain ${domain}`);
      break;
    }
    const priority = isOrdered ? atoi(attributes.get('priority') ?? '') : 0;
    const nodeId = nodeIdOf(cluster, name, log);
    nodes.push({ name, nodeId, priority: priority > 0 && priority <= 100 ? priority : 0 });
  }
  return nodes;
}

function nodeIdOf(cluster: ConfElement, name: string, log: Log): number {
  const nodes = childrenNamed(descend(cluster, 'clusternodes'), 'clusternode');
  const nodeId = nodes.find(({ attributes }) => attributes.get('name') === name)?.attributes.get('nodeid');
  if (nodeId !== undefined) return atoi(nodeId);
  log('warning', `Node ${name} has no nodeid attribute`);
  return -1;
}

/** How well a node suits a service. */
export const Score = { ILLEGAL: 0, GOOD: 1, BETTER: 2, BEST: 3 } as const;

/** What a score depends on, beside the node. */
export interface DomainSituation {
  /** Undefined: the service has no domain. */
  readonly domain: FailoverDomain | undefined;
  /** Whether the service is started or starting. */
  readonly isStarted: boolean;
  /** 0: nobody. */
  readonly owner: number;
  isOnline(node: number): boolean;
  /** A node gets its score for want of a domain: there may be one that is not defined. */
  readonly lacksDomain?: () => void;
}

/**
 * The score of a node for a service.
 *
 * Source: rgmanager src/daemons/fo_domain.c, `node_should_start`.
 */
export function nodeScore(node: number, { domain, isStarted, owner, isOnline, lacksDomain }: DomainSituation): number {
  if (!isOnline(node)) return Score.ILLEGAL;
  if (domain === undefined) {
    lacksDomain?.();
    return Score.BEST;
  }
  const place = placeInDomain(node, domain, isOnline);
  if (place === 'no-member-online') return domain.isRestricted ? Score.ILLEGAL : Score.BEST;
  if (place === 'outside') return domain.isRestricted ? Score.ILLEGAL : Score.GOOD;
  const staysWhereItIs = domain.isNofailback && isStarted && isOnline(owner);
  if (place === 'preferred') return staysWhereItIs && owner !== node ? Score.BETTER : Score.BEST;
  if (!domain.isOrdered) return Score.BEST;
  return staysWhereItIs && owner === node ? Score.BEST : Score.BETTER;
}

type Place = 'no-member-online' | 'outside' | 'member' | 'preferred';

/** `node_in_domain`. Priority 0 in an ordered domain beats 1, for it is the smaller number. */
function placeInDomain(node: number, domain: FailoverDomain, isOnline: (node: number) => boolean): Place {
  const online = domain.nodes.filter(({ nodeId }) => isOnline(nodeId));
  if (online.length === 0) return 'no-member-online';
  const mine = online.find(({ nodeId }) => nodeId === node);
  if (mine === undefined) return 'outside';
  return online.every(({ priority }) => mine.priority <= priority) ? 'preferred' : 'member';
}
