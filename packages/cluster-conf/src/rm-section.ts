import type { ConfElement } from './element.js';
import type { ElementReader } from './element-reader.js';
import type { NodeIds } from './nodes-section.js';
import { checkDependences } from './rm-dependences.js';
import { checkReferences } from './rm-references.js';

export interface FailoverDomainNode {
  readonly name: string;
  /** -1 when no clusternode has that name. */
  readonly nodeId: number;
  /** 1..100; 0 in an unordered domain, and where the file has none or another one. The smallest number wins. */
  readonly priority: number;
}

export interface FailoverDomain {
  readonly name: string;
  readonly isOrdered: boolean;
  readonly isRestricted: boolean;
  readonly isNofailback: boolean;
  readonly nodes: readonly FailoverDomainNode[];
}

/** `<rm>`: what rgmanager runs. Services and resources stay as they are written: agents say what they mean. */
export interface RmSection {
  /** syslog priority as a number, 0..7. */
  readonly logLevel: number | undefined;
  readonly logFacility: string | undefined;
  readonly statusChildMax: number | undefined;
  readonly statusPollIntervalSec: number;
  readonly transitionThrottlingSec: number;
  readonly isCentralProcessing: boolean;
  /** `disabled`: rgmanager refuses to start. */
  readonly isDisabled: boolean;
  /** As rgmanager reads them: see `readFailoverDomains`. */
  readonly failoverDomains: readonly FailoverDomain[];
  readonly resources: readonly ConfElement[];
  readonly resourceDefaults: readonly ConfElement[];
  readonly services: readonly ConfElement[];
  readonly vms: readonly ConfElement[];
  readonly events: readonly ConfElement[];
  /** The whole element. */
  readonly element: ConfElement;
}

const EVENT_ATTRIBUTES = ['file', 'priority', 'class', 'service', 'service_state', 'service_owner', 'node', 'node_id'];
const NODE_EVENT_ATTRIBUTES = ['node_state', 'node_clean', 'node_local'];

export function readRm(at: ElementReader, nodeIds: NodeIds): RmSection {
  const section: RmSection = {
    logLevel: at.optionalInteger('log_level', 0, 7),
    logFacility: at.optional('log_facility'),
    statusChildMax: at.optionalInteger('status_child_max', 1),
    statusPollIntervalSec: at.integer('status_poll_interval', 10, 0),
    transitionThrottlingSec: at.integer('transition_throttling', 5, 0),
    isCentralProcessing: at.flag('central_processing', false),
    isDisabled: at.flag('disabled', false),
    failoverDomains: readFailoverDomains(at.section('failoverdomains'), nodeIds),
    resources: readOpen(at.section('resources')),
    resourceDefaults: readOpen(at.section('resource-defaults')),
    services: at.rawChildren('service'),
    vms: at.rawChildren('vm'),
    events: readEvents(at.section('events')),
    element: at.element,
  };
  checkPolicy(at.section('policy'), nodeIds);
  at.finish();
  checkReferences(at, section.failoverDomains);
  checkDependences(at);
  return section;
}

/** What Quorate's rgmanager may do otherwise than the original. RHEL 6 refuses the element, as it would not keep to it. */
function checkPolicy(at: ElementReader, nodeIds: NodeIds): void {
  at.flag('coordinator', false);
  at.flag('fence_failed_stop', false);
  at.flag('parallel', false);
  at.flag('enforce_timeouts', false);
  for (const node of at.children('node')) {
    const name = node.required('name', 'the name of a clusternode');
    if (name !== '' && !nodeIds.has(name)) node.error('name', 'the name of a clusternode');
    node.optionalInteger('capacity', 0);
    node.finish();
  }
  for (const service of at.children('service')) {
    service.required('name', 'the name of a service');
    service.optionalInteger('need', 0);
    service.finish();
  }
  at.finish();
}

/** An element whose children belong to agents, while it has no attributes of its own. */
function readOpen(at: ElementReader): readonly ConfElement[] {
  at.everyChild();
  at.finish();
  return at.element.children;
}

