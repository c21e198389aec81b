import {
  type Errno,
  isErrno,
  MILLISECOND,
  type Os,
  type Program,
  SECOND,
  type Task,
  utf8Bytes,
  utf8Text,
} from '@quorate/kernel';
import type { RgReply, RgRequest } from '../io.js';
import { generateHttpdConf, isEdited } from './httpd-conf.js';
import { makeDirectories } from './make-directories.js';
import { type AgentCall, AgentExit, resourceAgent } from './resource-agent.js';

const HTTPD = '/usr/sbin/httpd';
const PID_DIRECTORY = '/var/run/cluster/apache';
const CONF_DIRECTORY = '/etc/cluster/apache';
const SIGTERM = 15;
/** How long stop waits for httpd to end, unless `shutdown_wait` says otherwise. */
const DEFAULT_SHUTDOWN_WAIT_SEC = 20;
const START_POLL = 100 * MILLISECOND;

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
  *start(call) {
    const refused = yield* validate(call);
    return refused === AgentExit.SUCCESS ? yield* start(call) : refused;
  },
  *stop(call) {
    const refused = yield* validate(call);
    return refused === AgentExit.SUCCESS ? yield* stop(call) : refused;
  },
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
  yield* makeDirectories(os, PID_DIRECTORY);
  yield* makeDirectories(os, confDirectory(call));
  yield* removeStalePidFile(call);
  if (!(yield* writeConfiguration(call))) return AgentExit.GENERIC;
  if (!(yield* startHttpd(call))) {
    call.log('err', `Starting Service ${instance} > Failed`);
    return AgentExit.GENERIC;
  }
  call.log('debug', `Starting Service ${instance} > Succeed`);
  return AgentExit.SUCCESS;
}

/** A pid file without a process is one that httpd could not remove. */
function* removeStalePidFile(call: AgentCall): Task {
  const pid = yield* readPid(call);
  if (pid === undefined) return;
  yield* call.os.remove(pidFile(call));
  const reason = Number.isNaN(pid) ? 'Zero length' : 'PID Does Not Exist';
  call.log('debug', `PID File "${pidFile(call)}" Was Removed - ${reason}`);
}

function* writeConfiguration(call: AgentCall): Task<boolean> {
  const { os, instance } = call;
  const addresses = yield* serviceAddresses(call);
  if (addresses.length === 0) {
    call.log('err', `Looking For IP Addresses [${instance}] > Failed - No IP Addresses Found`);
    return false;
  }
  call.log('debug', 'Looking For IP Addresses > Succeed -  IP Addresses Found');
  const path = confFile(call);
  if (yield* keepsConfiguration(call, path)) return true;
  const source = originalPath(call);
  const original = yield* os.readFile(source);
  if (isErrno(original)) return false;
  call.log('debug', `Generating New Config File ${path} From ${source}`);
  const text = generateHttpdConf({
    path,
    originalPath: source,
    original: utf8Text(original),
    addresses,
    pidFile: pidFile(call),
  });
  if (isErrno(yield* os.writeFile(path, utf8Bytes(text)))) {
    call.log('err', `Generating New Config File ${path} From ${source} [${instance}] > Failed`);
    return false;
  }
  call.log('debug', `Generating New Config File ${path} From ${source} > Succeed`);
  return true;
}

function* serviceAddresses(call: AgentCall): Task<readonly string[]> {
  const service = call.parameter('service_name');
  call.log('debug', 'Looking For IP Addresses');
  const request: RgRequest = { kind: 'service-addresses', service };
  const reply = (yield* call.os.call('rgmanager', request)) as RgReply | Errno;
  // httpd wants them without prefix lengths.
  const addresses =
    isErrno(reply) || reply.kind !== 'addresses' ? [] : reply.addresses.map((address) => address.split('/', 1)[0]!);
  call.log('debug', `${addresses.length} IP addresses found for ${service}/${call.parameter('name')}`);
  return addresses;
}

