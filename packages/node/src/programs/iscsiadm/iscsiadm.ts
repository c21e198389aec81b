import type { Os, Program, Task } from '@quorate/kernel';
import { IscsiError, iscsiErrorText } from '../../os/iscsi/iscsi-error.js';
import { resolveHost } from '../hosts.js';
import { type CommandOptions, parseCommand } from './command-options.js';
import { sendTargets } from './discovery.js';
import { isSessionOf, logIn, logOut, rescan, sessionsOf } from './login.js';
import { type NodePortal, type NodeRecord, newRecord, portalOf, portalText, recordText } from './node-record.js';
import {
  deleteRecord,
  readConfiguration,
  readDiscoveries,
  readInitiatorName,
  readRecords,
  writeDiscovery,
  writeRecord,
} from './record-store.js';
import { type ReportLevel, sessionReport } from './session-report.js';

type Given = CommandOptions['given'];

const ISCSI_PORT = 3260;
const SEE_HELP = "Try `iscsiadm --help' for more information.\n";
const USAGE = `iscsiadm -m discovery [-P printlevel] [-t sendtargets -p ip:port [-l]]
iscsiadm -m node [-P printlevel] [-L all,manual,automatic,onboot] [-U all,manual,automatic,onboot] [-S] [[-T targetname -p ip:port] [-l | -u | -R]] [[-o operation] [-n name] [-v value]]
iscsiadm -m session [-P printlevel] [-r sessionid] [-R | -u]
`;

/**
 * `iscsiadm -m discovery|node|session …`: the administration of open-iscsi 2.1, with its texts and exit codes.
 *
 * Modes `discoverydb`, `iface`, `host` and `fw`, discovery over iSNS, and statistics do not exist here.
 */
export const iscsiadm: Program = function* (argv, os) {
  const { given, error } = parseCommand(argv.slice(1));
  if (error !== undefined) return misused(os, error);
  if (given.has('V')) {
    os.print('iscsiadm version 2.1.8\n');
    return IscsiError.success;
  }
  if (given.has('h')) {
    os.print(USAGE);
    return IscsiError.success;
  }
  const mode = given.get('m');
  switch (mode) {
    case undefined:
      os.printError(SEE_HELP);
      return IscsiError.invalid;
    case 'discovery':
      return yield* discovery(os, given);
    case 'node':
      return yield* node(os, given);
    case 'session':
      return yield* session(os, given);
    default:
      return misused(os, 'mode -1 is not yet supported');
  }
};

function misused(os: Os, complaint: string): number {
  os.printError(`iscsiadm: ${complaint}\n`);
  return IscsiError.invalid;
}

function nothing(os: Os, complaint: string): number {
  os.printError(`iscsiadm: ${complaint}\n`);
  return IscsiError.nothingFound;
}

// ── discovery ────────────────────────────────────────────────────────────────────────────────────────────────────

function* discovery(os: Os, given: Given): Task<number> {
  const type = given.get('t');
  if (type === undefined) {
    const portals = yield* readDiscoveries(os);
    for (const portal of portals) os.print(`${portal} via sendtargets\n`);
    return portals.length > 0 ? IscsiError.success : IscsiError.nothingFound;
  }
  if (type !== 'sendtargets' && type !== 'st')
    return misused(os, `only SendTargets discovery is served here, found ${type}`);
  const portal = parsePortal(given.get('p') ?? '');
  if (portal === undefined) return misused(os, 'Please specify portal as <ipaddr>[:<ipport>]');
  const records = yield* discover(os, portal);
  if (typeof records === 'number') {
    if (records !== IscsiError.nothingFound) {
      os.printError(`iscsiadm: Could not perform SendTargets discovery: ${iscsiErrorText(records)}\n`);
    }
    return records;
  }
  for (const record of records) os.print(lineOf(record));
  return given.has('l') ? yield* logIn(os, records) : IscsiError.success;
}

/** Asks a portal, and makes its targets the records that came from there: others that did are gone. */
function* discover(os: Os, { address, port }: Portal): Task<readonly NodeRecord[] | number> {
  const initiator = yield* readInitiatorName(os);
  if (initiator === undefined) {
    os.printError('iscsiadm: Cannot perform discovery. Initiatorname required.\n');
    return IscsiError.invalid;
  }
  const host = yield* resolveHost(os, address);
  if (host === undefined) {
    os.printError(`iscsiadm: cannot resolve host name ${address}\n`);
    return IscsiError.transport;
  }
  yield* writeDiscovery(os, address, port);
  const targets = yield* sendTargets(os, initiator, host, port);
  if (typeof targets === 'number') return targets;
  const configuration = yield* readConfiguration(os);
  const found = targets.flatMap(({ name, addresses }) =>
    addresses.map((text) => {
      const { address: at, port: on = ISCSI_PORT, tpgt = 1 } = parsePortal(text)!;
      const record = new Map(newRecord({ target: name, address: at, port: on, tpgt }, configuration));
      record.set('node.discovery_address', address);
      record.set('node.discovery_port', `${port}`);
      record.set('node.discovery_type', 'send_targets');
      return record;
    }),
  );
  if (found.length === 0) return nothing(os, 'No portals found');
  for (const record of yield* readRecords(os)) {
    const isFromThere =
      record.get('node.discovery_address') === address && record.get('node.discovery_port') === `${port}`;
    if (isFromThere) yield* deleteRecord(os, record);
  }
  for (const record of found) yield* writeRecord(os, record);
  return found;
}

interface Portal {
  readonly address: string;
  readonly port: number;
  readonly tpgt: number | undefined;
}

/** `ADDRESS[:PORT][,TPGT]`. */
function parsePortal(text: string): Portal | undefined {
  const found = /^([^:,\s]+)(?::(\d+))?(?:,(\d+))?$/.exec(text);
  if (found === null) return undefined;
  const [, address = '', port, tpgt] = found;
  return { address, port: Number(port ?? ISCSI_PORT), tpgt: tpgt === undefined ? undefined : Number(tpgt) };
}

// ── node ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function* node(os: Os, given: Given): Task<number> {
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
    if (level !== '1') os.print(lineOf(record));
    else {
      if (portal.target !== target) os.print(`Target: ${portal.target}\n`);
      os.print(`\tPortal: ${portal.address}:${portal.port},${portal.tpgt}\n\t\tIface Name: default\n`);
      target = portal.target;
    }
  }
  return IscsiError.success;
}

function lineOf(record: NodeRecord): string {
  const portal = portalOf(record);
  return `${portalText(portal)} ${portal.target}\n`;
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

// ── session ──────────────────────────────────────────────────────────────────────────────────────────────────────

function* session(os: Os, given: Given): Task<number> {
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
