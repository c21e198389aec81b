import { isErrno, type Os, type Program, type Task, utf8Bytes } from '@quorate/kernel';
import { makeDirectories } from './make-directories.js';
import { type AgentCall, AgentExit, resourceAgent } from './resource-agent.js';

/** What distinguishes one agent that mounts from another. */
export interface MountAgent {
  readonly type: 'fs' | 'clusterfs' | 'netfs';
  /** File systems that it is for; mount decides if the resource names none. */
  readonly fileSystems: readonly string[];
  /** Runs before the mount; an exit code other than 0 ends the attempt. */
  beforeMount?(call: AgentCall, device: string): Task<number>;
  /** The call with what the resource does not say itself. */
  populate?(call: AgentCall): AgentCall;
  /** What else validate-all looks at. */
  verify?(call: AgentCall): Task<number>;
  /** Whether stop leaves the file system mounted, and succeeds. */
  staysMounted?(call: AgentCall): boolean;
}

/** Exit code of fs-lib for what it refuses to go on with. */
const FAIL = 2;

const START_ATTEMPTS = 3;
const START_PAUSE_SEC = 3;
const UNMOUNT_ATTEMPTS = 3;
const UNMOUNT_PAUSE_SEC = 5;

/**
 * What fs.sh and clusterfs.sh share: mounting, unmounting and checking a file system.
 *
 * Simplified: a device is known by its path, not by label or UUID, and one that does not exist shows when it is mounted.
 * Who uses a mount is found and killed by `fuser`, where a machine has it. Absent: quotas; everything for NFS.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/utils/fs-lib.sh.
 */
export function mountAgent(agent: MountAgent): Program {
  const populated = (call: AgentCall): AgentCall => agent.populate?.(call) ?? call;
  return resourceAgent(agent.type, {
    start: (call) => start(agent, populated(call)),
    stop: (call) => stop(agent, populated(call)),
    status: (call) => status(populated(call)),
    validate: (call) => validate(agent, populated(call)),
  });
}

function* start(agent: MountAgent, call: AgentCall): Task<number> {
  let exit: number = AgentExit.GENERIC;
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    exit = yield* startOnce(agent, call);
    if (exit === AgentExit.SUCCESS) break;
    yield* call.sleepSec(START_PAUSE_SEC);
  }
  return exit;
}

function* startOnce(agent: MountAgent, call: AgentCall): Task<number> {
  const { device, directory } = placeOf(call);
  if (directory === '') return AgentExit.SUCCESS;
  if (!directory.startsWith('/')) {
    call.log('err', `start_filesystem: Invalid mount point format (must begin with a '/'): '${directory}'`);
    return AgentExit.ARGUMENTS;
  }
  if (device === '') {
    call.log('err', `start_filesystem: Could not match ${device} with a real device`);
    return AgentExit.ARGUMENTS;
  }
  const refused = yield* prepareDirectory(call, device, directory);
  if (refused !== AgentExit.SUCCESS) return refused;
  if (isMounted(call, device, directory)) {
    call.log('debug', `${device} already mounted`);
    return AgentExit.SUCCESS;
  }
  if (call.os.mounts().some((mount) => mount.directory === directory)) {
    call.log('err', `Cannot mount ${device} on ${directory}, the device or mount point is already in use!`);
    return FAIL;
  }
  const exit = yield* agent.beforeMount?.(call, device) ?? nothing();
  return exit === AgentExit.SUCCESS ? yield* mount(call, device, directory) : exit;
}

function* nothing(): Task<number> {
  return AgentExit.SUCCESS;
}

function* prepareDirectory(call: AgentCall, device: string, directory: string): Task<number> {
  const found = yield* call.os.stat(directory);
  if (!isErrno(found)) {
    if (found.type !== 'file') return AgentExit.SUCCESS;
    call.log('err', `start_filesystem: Mount point ${directory} exists but is not a directory`);
    return AgentExit.ARGUMENTS;
  }
  call.log('err', `start_filesystem: Creating mount point ${directory} for device ${device}`);
  const refused = yield* makeDirectories(call.os, directory);
  if (refused === undefined) return AgentExit.SUCCESS;
  call.log('err', `start_filesystem: Unable to create ${directory}.  Error code: ${refused}`);
  return AgentExit.GENERIC;
}

function* mount(call: AgentCall, device: string, directory: string): Task<number> {
  const type = call.parameter('fstype').trim();
  const options = call.parameter('options').trim();
  const command = ['mount'];
  if (type !== '') command.push('-t', type);
  if (options !== '') command.push('-o', options);
  command.push(device, directory);
  call.log('info', `mounting ${device} on ${directory}`);
  call.log('debug', command.join(' '));
  const { status } = yield* call.os.run(command);
  if (status === 0) return AgentExit.SUCCESS;
  call.log('err', `'${command.join(' ')}' failed, error=${status}`);
  return AgentExit.GENERIC;
}

function* stop(agent: MountAgent, call: AgentCall): Task<number> {
  const { device, directory } = placeOf(call);
  if (directory === '') return AgentExit.SUCCESS;
  if (!directory.startsWith('/')) {
    call.log('err', `stop_filesystem: Invalid mount point format (must begin with a '/'): '${directory}'`);
    return FAIL;
  }
  if (device === '') {
    call.log('err', `stop: Could not match ${device} with a real device`);
    return AgentExit.INSTALLED;
  }
  if (agent.staysMounted?.(call) === true) return AgentExit.SUCCESS;
  const failure = yield* unmount(call, device, directory);
  if (failure === 0) return AgentExit.SUCCESS;
  call.log('err', `'umount ${directory}' failed, error=${failure}`);
  if (call.isOn('self_fence')) {
    call.log('alert', 'umount failed - REBOOTING');
    call.os.halt('reboot');
  }
  return AgentExit.GENERIC;
}

