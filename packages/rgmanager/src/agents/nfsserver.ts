import { isErrno, type Os, type Program, type Task, utf8Bytes } from '@quorate/kernel';
import { makeDirectories } from './make-directories.js';
import { type AgentCall, AgentExit, resourceAgent } from './resource-agent.js';

const STATE_DIRECTORY = '/var/lib/nfs';
const TABLES = ['etab', 'xtab', 'rmtab'];
const NFS_SCRIPT = '/etc/init.d/nfs';
const STATD = 'rpc.statd';
const [SIGTERM, SIGKILL] = [15, 9];
const KILL_ATTEMPTS = 3;

/**
 * nfsserver.sh: the NFS server of a machine as part of a service; what it knows lies on the file system of the service, and moves
 * with it.
 *
 * Simplified: statd's directory is made, not mounted over /var/lib/nfs/statd, for nobody reclaims locks here. Absent: the directory
 * for NFSv4's recovery, SELinux.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/nfsserver.sh.
 */
export const nfsserver: Program = resourceAgent('nfsserver', { start, stop, status, validate, others: { recover } });

function* start(call: AgentCall): Task<number> {
  const { os } = call;
  const name = call.parameter('name');
  call.log('info', `Starting NFS Server ${name}`);
  const own = directoryOf(call);
  for (const each of ['statd/sm', 'statd/sm.bak', 'statd/sm-ha', 'v4recovery']) {
    if ((yield* makeDirectories(os, `${own}/${each}`)) !== undefined) return AgentExit.GENERIC;
  }
  for (const table of TABLES) {
    if (isErrno(yield* os.stat(`${own}/${table}`))) yield* os.writeFile(`${own}/${table}`, utf8Bytes(''));
  }
  yield* makeDirectories(os, STATE_DIRECTORY);
  yield* copyTables(os, own, STATE_DIRECTORY);
  startStatd(call);
  call.log('info', 'Starting NFS daemons');
  const { status: exit } = yield* os.run([NFS_SCRIPT, 'start']);
  if (exit === 0) {
    call.log('info', `Started NFS Server ${name}`);
    return AgentExit.SUCCESS;
  }
  call.log('err', 'Failed to start NFS daemons');
  call.log('err', `Failed to start NFS Server ${name}`);
  return AgentExit.GENERIC;
}

function startStatd(call: AgentCall): void {
  if (pidsOf(call.os).length > 0) return call.log('debug', 'rpc.statd is already running');
  call.log('info', 'Starting rpc.statd');
  if (isErrno(call.os.spawn([STATD]))) call.log('err', 'Failed to start rpc.statd');
}

function pidsOf(os: Os): readonly number[] {
  const found = os.processes().filter(({ argv: [name = ''] }) => name === STATD || name.endsWith(`/${STATD}`));
  return found.map(({ pid }) => pid);
}

function* copyTables(os: Os, from: string, to: string): Task {
  for (const table of TABLES) {
    const bytes = yield* os.readFile(`${from}/${table}`);
    if (!isErrno(bytes)) yield* os.writeFile(`${to}/${table}`, bytes);
  }
}

function* stop(call: AgentCall): Task<number> {
  const { os } = call;
  call.log('info', 'Stopping NFS daemons');
  if ((yield* os.run([NFS_SCRIPT, 'stop'])).status !== 0) {
    call.log('err', 'Failed to stop NFS daemons');
    call.log('err', `Failed to stop NFS Server ${call.parameter('name')}`);
    return AgentExit.GENERIC;
  }
  call.log('info', 'Stopping rpc.statd');
  if (!(yield* endStatd(call, SIGTERM)) && !(yield* endStatd(call, SIGKILL))) {
    call.log('debug', 'Failed to stop rpc.statd');
    return AgentExit.GENERIC;
  }
  if (!isErrno(yield* os.stat(directoryOf(call)))) yield* copyTables(os, STATE_DIRECTORY, directoryOf(call));
  return AgentExit.SUCCESS;
}

function* endStatd(call: AgentCall, signal: number): Task<boolean> {
  for (let attempt = 0; attempt <= KILL_ATTEMPTS; attempt++) {
    const pids = pidsOf(call.os);
    if (pids.length === 0) return true;
    for (const pid of pids) call.os.kill(pid, signal);
    yield* call.sleepSec(1);
  }
  return false;
}

function* status(call: AgentCall): Task<number> {
  const { status: exit } = yield* call.os.run([NFS_SCRIPT, 'status']);
  if (exit !== 0) return AgentExit.NOT_RUNNING;
  call.log('debug', 'NFS daemons are running');
  return AgentExit.SUCCESS;
}

function* recover(call: AgentCall): Task<number> {
  if ((yield* stop(call)) !== AgentExit.SUCCESS) return AgentExit.GENERIC;
  return (yield* start(call)) === AgentExit.SUCCESS ? AgentExit.SUCCESS : AgentExit.GENERIC;
}

function* validate(call: AgentCall): Task<number> {
  const path = call.parameter('path');
  const found = path === '' ? 'ENOENT' : yield* call.os.stat(path);
  if (!isErrno(found) && found.type === 'directory' && call.parameter('nfspath') !== '') return AgentExit.SUCCESS;
  call.log('err', path === '' ? 'No server path specified.' : `${path} is not a directory`);
  return AgentExit.GENERIC;
}

/** Where the server's state lies on the file system of the service. */
function directoryOf(call: AgentCall): string {
  return `${call.parameter('path')}/${call.parameter('nfspath') || '.clumanager/nfs'}`;
}
