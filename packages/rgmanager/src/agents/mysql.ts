import { isErrno, type Program, SECOND, type Task } from '@quorate/kernel';
import { applicationAgent, optionsOf } from './application.js';
import { pidFileOf } from './pid-file.js';
import { type AgentCall, AgentExit } from './resource-agent.js';
import { serviceAddresses } from './service-addresses.js';

const MYSQLD_SAFE = '/usr/bin/mysqld_safe';

/**
 * mysql.sh: a mysqld on one address, under mysqld_safe.
 *
 * Start waits up to `startup_wait` for the pid file, which mysqld writes when it has recovered: a recovery that takes longer is a
 * failed start.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/mysql.sh.
 */
export const mysql: Program = applicationAgent({
  type: 'mysql',
  startsTwice: true,
  statusWithoutPidFile: AgentExit.NOT_RUNNING,
  addresses,
  launch,
});

/** `listen_address`, or the first one of the service; without any mysqld listens on all. */
function* addresses(call: AgentCall): Task<readonly string[]> {
  const listen = call.parameter('listen_address');
  return listen !== '' ? [listen] : yield* serviceAddresses(call, 'IP Address');
}

function* launch(call: AgentCall, [address = '']: readonly string[]): Task<boolean> {
  const { os } = call;
  const started = os.spawn([
    MYSQLD_SAFE,
    `--defaults-file=${call.parameter('config_file')}`,
    `--pid-file=${pidFileOf(call)}`,
    `--bind-address=${address}`,
    ...optionsOf(call, 'mysqld_options'),
  ]);
  if (isErrno(started)) return false;
  for (let left = Number(call.parameter('startup_wait')) || 0; left > 0; left--) {
    if (!isErrno(yield* os.stat(pidFileOf(call)))) return true;
    yield* os.sleep(SECOND);
  }
  call.log('err', `Starting Service ${call.instance} > Failed - Timeout Error`);
  return false;
}
