import { isErrno, type Program, type Task } from '@quorate/kernel';
import { type AgentCall, AgentExit, resourceAgent } from './resource-agent.js';

const DAEMONS = ['nfsd', 'rpc.mountd', 'rpc.statd'];
const AFTER_RESTART_SEC = 2;

/**
 * nfsexport.sh: a place in the tree for the clients of a file system. All it does by itself is to see that NFS's daemons run.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/nfsexport.sh.
 */
export const nfsexport: Program = resourceAgent('nfsexport', {
  start: ensureDaemons,
  stop: ensureDaemons,
  *status(call) {
    return haveDaemons(call) ? AgentExit.SUCCESS : AgentExit.GENERIC;
  },
  validate,
  others: { recover: ensureDaemons },
});

function haveDaemons(call: AgentCall): boolean {
  const names = call.os.processes().map(({ argv: [name = ''] }) => name.slice(name.lastIndexOf('/') + 1));
  const missing = DAEMONS.find((daemon) => !names.includes(daemon));
  if (missing === undefined) return true;
  call.log('err', `NFS daemon ${missing} is not running.`);
  call.log('err', 'Verify that the NFS service run level script is enabled.');
  return false;
}

function* ensureDaemons(call: AgentCall): Task<number> {
  if (haveDaemons(call)) return AgentExit.SUCCESS;
  call.log('err', 'Restarting NFS daemons');
  for (const words of ['nfslock stop', 'nfslock start', 'nfs stop', 'nfs start']) {
    yield* call.os.run(['service', ...words.split(' ')]);
  }
  yield* call.sleepSec(AFTER_RESTART_SEC);
  if (!haveDaemons(call)) {
    call.log('err', 'Failed restarting NFS daemons');
    return AgentExit.GENERIC;
  }
  call.log('notice', 'Successfully restarted NFS daemons');
  return AgentExit.SUCCESS;
}

function* validate(call: AgentCall): Task<number> {
  const path = call.parameter('path');
  const found = path === '' ? 'ENOENT' : yield* call.os.stat(path);
  const wrong =
    call.parameter('device') === ''
      ? 'No device or label specified.'
      : path === ''
        ? 'No export path specified.'
        : isErrno(found) || found.type !== 'directory'
          ? `${path} is not a directory`
          : undefined;
  if (wrong === undefined) return AgentExit.SUCCESS;
  call.log('err', wrong);
  return AgentExit.ARGUMENTS;
}