/** A generated file that the administrator has edited since is used as it is. */
function* keepsConfiguration(call: AgentCall, path: string): Task<boolean> {
  const generated = yield* call.os.readFile(path);
  if (isErrno(generated)) return false;
  call.log('debug', `Checking: SHA1 checksum of config file ${path}`);
  const isKept = isEdited(utf8Text(generated));
  call.log('debug', `Checking: SHA1 checksum > ${isKept ? 'failed - file changed' : 'succeed'}`);
  if (isKept) call.log('debug', 'Checking SHA1 Checksum Of File > Failed - File Changed');
  return isKept;
}

/** `-k start` returns when the server runs in the background; ours is in the background from the first and tells by its pid file. */
function* startHttpd(call: AgentCall): Task<boolean> {
  const { os } = call;
  const options = call.parameter('httpd_options').split(/\s+/).filter(Boolean);
  const argv = [HTTPD, `-D${call.parameter('name')}`, '-d', call.parameter('server_root'), '-f', confFile(call)];
  const pid = os.spawn([...argv, ...options, '-k', 'start']);
  if (isErrno(pid)) return false;
  while ((yield* readPid(call)) !== pid) {
    if (!isAlive(os, pid)) return false;
    yield* os.sleep(START_POLL);
  }
  return isAlive(os, pid);
}

function* stop(call: AgentCall): Task<number> {
  const { instance } = call;
  call.log('info', `Stopping Service ${instance}`);
  if (!(yield* stopHttpd(call))) {
    call.log('err', `Stopping Service ${instance} > Failed`);
    return AgentExit.GENERIC;
  }
  call.log('info', `Stopping Service ${instance} > Succeed`);
  return AgentExit.SUCCESS;
}

function* stopHttpd(call: AgentCall): Task<boolean> {
  const { os, instance } = call;
  const file = pidFile(call);
  const pid = yield* readPid(call);
  if (pid === undefined) {
    call.log('err', `Checking Existence Of File ${file} [${instance}] > Failed - File Doesn't Exist`);
    return true;
  }
  if (!isAlive(os, pid)) return true;
  if (os.kill(pid, SIGTERM) !== undefined) return false;
  const limit = Number.parseInt(call.parameter('shutdown_wait') || `${DEFAULT_SHUTDOWN_WAIT_SEC}`, 10) || 0;
  // httpd ends its children first: whoever looks at once still finds it, so the least that a stop takes is a second.
  for (let waited = 0; ; waited++) {
    if (waited > limit) {
      call.log('err', `Stopping Service ${instance} > Failed - Application Is Still Running`);
      return false;
    }
    yield* os.sleep(SECOND);
    if (!isAlive(os, pid)) break;
  }
  // httpd would have done it on SIGTERM, but programs of a node have no signal handlers.
  yield* os.remove(file);
  return true;
}

function* status(call: AgentCall): Task<number> {
  const { os, instance } = call;
  call.log('debug', `Monitoring Service ${instance}`);
  const pid = yield* readPid(call);
  if (pid !== undefined && isAlive(os, pid)) {
    call.log('debug', `Monitoring Service ${instance} > Service Is Running`);
    return AgentExit.SUCCESS;
  }
  if (pid === undefined) call.log('err', `Checking Existence Of File ${pidFile(call)} [${instance}] > Failed`);
  call.log('err', `Monitoring Service ${instance} > Service Is Not Running`);
  return pid === undefined ? AgentExit.NOT_RUNNING : AgentExit.GENERIC;
}

/** Undefined without a pid file; NaN if it holds no number. */
function* readPid(call: AgentCall): Task<number | undefined> {
  const bytes = yield* call.os.readFile(pidFile(call));
  return isErrno(bytes) ? undefined : Number.parseInt(utf8Text(bytes), 10);
}

function isAlive(os: Os, pid: number): boolean {
  return os.processes().some((process) => process.pid === pid);
}

function pidFile(call: AgentCall): string {
  return `${PID_DIRECTORY}/${call.instance}.pid`;
}

function confDirectory(call: AgentCall): string {
  return `${CONF_DIRECTORY}/${call.instance}`;
}

function confFile(call: AgentCall): string {
  return `${confDirectory(call)}/httpd.conf`;
}

function originalPath(call: AgentCall): string {
  const file = call.parameter('config_file');
  return file.startsWith('/') ? file : `${call.parameter('server_root')}/${file}`;
}