function readEvents(at: ElementReader): readonly ConfElement[] {
  for (const event of at.children('event')) {
    event.required('name', 'a name');
    for (const name of [...EVENT_ATTRIBUTES, ...NODE_EVENT_ATTRIBUTES]) event.optional(name);
    event.finishWithText();
  }
  at.finish();
  return at.rawChildren('event');
}

/**
 * Failover domains with rgmanager's way of reading them: a domain named twice ends the list of domains, a node named
 * twice ends the list of that domain's nodes, names compared without case; both are logged there and no reason to
 * stop. `ordered`, `restricted` and `nofailback` are integers, so `yes` means no.
 *
 * Source: rgmanager/src/daemons/fo_domain.c, `fod_get_domain` and `fod_get_node`.
 */
function readFailoverDomains(at: ElementReader, nodeIds: NodeIds): readonly FailoverDomain[] {
  const domains: FailoverDomain[] = [];
  let isEnded = false;
  for (const each of at.children('failoverdomain')) {
    const domain = readFailoverDomain(each, nodeIds);
    if (domains.some((other) => equalIgnoringCase(other.name, domain.name))) {
      each.warn(
        'name',
        'a name of its own; rgmanager says "#31: Domain … defined multiple times" and reads no more domains',
      );
      isEnded = true;
    }
    if (!isEnded) domains.push(domain);
  }
  at.finish();
  return domains;
}

function readFailoverDomain(at: ElementReader, nodeIds: NodeIds): FailoverDomain {
  const name = at.required('name', 'a name');
  const isOrdered = readInteger(at, 'ordered') !== 0;
  const domain: FailoverDomain = {
    name,
    isOrdered,
    isRestricted: readInteger(at, 'restricted') !== 0,
    isNofailback: readInteger(at, 'nofailback') !== 0,
    nodes: readDomainNodes(at, isOrdered, nodeIds),
  };
  at.finish();
  return domain;
}

function readDomainNodes(at: ElementReader, isOrdered: boolean, nodeIds: NodeIds): readonly FailoverDomainNode[] {
  const nodes: FailoverDomainNode[] = [];
  let isEnded = false;
  for (const each of at.children('failoverdomainnode')) {
    const node = readDomainNode(each, isOrdered, nodeIds);
    if (nodes.some((other) => equalIgnoringCase(other.name, node.name))) {
      each.warn(
        'name',
        'another node; rgmanager says "#30: Node … defined multiple times" and reads no more of this domain',
      );
      isEnded = true;
    }
    if (!isEnded) nodes.push(node);
  }
  return nodes;
}

function readDomainNode(at: ElementReader, isOrdered: boolean, nodeIds: NodeIds): FailoverDomainNode {
  const name = at.required('name', 'the name of a clusternode');
  const nodeId = nodeIds.get(name) ?? -1;
  if (nodeId < 0 && name !== '')
    at.warn('name', 'the name of a clusternode; rgmanager says "Node … has no nodeid attribute"');
  const written = at.optional('priority');
  const priority = atoi(written ?? '0');
  const isValid = priority >= 1 && priority <= 100;
  if (isOrdered && written !== undefined && !isValid)
    at.warn('priority', '1 to 100; rgmanager reads it as 0, which is before 1');
  at.finish();
  return { name, nodeId, priority: isOrdered && isValid ? priority : 0 };
}

function readInteger(at: ElementReader, name: string): number {
  const text = at.optional(name);
  if (text === undefined) return 0;
  if (!/^[01]$/.test(text)) at.warn(name, `0 or 1; rgmanager reads it as ${atoi(text)}`);
  return atoi(text);
}

/** The C library's: digits up to the first other character, 0 if there are none. */
function atoi(text: string): number {
  return Number(/^\s*[+-]?\d+/.exec(text)?.[0] ?? 0);
}

function equalIgnoringCase(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
