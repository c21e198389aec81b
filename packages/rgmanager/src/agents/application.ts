import { isErrno, type Program, type Task } from '@quorate/kernel';
import { makeDirectories } from './make-directories.js';
import { checkPidFile, pidDirectoryOf, pidFileOf, removeStalePidFile, stopByPidFile } from './pid-file.js';
import { type AgentAction, type AgentCall, AgentExit, resourceAgent, whenValid } from './resource-agent.js';
import { serviceAddresses } from './service-addresses.js';

/** What distinguishes one agent of a daemon with a pid file from another. */
export interface Application {
  readonly type: string;
  /** `/var/run/cluster/TYPE/INSTANCE.pid` unless told. Those that are started first stand first. */
  pidFiles?(call: AgentCall): readonly string[];
  /** What is wrong besides names and configuration file: `Invalid User`; undefined when all is well. */
  verify?(call: AgentCall): Task<string | undefined>;
  /** Whether start succeeds at once where the daemon runs; otherwise that is a failure. */
  readonly startsTwice?: boolean;
  /** Addresses of the service for the configuration; undefined if there are none and there should be. */
  addresses?(call: AgentCall): Task<readonly string[] | undefined>;
  /** Makes the configuration and starts the daemon. Whether it runs then. */
  launch(call: AgentCall, addresses: readonly string[]): Task<boolean>;
  /** Ends the daemon; SIGTERM, and up to `shutdown_wait` for its end, unless told. Whether it has ended. */
  stop?(call: AgentCall): Task<boolean>;
  /** What status gives for a daemon without pid file: 1 unless told. */
  readonly statusWithoutPidFile?: number;
}

/**
 * An agent that starts a daemon on the addresses of its service, knows it by its pid file, and stops it with a signal.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/utils: ra-skelet.sh, config-utils.sh, messages.sh.
 */
export function applicationAgent(application: Application): Program {
  const isValid: AgentAction = (call) => validate(application, call);
  return resourceAgent(application.type, {
    start: whenValid(isValid, (call) => start(application, call)),
    stop: whenValid(isValid, (call) => stop(application, call)),
    *status(call) {
      yield* isValid(call);
      return yield* status(application, call);
    },
    validate: isValid,
  });
}

function* validate({ verify }: Application, call: AgentCall): Task<number> {
  const { os, instance } = call;
  const refuse = (text: string): number => {
    call.log('err', text);
    return AgentExit.ARGUMENTS;
  };
  const failed = `Verifying Configuration Of ${instance} > Failed`;
  call.log('debug', `Verifying Configuration Of ${instance}`);
  if (call.parameter('name') === '') return refuse(`${failed} - Invalid Name Of Service`);
  if (call.parameter('service_name') === '') return refuse(`Service ${instance} Is Not A Child Of A Service`);
  const file = call.parameter('config_file');
  if (file === '' || isErrno(yield* os.readFile(file))) {
    const why = file === '' ? 'Invalid Argument' : 'File Is Not Readable';
    call.log('err', `Checking Existence Of File ${file} [${instance}] > Failed - ${why}`);
    return refuse(failed);
  }
  const wrong = yield* verify?.(call) ?? nothing();
  if (wrong !== undefined) return refuse(`${failed} - ${wrong}`);
  call.log('debug', `Verifying Configuration Of ${instance} > Succeed`);
  return AgentExit.SUCCESS;
}

function* nothing(): Task<undefined> {
  return undefined;
}

function pidFilesOf({ pidFiles }: Application, call: AgentCall): readonly string[] {
  return pidFiles?.(call) ?? [pidFileOf(call)];
}

function* start(application: Application, call: AgentCall): Task<number> {
  const { instance } = call;
  if (application.startsTwice === true && (yield* status(application, call)) === AgentExit.SUCCESS) {
    call.log('info', `Starting Service ${instance} > Already running`);
    return AgentExit.SUCCESS;
  }
  call.log('info', `Starting Service ${instance}`);
  yield* makeDirectories(call.os, pidDirectoryOf(call));
  for (const file of pidFilesOf(application, call)) {
    if (yield* removeStalePidFile(call, file)) continue;
    call.log(
      'err',
      `Checking Non-Existence of PID File ${file} [${instance}] > Failed - PID File Exists For ${instance}`,
    );
    return fail(call, 'Starting');
  }
  const addresses = yield* application.addresses?.(call) ?? requiredAddresses(call);
  if (addresses === undefined) return AgentExit.GENERIC;
  if (!(yield* application.launch(call, addresses))) return fail(call, 'Starting');
  call.log('debug', `Starting Service ${instance} > Succeed`);
  return AgentExit.SUCCESS;
}

function* requiredAddresses(call: AgentCall): Task<readonly string[] | undefined> {
  const addresses = yield* serviceAddresses(call);
  return addresses.length === 0 ? undefined : addresses;
}

function fail(call: AgentCall, what: 'Starting' | 'Stopping'): number {
  call.log('err', `${what} Service ${call.instance} > Failed`);
  return AgentExit.GENERIC;
}

function* stop(application: Application, call: AgentCall): Task<number> {
  call.log('info', `Stopping Service ${call.instance}`);
  if (application.stop !== undefined) {
    if (!(yield* application.stop(call))) return fail(call, 'Stopping');
  } else {
    for (const file of pidFilesOf(application, call)) {
      if (!(yield* stopByPidFile(call, file))) return fail(call, 'Stopping');
    }
  }
  call.log('info', `Stopping Service ${call.instance} > Succeed`);
  return AgentExit.SUCCESS;
}

function* status(application: Application, call: AgentCall): Task<number> {
  call.log('debug', `Monitoring Service ${call.instance}`);
  for (const file of pidFilesOf(application, call)) {
    const exit = yield* checkPidFile(call, file);
    if (exit === AgentExit.SUCCESS) continue;
    call.log('err', `Monitoring Service ${call.instance} > Service Is Not Running`);
    return exit === AgentExit.NOT_RUNNING ? (application.statusWithoutPidFile ?? AgentExit.GENERIC) : AgentExit.GENERIC;
  }
  call.log('debug', `Monitoring Service ${call.instance} > Service Is Running`);
  return AgentExit.SUCCESS;
}

/** The words of a parameter with options. */
export function optionsOf(call: AgentCall, parameter: string): readonly string[] {
  return call.parameter(parameter).split(/\s+/).filter(Boolean);
}
