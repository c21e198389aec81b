import { atoi } from './atoi.js';
import { type ConfElement, childrenNamed, descend } from './conf-element.js';

/** A parameter of an agent: an attribute that its resources have in `cluster.conf`. */
export interface AgentParameter {
  readonly name: string;
  readonly isPrimary?: boolean;
  readonly isUnique?: boolean;
  readonly isRequired?: boolean;
  /** A change of it needs no restart. */
  readonly isReconfig?: boolean;
  /** Where its value comes from when the resource gives none: `type%attribute` or `attribute`. */
  readonly inherit?: string;
  readonly default?: string;
}

/** What an agent can be asked to do. Times are texts as in the file: `20`, `1m`. */
export interface AgentAction {
  readonly name: string;
  readonly timeout?: string;
  readonly interval?: string;
  /** Of `status` and `monitor` only. */
  readonly depth?: number;
}

/** A type of children of a resource, with its place in the order of start and stop; 0 is none. */
export interface AgentChild {
  readonly type: string;
  readonly start?: number;
  readonly stop?: number;
  readonly isForbidden?: boolean;
}

/** What an agent answers to `meta-data`: the part that rgmanager reads. */
export interface AgentMetadata {
  /** Name of the agent and of its resource type. */
  readonly name: string;
  /** Of the `resource-agent` element; rgmanager keeps it and never uses it. */
  readonly version?: string;
  readonly parameters: readonly AgentParameter[];
  readonly actions: readonly AgentAction[];
  readonly children?: readonly AgentChild[];
  /** References that one resource may have; 0 or absent: any number. */
  readonly maxInstances?: number;
  /** Both true when absent: whether a service that is added is stopped first, and one that is removed is stopped. */
  readonly initOnAdd?: boolean;
  readonly destroyOnDelete?: boolean;
}

/**
 * Reads a `resource-agent` element. Nothing is refused here: `resourceRule` says what makes a rule.
 *
 * Source: rgmanager src/daemons/resrules.c.
 */
export function readAgentMetadata(agent: ConfElement): AgentMetadata {
  const special = childrenNamed(agent, 'special').find(({ attributes }) => attributes.get('tag') === 'rgmanager');
  const attributes = descend(special, 'attributes')?.attributes;
  return {
    name: agent.attributes.get('name') ?? '',
    ...textOf(agent, 'version', 'version'),
    parameters: childrenNamed(descend(agent, 'parameters'), 'parameter').map(readParameter),
    actions: childrenNamed(descend(agent, 'actions'), 'action').map(readAction),
    children: childrenNamed(special, 'child').map(readChild),
    maxInstances: Math.max(0, atoi(attributes?.get('maxinstances') ?? '')),
    initOnAdd: atoi(attributes?.get('init_on_add') ?? '1') !== 0,
    destroyOnDelete: atoi(attributes?.get('destroy_on_delete') ?? '1') !== 0,
  };
}

function textOf<Key extends string>(
  element: ConfElement | undefined,
  attribute: string,
  key: Key,
): { readonly [K in Key]?: string } {
  const value = element?.attributes.get(attribute);
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: string };
}

function isSet(element: ConfElement, attribute: string): boolean {
  const value = element.attributes.get(attribute) ?? '';
  return atoi(value) !== 0 || value.startsWith('y');
}

function readParameter(element: ConfElement): AgentParameter {
  return {
    name: element.attributes.get('name') ?? '',
    isPrimary: isSet(element, 'primary'),
    isUnique: isSet(element, 'unique'),
    isRequired: isSet(element, 'required'),
    isReconfig: isSet(element, 'reconfig'),
    ...textOf(element, 'inherit', 'inherit'),
    ...textOf(descend(element, 'content'), 'default', 'default'),
  };
}

function readAction(element: ConfElement): AgentAction {
  return {
    name: element.attributes.get('name') ?? '',
    ...textOf(element, 'timeout', 'timeout'),
    ...textOf(element, 'interval', 'interval'),
    depth: Math.max(0, atoi(element.attributes.get('depth') ?? '')),
  };
}

function readChild(element: ConfElement): AgentChild {
  return {
    type: element.attributes.get('type') ?? '',
    start: atoi(element.attributes.get('start') ?? ''),
    stop: atoi(element.attributes.get('stop') ?? ''),
    isForbidden: atoi(element.attributes.get('forbid') ?? '') !== 0,
  };
}
