import { fork, isErrno, join, type Os, type Task, type TaskId } from '@quorate/kernel';
import { IscsiError, iscsiErrorText } from '../../os/iscsi/iscsi-error.js';
import type { IscsidCall, SessionInfo } from '../../os/iscsi/iscsid-call.js';
import type { LoginRequest } from '../../os/iscsi/login-request.js';
import { isPort } from '../../os/sockets.js';
import { resolveHost } from '../hosts.js';
import { loginRequestOf, type NodeRecord, portalOf } from './node-record.js';
import { readInitiatorName } from './record-store.js';

/** The sessions that iscsid has, by their numbers. */
export function* sessionsOf(os: Os): Task<readonly SessionInfo[]> {
  const answer = yield* askDaemon(os, { kind: 'sessions' });
  return typeof answer === 'number' ? [] : (answer as readonly SessionInfo[]);
}

export function isSessionOf({ request }: SessionInfo, record: NodeRecord): boolean {
  const { target, address, port } = portalOf(record);
  return request.target === target && request.address === address && request.port === port;
}

/** Logs in to all portals at once, and says how each of them went. An `IscsiError`: the first one, or 0. */
export function* logIn(os: Os, records: readonly NodeRecord[]): Task<number> {
  const sessions = yield* sessionsOf(os);
  let status = 0;
  const logins: { readonly name: string; readonly task: TaskId }[] = [];
  for (const record of records) {
    const present = sessions.filter((session) => isSessionOf(session, record)).length;
    if (present > 0) {
      os.printError(`iscsiadm: default: 1 session requested, but ${present} already present.\n`);
      status ||= IscsiError.sessionExists;
      continue;
    }
    const { target, address, port } = portalOf(record);
    const name = `[iface: default, target: ${target}, portal: ${address},${port}]`;
    os.print(`Logging in to ${name}\n`);
    logins.push({ name, task: yield* fork(loginTask(os, record)) });
  }
  for (const { name, task } of logins) {
    const error = (yield* join(task)) as number;
    status ||= tell(os, error, `Login to ${name}`, `Could not login to ${name}`);
  }
  if (status !== 0) os.printError('iscsiadm: Could not log into all portals\n');
  return status;
}

function* loginTask(os: Os, record: NodeRecord): Task<number> {
  const portal = portalOf(record);
  const initiator = yield* readInitiatorName(os);
  const address = yield* resolveHost(os, portal.address);
  if (initiator === undefined || address === undefined) return IscsiError.internal;
  if (!isPort(portal.port)) return IscsiError.invalid;
  const request: LoginRequest = loginRequestOf(record, initiator, address);
  return (yield* askDaemon(os, { kind: 'login', request })) as number;
}

/** Ends sessions, all at once, and says how that went. An `IscsiError`: the first one, or 0. */
export function* logOut(os: Os, sessions: readonly SessionInfo[]): Task<number> {
  if (sessions.length === 0) {
    os.printError('iscsiadm: No matching sessions found\n');
    return IscsiError.nothingFound;
  }
  let status = 0;
  const logouts: { readonly name: string; readonly task: TaskId }[] = [];
  for (const { sid, request } of sessions) {
    const name = `[sid: ${sid}, target: ${request.target}, portal: ${request.address},${request.port}]`;
    os.print(`Logging out of session ${name}\n`);
    logouts.push({ name, task: yield* fork(askDaemon(os, { kind: 'logout', sid })) });
  }
  for (const { name, task } of logouts) {
    const error = (yield* join(task)) as number;
    status ||= tell(os, error, `Logout of ${name}`, `Could not logout of ${name}`);
  }
  if (status !== 0) os.printError('iscsiadm: Could not logout of all requested sessions\n');
  return status;
}

/** Looks for new disks of sessions. */
export function* rescan(os: Os, sessions: readonly SessionInfo[]): Task<number> {
  if (sessions.length === 0) {
    os.printError('iscsiadm: No session found.\n');
    return IscsiError.nothingFound;
  }
  let status = 0;
  for (const { sid, request } of sessions) {
    const { target, address, port } = request;
    os.print(`Rescanning session [sid: ${sid}, target: ${target}, portal: ${address},${port}]\n`);
    status ||= (yield* askDaemon(os, { kind: 'rescan', sid })) as number;
  }
  return status;
}

function tell(os: Os, error: number, done: string, failed: string): number {
  if (error === IscsiError.success) os.print(`${done} successful.\n`);
  else {
    os.printError(`iscsiadm: ${failed}.\n`);
    os.printError(`iscsiadm: initiator reported error (${error} - ${iscsiErrorText(error)})\n`);
  }
  return error;
}

function* askDaemon(os: Os, call: IscsidCall): Task<unknown> {
  const answer = yield* os.call('iscsid', call);
  return isErrno(answer) ? IscsiError.noDaemon : answer;
}
