import { atoi } from '../conf/atoi.js';
import { type ConfElement, childrenNamed, descend } from '../conf/conf-element.js';

/** What rgmanager does otherwise than the original; all of it is off unless the configuration has it. */
export interface Policy {
  /** One node, the lowest member, decides where stopped services start: they are not raced for. */
  readonly hasCoordinator: boolean;
  /** A node that could not stop a service is fenced, so that it can be recovered elsewhere. */
  readonly fencesFailedStops: boolean;
  /** Resources of one level below a resource start, and stop, at the same time. */
  readonly isParallel: boolean;
  /** Every agent is killed when its time is up, as with `__enforce_timeouts` on all resources. */
  readonly enforcesTimeouts: boolean;
  /** What a node can bear, by its id, in the unit of `needs`; a node that is not named can bear anything. */
  readonly capacities: ReadonlyMap<number, number>;
  /** What a service takes of a capacity, by its name with its type; a service that is not named takes nothing. */
  readonly needs: ReadonlyMap<string, number>;
}

/**
 * Reads `<rm>`'s `<policy>`, which RHEL 6 does not know.
 *
 * All nodes must keep to one policy, so it stands in the file that they share and changes with its version.
 *
 * @param switches - what counts in place of what the file says.
 */
export function readPolicy(cluster: ConfElement, switches: Partial<Policy> = {}): Policy {
  const policy = descend(cluster, 'rm', 'policy');
  const isOn = (attribute: string): boolean => atoi(policy?.attributes.get(attribute) ?? '') > 0;
  const capacities = readCapacities(cluster, policy);
  return {
    // Two nodes that look at a third at once would both find room for their services.
    hasCoordinator: isOn('coordinator') || capacities.size > 0,
    capacities,
    needs: readNeeds(policy),
    fencesFailedStops: isOn('fence_failed_stop'),
    isParallel: isOn('parallel'),
    enforcesTimeouts: isOn('enforce_timeouts'),
    ...switches,
  };
}

function readCapacities(cluster: ConfElement, policy: ConfElement | undefined): ReadonlyMap<number, number> {
  const nodes = childrenNamed(descend(cluster, 'clusternodes'), 'clusternode');
  const capacities = new Map<number, number>();
  for (const { attributes } of childrenNamed(policy, 'node')) {
    const node = nodes.find((each) => each.attributes.get('name') === attributes.get('name'));
    if (node !== undefined) capacities.set(atoi(node.attributes.get('nodeid') ?? ''), numberOf(attributes, 'capacity'));
  }
  return capacities;
}

function readNeeds(policy: ConfElement | undefined): ReadonlyMap<string, number> {
  const services = childrenNamed(policy, 'service');
  return new Map(
    services.map(({ attributes }) => {
      const name = attributes.get('name') ?? '';
      return [name.includes(':') ? name : `service:${name}`, numberOf(attributes, 'need')];
    }),
  );
}

function numberOf(attributes: ConfElement['attributes'], name: string): number {
  return atoi(attributes.get(name) ?? '');
}
