import { isErrno, type Program, type Task } from '@quorate/kernel';
import { applicationAgent, optionsOf } from './application.js';
import { commentedOut, confDirectoryOf, writeGeneratedFile } from './generated-file.js';
import { isAlive, pidFileOf, readPid } from './pid-file.js';
import type { AgentCall } from './resource-agent.js';

const POSTMASTER = '/usr/bin/postmaster';
const PG_CTL = '/usr/bin/pg_ctl';
const SIGQUIT = 3;
const WAIT_AFTER_START_SEC = 2;
const KILL_TIMEOUT_SEC = 5;

/**
 * postgres-8.sh: a postmaster on the addresses of its service.
 *
 * Start looks once, after 2 s, whether it runs: it may still recover then. Stop is SIGQUIT, the immediate shutdown, so the next start
 * recovers, wherever it is, and a stop takes 5 s.
 *
 * Simplified: what `su` does as `postmaster_user` is done as root.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/postgres-8.sh.
 */
export const postgres8: Program = applicationAgent({
  type: 'postgres-8',
  *verify(call) {
    return call.parameter('postmaster_user') === '' ? 'Invalid User' : undefined;
  },
  launch,
  stop,
});

function* launch(call: AgentCall, addresses: readonly string[]): Task<boolean> {
  const { os } = call;
  const path = `${confDirectoryOf(call)}/postgresql.conf`;
  const isWritten = yield* writeGeneratedFile(call, {
    path,
    originalPath: call.parameter('config_file'),
    bodyOf: (original) =>
      [
        `external_pid_file = '${pidFileOf(call)}'`,
        `listen_addresses = '${addresses.join(',')}'`,
        '',
        commentedOut(original, /^\s*(external_pid_file|listen_addresses)/i),
      ].join('\n'),
  });
  if (!isWritten) return false;
  const options = optionsOf(call, 'postmaster_options');
  if (isErrno(os.spawn([POSTMASTER, '-c', `config_file=${path}`, ...options]))) return false;
  yield* call.sleepSec(WAIT_AFTER_START_SEC);
  return (yield* os.run([PG_CTL, 'status', ...options])).status === 0;
}

function* stop(call: AgentCall): Task<boolean> {
  const { os, instance } = call;
  const file = pidFileOf(call);
  const pid = yield* readPid(os, file);
  if (pid === undefined) {
    call.log('err', `Checking Existence Of File ${file} [${instance}] > Failed - File Doesn't Exist`);
    return true;
  }
  if (!isAlive(os, pid)) return true;
  if (os.kill(pid, SIGQUIT) !== undefined) return false;
  yield* call.sleepSec(KILL_TIMEOUT_SEC);
  if (isAlive(os, pid)) {
    call.log('err', `Killing Service ${instance} > Failed`);
    return false;
  }
  call.log('info', `Killing Service ${instance} > Succeed`);
  return true;
}
