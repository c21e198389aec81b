import { attributeValue, NodeState, type ResourceNode } from './resource-node.js';

/**
 * What an agent sees when it is called for a node: its resource's attributes, and nothing else that the host has.
 *
 * OCF_RESKEY_RGMANAGER_meta_refcnt tells how many other instances of the resource run on this host.
 *
 * Source: rgmanager src/daemons/restree.c, `build_env`, `add_ocf_stuff`.
 */
export function agentEnvironment(node: ResourceNode, depth: number, timeoutSec: number): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const { name } of node.resource.attributes) {
    const value = attributeValue(node, name);
    if (value !== undefined) environment[`OCF_RESKEY_${name}`] = value;
  }
  environment.OCF_RA_VERSION_MAJOR = '1';
  environment.OCF_RA_VERSION_MINOR = '0';
  environment.OCF_ROOT = '/usr/lib/ocf';
  environment.OCF_RESOURCE_INSTANCE = node.name;
  environment.OCF_RESOURCE_TYPE = node.type;
  environment.OCF_CHECK_LEVEL = String(depth);
  environment.OCF_RESKEY_RGMANAGER_meta_refcnt = String(otherIncarnations(node));
  environment.OCF_RESKEY_RGMANAGER_meta_timeout = String(timeoutSec);
  return environment;
}

function otherIncarnations(node: ResourceNode): number {
  const count = node.resource.incarnations;
  const isCounted = node.state === NodeState.STARTED || node.state === NodeState.FAILED;
  return count > 0 && isCounted ? count - 1 : count;
}
