import { type Program, type Task, utf8Bytes } from '@quorate/kernel';
import { mountAgent } from './file-system.js';
import { makeDirectories } from './make-directories.js';
import { type AgentCall, AgentExit } from './resource-agent.js';

/** File systems that recover by themselves when they are mounted. */
const JOURNALED = ['reiserfs', 'ext3', 'ext4', 'btrfs', 'jfs', 'xfs', 'vxfs'];
const CHECKED = ['ext2', 'minix', 'vfat', 'msdos', ''];
const LOG_DIRECTORY = '/var/log/cluster';
const NO_SUCH_PROGRAM = 127;

/**
 * fs.sh: a file system of one node at a time; checked before it is mounted unless it has a journal.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/fs.sh.
 */
export const fs: Program = mountAgent({
  type: 'fs',
  fileSystems: ['ext2', 'ext3', 'ext4', 'btrfs', 'jfs', 'xfs', 'reiserfs', 'vfat', 'tmpfs', 'vxfs'],
  beforeMount: checkFileSystem,
});

function* checkFileSystem(call: AgentCall, device: string): Task<number> {
  const type = call.parameter('fstype').trim();
  const isForced = ['yes', '1'].includes(call.parameter('force_fsck'));
  if (JOURNALED.includes(type) && !isForced) return AgentExit.SUCCESS;
  if (!JOURNALED.includes(type) && !CHECKED.includes(type)) {
    call.log('warning', `Unknown file system type '${type}' for device ${device}.  Assuming fsck is required.`);
  }
  call.log('debug', `Running fsck on ${device}`);
  const { status, output, errors } = yield* call.os.run(['fsck', '-p', device]);
  // Differs from fs.sh, which fails on a machine without fsck.
  if (status <= 1 || status === NO_SUCH_PROGRAM) return AgentExit.SUCCESS;
  const log = `${LOG_DIRECTORY}/${device.slice(device.lastIndexOf('/') + 1)}.fsck.log`;
  yield* makeDirectories(call.os, LOG_DIRECTORY);
  yield* call.os.writeFile(log, utf8Bytes(output + errors), { append: true });
  call.log('err', `'fsck -p ${device}' failed, error=${status}; check ${log} for errors`);
  return AgentExit.GENERIC;
}