/** Exit status of the last umount; 0 also if nothing is mounted. */
function* unmount(call: AgentCall, device: string, directory: string): Task<number> {
  let failure = 0;
  for (let attempt = 1; attempt <= UNMOUNT_ATTEMPTS; attempt++) {
    if (attempt > 1) yield* call.sleepSec(UNMOUNT_PAUSE_SEC);
    if (!isMounted(call, device, directory)) {
      call.log('info', `${device} is not mounted`);
      return 0;
    }
    call.log('info', `unmounting ${directory}`);
    const { status } = yield* call.os.run(['umount', directory]);
    if (status === 0) return 0;
    failure = status;
    call.log('debug', `umount failed: ${failure}`);
    if (!call.isOn('force_unmount')) continue;
    const signal = attempt === 1 ? 'TERM' : 'KILL';
    call.log('warning', `Sending SIG${signal} to processes on ${directory}`);
    yield* call.os.run(['fuser', '-k', `-${signal}`, '-m', directory]);
  }
  return failure;
}

function* status(call: AgentCall): Task<number> {
  const { device, directory } = placeOf(call);
  call.log('debug', `Checking fs "${call.parameter('name')}", Level ${call.checkLevel}`);
  if (device === '') {
    call.log('err', `start_filesystem: Could not match ${device} with a real device`);
    return AgentExit.NOT_RUNNING;
  }
  if (!isMounted(call, device, directory)) {
    call.log('err', `${call.instance}: ${call.parameter('device')} is not mounted on ${call.parameter('mountpoint')}`);
    return AgentExit.NOT_RUNNING;
  }
  if (call.parameter('quick_status') === '1' || (yield* isAlive(call, directory))) return AgentExit.SUCCESS;
  call.log('err', `fs:${call.parameter('name')}: Mount point is not accessible!`);
  return AgentExit.GENERIC;
}

/** Depth 10 reads the directory, depth 20 creates and removes a file in it unless it is mounted read-only. */
function* isAlive(call: AgentCall, directory: string): Task<boolean> {
  const { os, instance, checkLevel } = call;
  const found = yield* os.stat(directory);
  if (isErrno(found) || found.type === 'file') {
    call.log('err', `${instance}: is_alive: ${directory} is not a directory`);
    return false;
  }
  if (checkLevel < 10) return true;
  const names = yield* os.list(directory);
  if (isErrno(names)) {
    call.log('err', `${instance}: is_alive: failed read test on [${directory}]. Return code: ${names}`);
    return false;
  }
  if (checkLevel < 20 || call.parameter('options').split(',').includes('ro')) return true;
  const file = `${directory}/.writable_test.${os.hostname}`;
  const written = yield* os.writeFile(file, utf8Bytes(''));
  if (isErrno(written)) {
    call.log('err', `${instance}: is_alive: failed write test on [${directory}]. Return code: ${written}`);
    return false;
  }
  yield* os.remove(file);
  return true;
}

/** Differs from fs-lib, which logs what is wrong and succeeds. Mount options are not looked at. */
function* validate(agent: MountAgent, call: AgentCall): Task<number> {
  const type = call.parameter('fstype');
  const { directory } = placeOf(call);
  const refuse = (text: string): number => {
    call.log('err', text);
    return AgentExit.ARGUMENTS;
  };
  if (call.parameter('name') === '') return refuse('No file system name specified.');
  if (type !== '' && !agent.fileSystems.includes(type)) return refuse(`File system type ${type} not supported`);
  if (call.parameter('device') === '') return refuse('No device or label specified.');
  if (directory === '') return refuse('No mount point specified.');
  const found = yield* call.os.stat(directory);
  if (isErrno(found)) call.log('info', `Mount point ${directory} will be created at mount time.`);
  else if (found.type === 'file') return refuse(`${directory} exists but is not a directory.`);
  return yield* agent.verify?.(call) ?? nothing();
}

function placeOf(call: AgentCall): { readonly device: string; readonly directory: string } {
  return {
    device: call.parameter('device').trim(),
    directory: call
      .parameter('mountpoint')
      .trim()
      .replace(/(?<=.)\/+$/, ''),
  };
}

/** A device that is mounted elsewhere counts as mounted, with a warning. */
function isMounted(call: AgentCall, device: string, directory: string): boolean {
  const mounts = mountsOf(call.os, device);
  if (mounts.length === 0) return false;
  if (!mounts.includes(directory)) {
    call.log('warning', `Device ${device} is mounted on ${mounts.at(-1)} instead of ${directory}`);
  }
  return true;
}

function mountsOf(os: Os, device: string): readonly string[] {
  const wanted = mapperName(device);
  const mounts = os.mounts().filter((mount) => mapperName(mount.device) === wanted);
  return mounts.map(({ directory }) => directory);
}

/** A logical volume has two names, `/dev/my-vg1/my-store1` and `/dev/mapper/my--vg1-my--store1`; this gives the latter. */
function mapperName(device: string): string {
  const [, group, volume] = /^\/dev\/(?!mapper\/|block\/|disk\/)([^/]+)\/([^/]+)$/.exec(device) ?? [];
  if (group === undefined || volume === undefined) return device;
  return `/dev/mapper/${group.replaceAll('-', '--')}-${volume.replaceAll('-', '--')}`;
}
