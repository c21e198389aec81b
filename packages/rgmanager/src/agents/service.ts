import type { Program } from '@quorate/kernel';
import { AgentExit, printMetadata } from './resource-agent.js';

/**
 * service.sh: a service does nothing by itself; what it has are children.
 *
 * Every action succeeds, also one that it does not know. Absent: killing lockd for `nfslock`.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/service.sh.
 */
export const service: Program = function* service(argv, os) {
  return argv[1] === 'meta-data' ? printMetadata('service', os) : AgentExit.SUCCESS;
};
