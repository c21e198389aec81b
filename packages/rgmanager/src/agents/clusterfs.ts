import type { Program } from '@quorate/kernel';
import { mountAgent } from './file-system.js';
import type { AgentCall } from './resource-agent.js';

/**
 * clusterfs.sh: a file system that several nodes, and several services of one node, have mounted at a time.
 *
 * So stop unmounts it only if `force_unmount` is set and no other service of this node uses it.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/clusterfs.sh.
 */
export const clusterfs: Program = mountAgent({ type: 'clusterfs', fileSystems: ['gfs', 'gfs2'], staysMounted });

function staysMounted(call: AgentCall): boolean {
  const references = Number(call.parameter('RGMANAGER_meta_refcnt')) || 0;
  if (references > 0) {
    call.log('debug', `Not unmounting ${call.instance} - still in use by ${references} other service(s)`);
    return true;
  }
  if (call.isOn('force_unmount')) return false;
  call.log('debug', `Not umounting ${call.parameter('device')} (clustered file system)`);
  return true;
}
