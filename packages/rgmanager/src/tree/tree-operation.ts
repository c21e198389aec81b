import type { LogPriority, Task } from '@quorate/kernel';
import { mountOrder } from './mount-order.js';
import type { Report, Resource } from './resource.js';
import { NodeState, type ResourceNode } from './resource-node.js';
import type { ChildType } from './resource-rule.js';

/** What a walk over the tree does at its nodes. */
export type TreeOperation =
  | 'start'
  | 'stop'
  | 'status'
  | 'status-inquiry'
  /** Stop what is flagged so. */
  | 'condstop'
  /** Start what is flagged so. */
  | 'condstart'
  /** Start what was given up. */
  | 'convalesce';

/** Flags that a walk gives, or-ed together; 0: all is well. */
export const WalkResult = { FAILURE: 1, RECOVERABLE: 2, PARTIAL: 4 } as const;

const MAX_LEVEL = 100;
/** Exit code of an agent whose program is not there. */
const NOT_INSTALLED = 5;

export interface TreeHost {
  /** Runs an agent; 0 if it has no such action of that depth. */
  run(node: ResourceNode, action: string, depth: number): Task<number>;
  readonly seconds: number;
  log(priority: LogPriority, text: string): void;
  /** What the original prints to its standard output. */
  readonly report: Report;
  /** False while as many status checks run as may run at once. */
  beginCheck(): boolean;
  endCheck(): void;
  /** Whether siblings of one level start and stop at the same time. */
  readonly isParallel: boolean;
  /** Makes walks at the same time; their results when all have ended. */
  together(walks: readonly Task<number>[]): Task<readonly number[]>;
}

/**
 * Walks over the tree: which agents are called, in which order, and what their results mean.
 *
 * Source: rgmanager src/daemons/restree.c.
 */
export class TreeWalk {
  readonly #host: TreeHost;

  constructor(host: TreeHost) {
    this.#host = host;
  }

  /** Operates on every node of the trees that uses `first`, and on all below such a node; gives `WalkResult`s. */
  *operate(roots: readonly ResourceNode[], first: Resource, operation: TreeOperation): Task<number> {
    return yield* this.#siblings(roots, first, undefined, operation);
  }

