import { compareResources, type Resource } from './resource.js';
import type { ResourceList } from './resource-list.js';
import type { ResourceNode } from './resource-node.js';

/**
 * Flags the resources of the old list that have to stop and those of the new one that have to start.
 *
 * Source: rgmanager src/daemons/restree.c, `resource_delta`.
 */
export function resourceDelta(left: ResourceList, right: ResourceList): void {
  for (const old of left) {
    const next = right.find(old.rule.type, old.primary);
    if (next === undefined) old.needsStop = true;
    else flagChanged(old, next);
  }
  for (const next of right) {
    if (!next.isCommon) next.needsStart = true;
    next.isCommon = false;
  }
}

function flagChanged(old: Resource, next: Resource): void {
  next.isCommon = true;
  const difference = compareResources(old, next);
  if (difference === 'none') return;
  next.needsStart = true;
  if (difference === 'reconfig') next.isReconfigured = true;
  else old.needsStop = true;
}

/**
 * Flags the nodes of the old tree that have to stop and those of the new one that have to start. Where among its
 * siblings a node stands does not matter.
 *
 * Source: rgmanager src/daemons/restree.c, `resource_tree_delta`.
 */
export function treeDelta(left: readonly ResourceNode[], right: readonly ResourceNode[]): void {
  for (const old of left) {
    if (old.resource.needsStop) {
      old.needsStop = true;
      continue;
    }
    for (const next of right) matchNodes(old, next);
    if (!old.isCommon) old.needsStop = true;
    old.isCommon = false;
  }
  for (const next of right) {
    if (!next.isCommon) next.needsStart = true;
    next.isCommon = false;
  }
}

function matchNodes(old: ResourceNode, next: ResourceNode): void {
  const difference = compareResources(old.resource, next.resource);
  if (difference === 'type') return;
  if (next.resource.needsStart) {
    next.needsStart = true;
    if (!next.resource.isReconfigured) return;
  }
  if (difference === 'restart') return;
  if (difference === 'reconfig') {
    next.needsStart = true;
    next.isReconfigured = true;
  } else {
    next.state = old.state;
  }
  old.isCommon = true;
  next.isCommon = true;
  treeDelta(old.children, next.children);
}

/** Carries over how often unchanged resources are started on this host. */
export function copyIncarnations(left: ResourceList, right: ResourceList): void {
  for (const old of left) {
    const next = right.find(old.rule.type, old.primary);
    if (next !== undefined && compareResources(old, next) === 'none') next.incarnations = old.incarnations;
  }
}
