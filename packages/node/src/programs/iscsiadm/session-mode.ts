import type { Os, Task } from '@quorate/kernel';
import { IscsiError } from '../../os/iscsi/iscsi-error.js';
import type { CommandOptions } from './command-options.js';
import { misused, nothing } from './complaints.js';
import { logOut, rescan, sessionsOf } from './login.js';
import { type ReportLevel, sessionReport } from './session-report.js';

/** `iscsiadm -m session …`: what iscsid has. */
export function* sessionMode(os: Os, given: CommandOptions['given']): Task<number> {
  const all = yield* sessionsOf(os);
  const sid = given.get('r');
  const sessions = sid === undefined ? all : all.filter((each) => each.sid === Number(sid));
  if (sid !== undefined && sessions.length === 0) {
    os.printError('iscsiadm: could not read session targetname: 5\n');
    os.printError(`iscsiadm: Could not get session info for sid ${sid}\n`);
    return IscsiError.sysfsLookup;
  }
  if (given.has('u')) return yield* logOut(os, sessions);
  if (given.has('R')) return yield* rescan(os, sessions);
  if (sessions.length === 0) return nothing(os, 'No active sessions.');
  const level = Number(given.get('P') ?? (sid === undefined ? 0 : 2));
  if (!isLevel(level)) return misused(os, `Invalid info level ${given.get('P')}. Try 0 - 3.`);
  const ownAddress = os.interfaces()[0]?.addresses[0]?.split('/')[0] ?? '';
  os.print(sessionReport(sessions, level, { ownAddress, showsPasswords: given.has('S') }));
  return IscsiError.success;
}

function isLevel(level: number): level is ReportLevel {
  return level === 0 || level === 1 || level === 2 || level === 3;
}