  /** `_res_op`. A stop never stops early. */
  *#siblings(
    nodes: readonly ResourceNode[],
    first: Resource | undefined,
    type: string | undefined,
    operation: TreeOperation,
  ): Task<number> {
    let result = 0;
    for (const node of operation === 'stop' ? [...nodes].reverse() : nodes) {
      if (type !== undefined && node.type !== type) continue;
      result |= yield* this.#node(node, first, operation);
      if ((result & WalkResult.FAILURE) !== 0 && operation !== 'stop') break;
    }
    return result;
  }

  /** `_res_op_internal`. */
  *#node(node: ResourceNode, first: Resource | undefined, asked: TreeOperation): Task<number> {
    const isMine = first === undefined || node.resource === first;
    let operation = isMine ? this.#operationAt(node, asked) : asked;
    let result = 0;
    if (isMine && operation === 'status-inquiry') return yield* this.#inquire(node);
    if (isMine && operation === 'start') {
      if (node.state === NodeState.DISABLED) return 0;
      const isReconfig = node.isReconfigured && asked === 'condstart';
      if (!(yield* this.#startNode(node, asked, isReconfig))) return WalkResult.FAILURE;
      if (isReconfig) operation = asked;
    } else if (isMine && operation === 'status') {
      if ((yield* this.#checkNode(node)) !== 0) {
        return node.isIndependent ? this.#independentFailure(node, 'node') : WalkResult.FAILURE;
      }
    }
    if (node.children.length > 0) {
      result |= yield* this.#children(node, isMine ? undefined : first, operation);
      if (operation === 'status' && (result & WalkResult.FAILURE) !== 0 && node.isIndependent) {
        result = this.#independentFailure(node, 'child');
      }
    }
    return isMine && operation === 'stop' ? yield* this.#stopNode(node, result) : result;
  }

  /** Conditional operations become plain ones at nodes that are flagged. */
  #operationAt(node: ResourceNode, asked: TreeOperation): TreeOperation {
    if (asked === 'convalesce' && node.state === NodeState.DISABLED) {
      this.#host.report(`Node ${node.name} - Convalesce`);
      for (const each of node.subtree()) {
        each.state = NodeState.STOPPED;
        each.needsStart = true;
      }
      return 'start';
    }
    if (asked === 'condstart' && node.needsStart) {
      this.#host.report(`Node ${node.name} - CONDSTART`);
      return 'start';
    }
    if (asked === 'condstop' && node.needsStop) {
      this.#host.report(`Node ${node.name} - CONDSTOP`);
      return 'stop';
    }
    return asked;
  }

  *#startNode(node: ResourceNode, asked: TreeOperation, isReconfig: boolean): Task<boolean> {
    if (asked !== 'condstart' && node.isIndependent) node.restartCounter?.clear();
    yield* node.resource.mutex.lock();
    const status = yield* this.#host.run(node, isReconfig ? 'reconfig' : 'start', 0);
    node.needsStart = false;
    node.isReconfigured = false;
    if (status === 0) this.#nodeStarted(node);
    else if (status !== NOT_INSTALLED) node.state = NodeState.FAILED;
    node.resource.mutex.unlock();
    return status === 0;
  }

  #nodeStarted(node: ResourceNode): void {
    const start = node.action('start', 0);
    if (start !== undefined) start.lastSec = this.#host.seconds;
    for (const action of node.actions) {
      if (action.name === 'status' || action.name === 'monitor') action.lastSec = start?.lastSec ?? -Infinity;
    }
    node.failureCounter?.clear();
    node.lastStatus = undefined;
    if (node.state !== NodeState.STARTED) node.resource.incarnations += 1;
    node.state = NodeState.STARTED;
  }

  *#stopNode(node: ResourceNode, childResult: number): Task<number> {
    yield* node.resource.mutex.lock();
    node.needsStop = false;
    let result = childResult | (yield* this.#host.run(node, 'stop', 0));
    if (node.isNonCritical && (node.needsStart || node.isQuiescing) && (result & WalkResult.FAILURE) !== 0) {
      this.#host.log('warning', `Failed to stop subtree ${node.name} during non-critical recovery operation`);
      result = WalkResult.PARTIAL;
      node.isQuiescing = true;
    }
    const wasCounted = node.state === NodeState.STARTED || node.state === NodeState.FAILED;
    if (result === 0 && wasCounted && node.resource.incarnations > 0) node.resource.incarnations -= 1;
    const isFailure = result !== 0 && node.state !== NodeState.DISABLED && !node.isQuiescing;
    if (isFailure) node.state = NodeState.FAILED;
    else if (node.isQuiescing) quiesce(node);
    else node.state = NodeState.STOPPED;
    node.resource.mutex.unlock();
    return isFailure ? WalkResult.FAILURE : result;
  }

  *#inquire(node: ResourceNode): Task<number> {
    return (yield* this.#host.run(node, 'status', 0)) === 0 ? 0 : WalkResult.FAILURE;
  }

  *#checkNode(node: ResourceNode): Task<number> {
    if (node.state === NodeState.DISABLED) return 0;
    const status = yield* this.#doStatus(node);
    if (status !== 0) return status;
    node.state = NodeState.STARTED;
    node.needsStop = false;
    return 0;
  }

  /** `do_status`: runs the deepest check that is due, and only that. */
  *#doStatus(node: ResourceNode): Task<number> {
    const now = this.#host.seconds;
    const due = node.actions.filter(
      ({ name, intervalSec, lastSec }) => name === 'status' && intervalSec > 0 && now - lastSec >= intervalSec,
    );
    if (due.length === 0 || !this.#host.beginCheck()) return node.lastStatus ?? 0;
    const action = due.reduce((deepest, each) => (each.depth > deepest.depth ? each : deepest));
    let status = yield* this.#host.run(node, 'status', action.depth);
    this.#host.endCheck();
    action.lastSec = this.#host.seconds;
    if (status !== 0 && node.failureCounter?.isExceeded(this.#host.seconds) === false) {
      node.failureCounter.add(this.#host.seconds);
      status = 0;
    }
    node.lastStatus = status;
    if (status === 0 || !node.actions.some(({ name }) => name === 'recover')) return status;
    const recovered = yield* this.#host.run(node, 'recover', 0);
    if (recovered === 0) node.lastStatus = 0;
    return recovered;
  }

  /** What the failure of an independent subtree means. A node that fails in vain is no failure of the service. */
  #independentFailure(node: ResourceNode, where: 'node' | 'child'): number {
    const counter = node.restartCounter;
    const isExceeded = counter?.isExceeded(this.#host.seconds) ?? false;
    if (node.isNonCritical && (isExceeded || counter === undefined)) {
      for (const each of node.subtree()) markFailed(each).isQuiescing = true;
      if (where === 'node') counter?.clear();
      return WalkResult.RECOVERABLE | WalkResult.PARTIAL;
    }
    if (isExceeded) {
      counter?.clear();
      return WalkResult.FAILURE;
    }
    counter?.add(this.#host.seconds);
    for (const each of node.subtree()) markFailed(each).needsStart = true;
    return WalkResult.RECOVERABLE;
  }

  /** `_res_op_by_level`: children with a level by their levels, the others after them on the way up, else before. */
  *#children(node: ResourceNode, first: Resource | undefined, operation: TreeOperation): Task<number> {
    const childTypes = node.resource.rule.childTypes;
    if (childTypes === undefined) return yield* this.#siblings(node.children, first, undefined, operation);
    if (operation === 'start' || operation === 'status') {
      const result = yield* this.#levels(node, childTypes, first, operation);
      if ((result & WalkResult.FAILURE) !== 0) return result;
      return result | (yield* this.#defaultLevel(node, childTypes, first, operation));
    }
    const result = yield* this.#defaultLevel(node, childTypes, first, operation);
    return result | (yield* this.#levels(node, childTypes, first, operation));
  }

  *#levels(
    node: ResourceNode,
    childTypes: readonly ChildType[],
    first: Resource | undefined,
    operation: TreeOperation,
  ): Task<number> {
    const isTogether = this.#host.isParallel && (operation === 'start' || operation === 'stop');
    let result = 0;
    for (let level = 1; level <= MAX_LEVEL; level++) {
      const types = childTypes.filter((each) => (operation === 'stop' ? each.stopLevel : each.startLevel) === level);
      if (types.length === 0) continue;
      if (isTogether) result |= yield* this.#peers(node, types, first, operation);
      else result |= yield* this.#typeByType(node, types, first, operation);
      // Compatible: whatever was found ends the walk here, so later levels are looked at in the next pass.
      if (result !== 0 && operation !== 'stop') return result;
    }
    return result;
  }

  *#typeByType(
    node: ResourceNode,
    types: readonly ChildType[],
    first: Resource | undefined,
    operation: TreeOperation,
  ): Task<number> {
    let result = 0;
    for (const { type } of types) {
      result |= yield* this.#siblings(node.children, first, type, operation);
      if ((result & WalkResult.FAILURE) !== 0 && operation !== 'stop') return result;
    }
    return result;
  }

  /**
   * Beyond rgmanager: all children of a level at once, but for file systems that lie in each other. A resource that is used twice
   * still does one thing at a time.
   */
  *#peers(
    node: ResourceNode,
    types: readonly ChildType[],
    first: Resource | undefined,
    operation: TreeOperation,
  ): Task<number> {
    const peers = node.children.filter((child) => types.some(({ type }) => type === child.type));
    const waves = mountOrder(peers);
    let result = 0;
    for (const wave of operation === 'stop' ? [...waves].reverse() : waves) {
      const walks = wave.map((peer) => this.#node(peer, first, operation));
      const results = walks.length < 2 ? [yield* walks[0]!] : yield* this.#host.together(walks);
      for (const each of results) result |= each;
      if ((result & WalkResult.FAILURE) !== 0 && operation !== 'stop') break;
    }
    return result;
  }

  *#defaultLevel(
    node: ResourceNode,
    childTypes: readonly ChildType[],
    first: Resource | undefined,
    operation: TreeOperation,
  ): Task<number> {
    const hasLevel = (type: string): boolean =>
      childTypes.some((child) => child.type === type && (child.startLevel > 0 || child.stopLevel > 0));
    const children = node.children.filter((child) => !hasLevel(child.type));
    const isUp = operation === 'start' || operation === 'status';
    let result = 0;
    for (const child of isUp ? children : children.reverse()) {
      result |= yield* this.#node(child, first, operation);
      if (isUp && (result & WalkResult.FAILURE) !== 0) break;
    }
    return result;
  }
}

function markFailed(node: ResourceNode): ResourceNode {
  node.state = NodeState.FAILED;
  node.needsStop = true;
  return node;
}

function quiesce(node: ResourceNode): void {
  for (const each of node.subtree()) {
    each.state = NodeState.DISABLED;
    each.needsStart = false;
    each.isQuiescing = false;
  }
}
