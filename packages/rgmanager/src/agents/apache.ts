import { isErrno, type Program, type Task } from '@quorate/kernel';
import { confDirectoryOf, writeGeneratedFile } from './generated-file.js';
import { httpdConf } from './httpd-conf.js';
import { makeDirectories } from './make-directories.js';
import {
  checkPidFile,
  isAlive,
  pidDirectoryOf,
  pidFileOf,
  readPid,
  removeStalePidFile,
  startDaemon,
  stopByPidFile,
} from './pid-file.js';
import { type AgentCall, AgentExit, resourceAgent, whenValid } from './resource-agent.js';
import { serviceAddresses } from './service-addresses.js';

const HTTPD = '/usr/sbin/httpd';

/**
 * apache.sh: an httpd that listens on the addresses of its service.
 *
 * It runs with a configuration of its own, /etc/cluster/apache/apache:NAME/httpd.conf, made of the administrator's.
 *
 * Differs from apache.sh: addresses come from rgmanager and not from a query of cluster.conf, and `httpd -t` is not run.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/apache.sh, utils/ra-skelet.sh, utils/messages.sh.
 */
export const apache: Program = resourceAgent('apache', {
  start: whenValid(validate, start),
  stop: whenValid(validate, stop),
  *status(call) {
    yield* validate(call);
    return yield* status(call);
  },
  validate,
});

function* validate(call: AgentCall): Task<number> {
  const { os, instance } = call;
  const refuse = (text: string): number => {
    call.log('err', text);
    return AgentExit.ARGUMENTS;
  };
  const failed = `Verifying Configuration Of ${instance} > Failed`;
  call.log('debug', `Verifying Configuration Of ${instance}`);
  if (call.parameter('name') === '') return refuse(`${failed} - Invalid Name Of Service`);
  if (call.parameter('service_name') === '') return refuse(`Service ${instance} Is Not A Child Of A Service`);
  const root = call.parameter('server_root');
  if (root === '') return refuse(`${failed} - Invalid ServerRoot`);
  const found = yield* os.stat(root);
  if (isErrno(found) || found.type === 'file') return refuse(`${failed} - ServerRoot Directory Is Missing`);
  if (call.parameter('config_file') === '') {
    return refuse(`Checking Existence Of File  [${instance}] > Failed - Invalid Argument`);
  }
  const path = originalPath(call);
  if (isErrno(yield* os.readFile(path))) {
    return refuse(`Checking Existence Of File ${path} [${instance}] > Failed - File Is Not Readable`);
  }
  return AgentExit.SUCCESS;
}

function* start(call: AgentCall): Task<number> {
  const { os, instance } = call;
  if ((yield* status(call)) === AgentExit.SUCCESS) return AgentExit.SUCCESS;
  call.log('info', `Starting Service ${instance}`);
  yield* makeDirectories(os, pidDirectoryOf(call));
  yield* removeStalePidFile(call, pidFileOf(call));
  if (!(yield* writeConfiguration(call))) return AgentExit.GENERIC;
  const options = call.parameter('httpd_options').split(/\s+/).filter(Boolean);
  const argv = [HTTPD, `-D${call.parameter('name')}`, '-d', call.parameter('server_root'), '-f', confFile(call)];
  if (!(yield* startDaemon(call, [...argv, ...options, '-k', 'start'], pidFileOf(call)))) {
    call.log('err', `Starting Service ${instance} > Failed`);
    return AgentExit.GENERIC;
  }
  call.log('debug', `Starting Service ${instance} > Succeed`);
  return AgentExit.SUCCESS;
}

function* writeConfiguration(call: AgentCall): Task<boolean> {
  const addresses = yield* serviceAddresses(call);
  if (addresses.length === 0) return false;
  return yield* writeGeneratedFile(call, {
    path: confFile(call),
    originalPath: originalPath(call),
    bodyOf: (original) => httpdConf(original, addresses, pidFileOf(call)),
  });
}

function* stop(call: AgentCall): Task<number> {
  const { instance } = call;
  call.log('info', `Stopping Service ${instance}`);
  const pid = yield* readPid(call.os, pidFileOf(call));
  const isRunning = pid !== undefined && isAlive(call.os, pid);
  if (!(yield* stopByPidFile(call, pidFileOf(call)))) {
    call.log('err', `Stopping Service ${instance} > Failed`);
    return AgentExit.GENERIC;
  }
  // httpd would have done it on SIGTERM; the modelled one does not catch it.
  if (isRunning) yield* call.os.remove(pidFileOf(call));
  call.log('info', `Stopping Service ${instance} > Succeed`);
  return AgentExit.SUCCESS;
}

function* status(call: AgentCall): Task<number> {
  const { instance } = call;
  call.log('debug', `Monitoring Service ${instance}`);
  const exit = yield* checkPidFile(call, pidFileOf(call));
  if (exit === AgentExit.SUCCESS) call.log('debug', `Monitoring Service ${instance} > Service Is Running`);
  else call.log('err', `Monitoring Service ${instance} > Service Is Not Running`);
  return exit;
}

function confFile(call: AgentCall): string {
  return `${confDirectoryOf(call)}/httpd.conf`;
}

function originalPath(call: AgentCall): string {
  const file = call.parameter('config_file');
  return file.startsWith('/') ? file : `${call.parameter('server_root')}/${file}`;
}
