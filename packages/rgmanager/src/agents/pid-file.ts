import { isErrno, MILLISECOND, type Os, SECOND, type Task, utf8Text } from '@quorate/kernel';
import { type AgentCall, AgentExit } from './resource-agent.js';

const PID_DIRECTORY = '/var/run/cluster';
const SIGTERM = 15;
const START_POLL = 100 * MILLISECOND;
/** How long stop waits for a daemon to end, unless `shutdown_wait` says otherwise. */
const DEFAULT_SHUTDOWN_WAIT_SEC = 20;

/** Directory of an agent's pid files: `/var/run/cluster/apache`. */
export function pidDirectoryOf(call: AgentCall): string {
  return `${PID_DIRECTORY}/${call.type}`;
}

/** `/var/run/cluster/apache/apache:NAME.pid`. */
export function pidFileOf(call: AgentCall): string {
  return `${pidDirectoryOf(call)}/${call.instance}.pid`;
}

/** Undefined without a pid file; NaN if it holds no number. */
export function* readPid(os: Os, file: string): Task<number | undefined> {
  const bytes = yield* os.readFile(file);
  return isErrno(bytes) ? undefined : Number.parseInt(utf8Text(bytes), 10);
}

export function isAlive(os: Os, pid: number): boolean {
  return os.processes().some((process) => process.pid === pid);
}

/** A pid file without a process is one that its daemon could not remove. False if the process lives (`check_pid_file`). */
export function* removeStalePidFile(call: AgentCall, file: string): Task<boolean> {
  const pid = yield* readPid(call.os, file);
  if (pid === undefined) return true;
  if (isAlive(call.os, pid)) return false;
  yield* call.os.remove(file);
  const reason = Number.isNaN(pid) ? 'Zero length' : 'PID Does Not Exist';
  call.log('debug', `PID File "${file}" Was Removed - ${reason}`);
  return true;
}

/** Whether the process of a pid file lives: 0, 1, or 7 when there is no such file (`status_check_pid`). */
export function* checkPidFile(call: AgentCall, file: string): Task<number> {
  const pid = yield* readPid(call.os, file);
  if (pid === undefined) {
    call.log('err', `Checking Existence Of File ${file} [${call.instance}] > Failed`);
    return AgentExit.NOT_RUNNING;
  }
  return isAlive(call.os, pid) ? AgentExit.SUCCESS : AgentExit.GENERIC;
}

/**
 * Starts a daemon, and waits until its pid file names it. Whether it runs then.
 *
 * A real daemon returns when it runs in the background; ours is in the background from the first, and tells by its pid file.
 */
export function* startDaemon(call: AgentCall, argv: readonly string[], file: string): Task<boolean> {
  const { os } = call;
  const pid = os.spawn(argv);
  if (isErrno(pid)) return false;
  while ((yield* readPid(os, file)) !== pid) {
    if (!isAlive(os, pid)) return false;
    yield* os.sleep(START_POLL);
  }
  return isAlive(os, pid);
}

/** Ends the process of a pid file, and waits for it up to `shutdown_wait` (`stop_generic`). One that is not there has ended. */
export function* stopByPidFile(call: AgentCall, file: string): Task<boolean> {
  const { os, instance } = call;
  const pid = yield* readPid(os, file);
  if (pid === undefined) {
    call.log('err', `Checking Existence Of File ${file} [${instance}] > Failed - File Doesn't Exist`);
    return true;
  }
  if (!isAlive(os, pid)) return true;
  if (os.kill(pid, SIGTERM) !== undefined) return false;
  const limit = Number.parseInt(call.parameter('shutdown_wait') || `${DEFAULT_SHUTDOWN_WAIT_SEC}`, 10) || 0;
  // A daemon ends its children first: whoever looks at once still finds it, so the least that a stop takes is a second.
  for (let waited = 0; ; waited++) {
    if (waited > limit) {
      call.log('err', `Stopping Service ${instance} > Failed - Application Is Still Running`);
      return false;
    }
    yield* os.sleep(SECOND);
    if (!isAlive(os, pid)) return true;
  }
}
