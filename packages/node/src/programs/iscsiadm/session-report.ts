import type { SessionInfo } from '../../os/iscsi/iscsid-call.js';
import { portalText } from './node-record.js';

/** What a report says beside what iscsid knows. */
export interface ReportSurroundings {
  /** Address from which the portals are reached. */
  readonly ownAddress: string;
  readonly showsPasswords: boolean;
}

/** The level of a report, as after `-P`. */
export type ReportLevel = 0 | 1 | 2 | 3;

const NONE = '<empty>';

/**
 * `iscsiadm -m session [-P LEVEL]`: a line for each session, or from level 1 on a tree, of which each level says more.
 *
 * Source: open-iscsi 2.1.8 usr/session_info.c.
 */
export function sessionReport(
  sessions: readonly SessionInfo[],
  level: ReportLevel,
  surroundings: ReportSurroundings,
): string {
  if (level === 0) return sessions.map(lineOf).join('');
  const version = level === 3 ? 'iSCSI Transport Class version 2.0-870\nversion 2.1.8\n' : '';
  return version + sessions.map((session, i) => tree(session, sessions[i - 1], level, surroundings)).join('');
}

function lineOf({ sid, request }: SessionInfo): string {
  return `tcp: [${sid}] ${portalText(request)} ${request.target} (non-flash)\n`;
}

function tree(
  session: SessionInfo,
  before: SessionInfo | undefined,
  level: ReportLevel,
  surroundings: ReportSurroundings,
): string {
  const { request } = session;
  const { target } = request;
  const portal = portalText(request);
  const isSameTarget = before?.request.target === target;
  const lines = isSameTarget ? [] : [`Target: ${target} (non-flash)`];
  if (isSameTarget && portalText(before.request) === portal) lines.push('');
  else lines.push(`\tCurrent Portal: ${portal}`, `\tPersistent Portal: ${portal}`);
  lines.push(...interfaceOf(session, surroundings), ...stateOf(session));
  if (level >= 2) lines.push(...timeoutsOf(session), ...chapOf(session, surroundings), ...parametersOf(session));
  if (level >= 3) lines.push(...devicesOf(session));
  return lines.map((line) => `${line}\n`).join('');
}

function heading(title: string, stars: number): readonly string[] {
  const line = `\t\t${'*'.repeat(stars)}`;
  return [line, `\t\t${title}:`, line];
}

function interfaceOf({ request }: SessionInfo, { ownAddress }: ReportSurroundings): readonly string[] {
  return [
    ...heading('Interface', 10),
    '\t\tIface Name: default',
    '\t\tIface Transport: tcp',
    `\t\tIface Initiatorname: ${request.initiator}`,
    `\t\tIface IPaddress: ${ownAddress}`,
    '\t\tIface HWaddress: default',
    '\t\tIface Netdev: default',
  ];
}

function stateOf({ sid, connectionState, sessionState, isRecovering }: SessionInfo): readonly string[] {
  return [
    `\t\tSID: ${sid}`,
    `\t\tiSCSI Connection State: ${connectionState}`,
    `\t\tiSCSI Session State: ${sessionState}`,
    `\t\tInternal iscsid Session State: ${isRecovering ? 'REOPEN' : 'NO CHANGE'}`,
  ];
}

function timeoutsOf({ request }: SessionInfo): readonly string[] {
  return [
    ...heading('Timeouts', 9),
    `\t\tRecovery Timeout: ${request.replacementTimeoutSec}`,
    '\t\tTarget Reset Timeout: 30',
    '\t\tLUN Reset Timeout: 30',
    '\t\tAbort Timeout: 15',
  ];
}

function chapOf({ request: { user, mutual } }: SessionInfo, { showsPasswords }: ReportSurroundings): readonly string[] {
  const secretOf = (secret: string | undefined): string => (showsPasswords ? secret || NONE : '********');
  return [
    ...heading('CHAP', 5),
    `\t\tusername: ${user?.name ?? NONE}`,
    `\t\tpassword: ${secretOf(user?.secret)}`,
    `\t\tusername_in: ${mutual?.name ?? NONE}`,
    `\t\t${showsPasswords ? 'password' : 'password_in'}: ${secretOf(mutual?.secret)}`,
  ];
}

function parametersOf({ parameters }: SessionInfo): readonly string[] {
  if (parameters === undefined) return heading('Negotiated iSCSI params', 24);
  const digest = (isOn: boolean): string => (isOn ? 'CRC32C' : 'None');
  const yesNo = (isOn: boolean): string => (isOn ? 'Yes' : 'No');
  return [
    ...heading('Negotiated iSCSI params', 24),
    `\t\tHeaderDigest: ${digest(parameters.headerDigest)}`,
    `\t\tDataDigest: ${digest(parameters.dataDigest)}`,
    `\t\tMaxRecvDataSegmentLength: ${parameters.maxRecvDataSegmentLength}`,
    `\t\tMaxXmitDataSegmentLength: ${parameters.peerMaxRecvDataSegmentLength}`,
    `\t\tFirstBurstLength: ${parameters.firstBurstLength}`,
    `\t\tMaxBurstLength: ${parameters.maxBurstLength}`,
    `\t\tImmediateData: ${yesNo(parameters.immediateData)}`,
    `\t\tInitialR2T: ${yesNo(parameters.initialR2T)}`,
    `\t\tMaxOutstandingR2T: ${parameters.maxOutstandingR2T}`,
  ];
}

function devicesOf({ host, disks, deviceState }: SessionInfo): readonly string[] {
  const lines = [...heading('Attached SCSI devices', 24), `\t\tHost Number: ${host}\tState: running`];
  for (const { lun, path } of disks) {
    lines.push(`\t\tscsi${host} Channel 00 Id 0 Lun: ${lun}`);
    lines.push(`\t\t\tAttached scsi disk ${path.replace('/dev/', '')}\t\tState: ${deviceState}`);
  }
  return lines;
}
