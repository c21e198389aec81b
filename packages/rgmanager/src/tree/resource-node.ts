import type { Resource } from './resource.js';
import { AttributeFlag, type RuleAction } from './resource-rule.js';
import type { RestartCounter } from './restart-counter.js';

export const NodeState = { STOPPED: 0, STARTED: 1, FAILED: 2, DISABLED: 3 } as const;
export type NodeState = (typeof NodeState)[keyof typeof NodeState];

/** An action of a node, with the second in which it ran last; -Infinity: never. */
export interface NodeAction extends RuleAction {
  lastSec: number;
}

/** A place of the tree at which a resource is used, with its state on this host. */
export class ResourceNode {
  readonly resource: Resource;
  readonly parent: ResourceNode | undefined;
  readonly children: ResourceNode[] = [];
  readonly actions: readonly NodeAction[];
  /** `__independent_subtree`: its failure is no failure of the service. */
  isIndependent = false;
  /** Independent, and given up rather than letting the service fail. */
  isNonCritical = false;
  /** `__enforce_timeouts`: its agent is killed when its time is up. */
  enforcesTimeouts = false;
  /** Failures of status checks that are put up with. */
  failureCounter: RestartCounter | undefined;
  /** Restarts of the service, of a top-level node; of the subtree, of an independent one. */
  restartCounter: RestartCounter | undefined;

  state: NodeState = NodeState.STOPPED;
  needsStart = false;
  needsStop = false;
  isReconfigured = false;
  isCommon = false;
  /** To be disabled when it has stopped. */
  isQuiescing = false;
  /** Result of its last status check; undefined before the first one since its start. */
  lastStatus: number | undefined;

  constructor(resource: Resource, parent: ResourceNode | undefined) {
    this.resource = resource;
    this.parent = parent;
    this.actions = resource.actions.map((action) => ({ ...action, lastSec: -Infinity }));
  }

  get name(): string {
    return this.resource.name;
  }

  get type(): string {
    return this.resource.rule.type;
  }

  action(name: string, depth: number): NodeAction | undefined {
    return this.actions.find((action) => action.name === name && action.depth === depth);
  }

  /** This node and all below it, parents first. */
  *subtree(): Generator<ResourceNode> {
    yield this;
    for (const child of this.children) yield* child.subtree();
  }
}

/**
 * Text of an attribute of a node. An inherited one comes from the nearest ancestor of the type that its path names, or
 * from the parent if it names none. Undefined if there is none.
 *
 * Source: rgmanager src/daemons/restree.c, `attr_value`.
 */
export function attributeValue(node: ResourceNode, name: string): string | undefined {
  const attribute = node.resource.attribute(name);
  if (attribute === undefined) return undefined;
  if ((attribute.flags & AttributeFlag.INHERIT) === 0) return attribute.value;
  const percent = attribute.value.indexOf('%');
  const type = percent < 0 ? undefined : attribute.value.slice(0, percent);
  const ancestor = type === undefined ? node.parent : ancestorOf(node, type);
  return ancestor && attributeValue(ancestor, attribute.value.slice(percent + 1));
}

function ancestorOf(node: ResourceNode, type: string): ResourceNode | undefined {
  let ancestor = node.parent;
  while (ancestor !== undefined && ancestor.type !== type) ancestor = ancestor.parent;
  return ancestor;
}
