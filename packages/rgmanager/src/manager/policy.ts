import { atoi } from '../conf/atoi.js';
import { type ConfElement, descend } from '../conf/conf-element.js';

/** What rgmanager does otherwise than the original; all of it is off unless the configuration has it. */
export interface Policy {
  /** One node, the lowest member, decides where stopped services start: they are not raced for. */
  readonly hasCoordinator: boolean;
  /** A node that could not stop a service is fenced, so that it can be recovered elsewhere. */
  readonly fencesFailedStops: boolean;
  /** Resources of one level below a resource start, and stop, at the same time. */
  readonly isParallel: boolean;
}

/**
 * Reads `<rm>`'s `<policy>`, which RHEL 6 does not know.
 *
 * All nodes must keep to one policy, so it stands in the file that they share and changes with its version.
 *
 * @param switches - what counts in place of what the file says.
 */
export function readPolicy(cluster: ConfElement, switches: Partial<Policy> = {}): Policy {
  const policy = descend(cluster, 'rm', 'policy')?.attributes;
  const isOn = (attribute: string): boolean => atoi(policy?.get(attribute) ?? '') > 0;
  return {
    hasCoordinator: isOn('coordinator'),
    fencesFailedStops: isOn('fence_failed_stop'),
    isParallel: isOn('parallel'),
    ...switches,
  };
}
