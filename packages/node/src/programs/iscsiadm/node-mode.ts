import type { Os, Task } from '@quorate/kernel';
import { IscsiError, iscsiErrorText } from '../../os/iscsi/iscsi-error.js';
import type { CommandOptions } from './command-options.js';
import { misused, nothing, SEE_HELP } from './complaints.js';
import { isSessionOf, logIn, logOut, rescan, sessionsOf } from './login.js';
import { type NodePortal, type NodeRecord, newRecord, portalOf, recordLine, recordText } from './node-record.js';
import { type Portal, parsePortal } from './portal.js';
import { deleteRecord, readConfiguration, readRecords, writeRecord } from './record-store.js';

type Given = CommandOptions['given'];

/** `iscsiadm -m node …`: the records, and logins by them. */
export function* nodeMode(os: Os, given: Given): Task<number> {
  const all = yield* readRecords(os);
  const loginMode = given.get('L');
  if (loginMode !== undefined) return yield* loginAll(os, all, loginMode);
  const logoutMode = given.get('U');
  if (logoutMode !== undefined) return yield* logoutAll(os, all, logoutMode);
  const portal = given.has('p') ? parsePortal(given.get('p')!) : undefined;
  if (given.has('p') && portal === undefined) return misused(os, 'Please specify portal as <ipaddr>[:<ipport>]');
  const matched = all.filter((record) => matches(record, given.get('T'), portal));
  const operation = given.get('o');
  if (operation !== undefined) return yield* operate(os, given, operation, matched, portal);
  if (given.has('l')) {
    return matched.length > 0 ? yield* logIn(os, matched) : nothing(os, 'No records found');
  }
  const sessions = yield* sessionsOf(os);
  const ofMatched = sessions.filter((each) => matched.some((record) => isSessionOf(each, record)));
  if (given.has('u')) return yield* logOut(os, ofMatched);
  if (given.has('R')) return yield* rescan(os, ofMatched);
  if (given.has('T') || given.has('p')) return show(os, matched, given.has('S'));
  return list(os, matched, given.get('P'));
}

function matches(record: NodeRecord, target: string | undefined, portal: Portal | undefined): boolean {
  const its = portalOf(record);
  if (target !== undefined && its.target !== target) return false;
  if (portal === undefined) return true;
  const { address, port, tpgt = its.tpgt } = portal;
  return its.address === address && its.port === port && its.tpgt === tpgt;
}

function list(os: Os, records: readonly NodeRecord[], level: string | undefined): number {
  if (level !== undefined && level !== '0' && level !== '1') {
    return misused(os, `Invalid info level ${level}. Try 0 or 1.`);
  }
  if (records.length === 0) return nothing(os, 'No records found');
  let target = '';
  for (const record of records) {
    const portal = portalOf(record);
    if (level !== '1') os.print(recordLine(record));
    else {
      if (portal.target !== target) os.print(`Target: ${portal.target}\n`);
      os.print(`\tPortal: ${portal.address}:${portal.port},${portal.tpgt}\n\t\tIface Name: default\n`);
      target = portal.target;
    }
  }
  return IscsiError.success;
}

function show(os: Os, records: readonly NodeRecord[], showsPasswords: boolean): number {
  if (records.length === 0) return nothing(os, 'No records found');
  for (const record of records) os.print(recordText(record, showsPasswords));
  return IscsiError.success;
}

function* operate(
  os: Os,
  given: Given,
  operation: string,
  records: readonly NodeRecord[],
  portal: Portal | undefined,
): Task<number> {
  switch (operation) {
    case 'new':
      return yield* add(os, given.get('T'), portal);
    case 'delete':
      if (records.length === 0) return nothing(os, 'No records found');
      for (const record of records) yield* deleteRecord(os, record);
      return IscsiError.success;
    case 'show':
      return show(os, records, given.has('S'));
    case 'update':
      return yield* update(os, records, given.get('n'), given.get('v'));
    default:
      return misused(os, `can not recognize operation: '${operation}'`);
  }
}

function* add(os: Os, target: string | undefined, portal: Portal | undefined): Task<number> {
  if (target === undefined || portal === undefined) return misused(os, 'Invalid operation.');
  const { address, port, tpgt = -1 } = portal;
  const its: NodePortal = { target, address, port, tpgt };
  yield* writeRecord(os, newRecord(its, yield* readConfiguration(os)));
  os.print(`New iSCSI node [tcp:[hw=,ip=,net_if=,iscsi_if=default] ${address},${port},${tpgt} ${target}] added\n`);
  return IscsiError.success;
}

function* update(
  os: Os,
  records: readonly NodeRecord[],
  name: string | undefined,
  value: string | undefined,
): Task<number> {
  if (name === undefined || value === undefined) return misused(os, 'update requires name and value');
  if (records.length === 0) return nothing(os, 'No records found');
  let status: number = IscsiError.success;
  for (const record of records) {
    if (record.has(name)) yield* writeRecord(os, new Map(record).set(name, value));
    else status = misused(os, `Cannot modify ${name}. Invalid param name.`);
  }
  if (status !== IscsiError.success) {
    misused(os, `Could not execute operation on all records: ${iscsiErrorText(status)}`);
  }
  return status;
}

/** Who logs in by himself, and when. */
const STARTUP_MODES: readonly string[] = ['automatic', 'manual', 'onboot'];

function hasStartup(record: NodeRecord, mode: string): boolean {
  return mode === 'all' || record.get('node.startup') === mode;
}

function* loginAll(os: Os, records: readonly NodeRecord[], mode: string): Task<number> {
  if (mode !== 'all' && !STARTUP_MODES.includes(mode)) {
    misused(os, `Invalid loginall option ${mode}.`);
    os.printError(SEE_HELP);
    return IscsiError.invalid;
  }
  const chosen = records.filter((record) => hasStartup(record, mode));
  return chosen.length > 0 ? yield* logIn(os, chosen) : nothing(os, 'No records found');
}

/** Sessions that were made at boot stay. */
function* logoutAll(os: Os, records: readonly NodeRecord[], mode: string): Task<number> {
  if (mode !== 'all' && mode !== 'automatic' && mode !== 'manual') {
    misused(os, `Invalid logoutall option ${mode}.`);
    os.printError(SEE_HELP);
    return IscsiError.invalid;
  }
  const chosen = records.filter((record) => !hasStartup(record, 'onboot') && hasStartup(record, mode));
  const sessions = yield* sessionsOf(os);
  return yield* logOut(
    os,
    sessions.filter((each) => chosen.some((record) => isSessionOf(each, record))),
  );
}
