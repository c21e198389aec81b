import type { Program, Task } from '@quorate/kernel';
import { mountAgent } from './file-system.js';
import { AgentCall, AgentExit } from './resource-agent.js';

const OPTIONS = new Set([
  ...['async', 'atime', 'auto', 'defaults', 'dev', 'exec', '_netdev', 'noatime', 'noauto', 'nodev', 'noexec', 'nosuid'],
  ...[
    'nouser',
    'ro',
    'rw',
    'suid',
    'sync',
    'dirsync',
    'user',
    'users',
    'bg',
    'fg',
    'soft',
    'hard',
    'intr',
    'cto',
    'ac',
  ],
  'noac',
]);
const VALUED = [
  ...['rsize=', 'wsize=', 'timeo=', 'retrans=', 'acregmin=', 'acregmax=', 'acdirmin=', 'acdirmax=', 'actimeo='],
  ...['retry=', 'port='],
];
/** Options that only one type has. */
const OF_TYPE: Readonly<Record<string, RegExp>> = {
  nfs: /^(mountport=|mounthost=|mountprog=|mountvers=|nfsprog=|nfsvers=|namelen=|tcp$|udp$|lock$|nolock$)/,
  nfs4: /^(proto=|clientaddr=|sec=)/,
  cifs: /^/,
};

/**
 * netfs.sh: a file system that another host serves.
 *
 * CIFS is refused by `mount` here: nobody speaks it.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/netfs.sh.
 */
export const netfs: Program = mountAgent({
  type: 'netfs',
  fileSystems: ['nfs', 'nfs4', 'cifs'],
  populate,
  staysMounted: (call) => call.isOn('no_unmount'),
  verify,
});

/** Device, type and options that the resource does not give (`populate_defaults`). */
function populate(call: AgentCall): AgentCall {
  const fstype = call.parameter('fstype') || 'nfs';
  const host = call.parameter('host');
  const path = call.parameter('export');
  const isCifs = fstype === 'cifs';
  return new AgentCall(call.type, call.os, {
    fstype,
    device: isCifs ? `//${host}/${path}` : `${host}:${path}`,
    options: call.parameter('options') || (isCifs ? 'guest' : 'sync,soft,noac'),
  });
}

function* verify(call: AgentCall): Task<number> {
  if (call.parameter('host') === '') {
    call.log('err', 'No server hostname or IP address specified.');
    return AgentExit.ARGUMENTS;
  }
  const type = call.parameter('fstype');
  const wrong = call
    .parameter('options')
    .split(',')
    .filter((option) => !isOption(option, type));
  for (const option of wrong) call.log('err', `Option ${option} not supported for ${type}`);
  return wrong.length === 0 ? AgentExit.SUCCESS : AgentExit.ARGUMENTS;
}

function isOption(option: string, type: string): boolean {
  return (
    OPTIONS.has(option) || VALUED.some((start) => option.startsWith(start)) || OF_TYPE[type]?.test(option) === true
  );
}
