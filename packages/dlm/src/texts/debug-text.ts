import { fromHex, SECOND } from '@quorate/kernel';
import { jhash } from '../hash.js';
import type { LockspaceView, LockView, ResourceView } from '../lockspace-view.js';
import { Mode } from '../mode.js';
import { RsbFlag } from '../resource.js';

/** A file of debugfs: `dlm/<lockspace>` and those with `_locks`, `_all`, `_toss` and `_waiters` behind it. */
export type DebugFile = 'resources' | 'locks' | 'all' | 'toss' | 'waiters';

/**
 * A lockspace as Linux shows it in debugfs.
 *
 * A hash of the name stands for the address of a resource; times of locks, which are not kept, are 0.
 *
 * Source: Linux fs/dlm/debug_fs.c.
 */
export function debugText(view: LockspaceView, file: DebugFile = 'resources'): string {
  const active = view.resources.filter(({ isActive }) => isActive);
  switch (file) {
    case 'resources':
      return active.map((resource) => resourceText(resource, view)).join('');
    case 'locks':
      return `${LOCKS_HEADER}${active.map((resource) => locksText(resource, view.nodeid)).join('')}`;
    case 'all':
      return `version rsb 1.1 lvb 1.1 lkb 1.1\n${active.map((resource) => allText(resource, view)).join('')}`;
    case 'toss':
      return `version 4 rsb 2\n${view.resources
        .filter(({ isActive }) => !isActive)
        .map((resource) => tossText(resource, view.nodeid))
        .join('')}`;
    case 'waiters':
      return view.waiters
        .map(({ lkid, waitType, nodeid, resource }) => `${lkid.toString(16)} ${waitType} ${nodeid} ${resource}\n`)
        .join('');
  }
}

// Format 1, for people: `print_format1`

function resourceText(r: ResourceView, view: LockspaceView): string {
  const lines = [
    '',
    `Resource ${addressOf(r)} Name (len=${r.name.length}) "${printable(r.name)}"`,
    masterText(r, view.nodeid),
    ...(r.lvb === undefined ? [] : [valueText(fromHex(r.lvb.bytes), (r.flags & RsbFlag.VALNOTVALID) !== 0)]),
    ...(isRecovering(view) ? [recoveryText(r)] : []),
    'Granted Queue',
    ...r.granted.map(lockText),
    'Conversion Queue',
    ...r.converting.map(lockText),
    'Waiting Queue',
    ...r.waiting.map(lockText),
    ...(r.lookup.length === 0 ? [] : ['Lookup Queue', ...r.lookup.map(lookupText)]),
  ];
  return `${lines.join('\n')}\n`;
}

function printable(name: string): string {
  return name.replace(/[^ -~]/g, '.');
}

function masterText({ master, firstLkid }: ResourceView, nodeid: number): string {
  if (master === nodeid) return 'Master Copy';
  return master === 0 ? `Looking up master (lkid ${firstLkid.toString(16)})` : `Local Copy, Master is node ${master}`;
}

/** Half of the bytes on a line of their own. */
function valueText(bytes: Uint8Array, isInvalid: boolean): string {
  const pairs = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'));
  const half = bytes.length / 2;
  const rows = [pairs.slice(0, half), pairs.slice(half)].map((row) => row.map((pair) => `${pair} `).join(''));
  return `LVB: ${rows.join('\n     ')}${isInvalid ? ' (INVALID)' : ''}`;
}

/** Between the first step of a recovery and its end all resources are on the list of its roots. */
export function isRecovering({ isRunning, recoverStatus }: LockspaceView): boolean {
  return !isRunning && recoverStatus !== 0;
}

function recoveryText(r: ResourceView): string {
  return `Recovery: root 1 recover ${+isToRecover(r)} flags ${r.flags.toString(16)} count ${r.recoverLocksCount}`;
}

/** Its master is being looked up anew, or has not all of its locks. */
export function isToRecover({ master, recoverLocksCount }: ResourceView): boolean {
  return master === 0 || recoverLocksCount > 0;
}

function lockText(lock: LockView): string {
  const { lkid, status, grmode, rqmode, nodeid, remid, waitType } = lock;
  let text = `${hex8(lkid)} ${status === 'waiting' || grmode === 'IV' ? '--' : grmode}`;
  if (status === 'convert' || status === 'waiting') text += ` (${rqmode})`;
  if (nodeid !== 0) {
    text += lock.isMasterCopy ? ` Remote: ${String(nodeid).padStart(3)} ${hex8(remid)}` : ` Master:     ${hex8(remid)}`;
  }
  return waitType === 0 ? text : `${text} wait_type: ${waitType}`;
}

function lookupText({ lkid, rqmode, waitType }: LockView): string {
  const text = `${hex8(lkid)} ${rqmode}`;
  return waitType === 0 ? text : `${text} wait_type: ${waitType}`;
}

// Format 2, a line for each lock: `print_format2`

const LOCKS_HEADER = 'id nodeid remid pid xid exflags flags sts grmode rqmode time_ms r_nodeid r_len r_name\n';

function locksText(r: ResourceView, nodeid: number): string {
  const resource = `${resNodeid(r, nodeid) >>> 0} ${r.name.length} "${r.name}"`;
  return queued(r)
    .map((lock) => {
      const { lkid, process, xid, exflags, flags, grmode, rqmode } = lock;
      const ids = `${lkid.toString(16)} ${lock.nodeid} ${lock.remid.toString(16)} ${process} ${xid}`;
      const state = `${exflags.toString(16)} ${flags.toString(16)} ${statusOf(lock)} ${Mode[grmode]} ${Mode[rqmode]}`;
      return `${ids} ${state} 0 ${resource}\n`;
    })
    .join('');
}

// Format 3, for programs: `print_format3`

function allText(r: ResourceView, view: LockspaceView): string {
  const { firstLkid, flags, recoverLocksCount, name, lvb } = r;
  const root = isRecovering(view) ? `1 ${+isToRecover(r)}` : '0 0';
  const ids = `${addressOf(r)} ${resNodeid(r, view.nodeid)} ${firstLkid.toString(16)} ${flags.toString(16)}`;
  const lines = [`rsb ${ids} ${root} ${recoverLocksCount} ${name.length} ${nameText(name)}`];
  if (lvb !== undefined) lines.push(`lvb ${lvb.seq} ${lvb.bytes.length / 2}${spaced(fromHex(lvb.bytes))}`);
  for (const lock of queued(r)) lines.push(lkbText(lock, false));
  for (const lock of r.lookup) lines.push(lkbText(lock, true));
  return lines.map((line) => `${line}\n`).join('');
}

function lkbText(lock: LockView, isInLookup: boolean): string {
  const { lkid, nodeid, remid, process, xid, exflags, flags, grmode, rqmode, lastBast, waitType, lvbseq } = lock;
  const ids = `${lkid.toString(16)} ${nodeid} ${remid.toString(16)} ${process} ${xid}`;
  const state = `${exflags.toString(16)} ${flags.toString(16)} ${statusOf(lock)} ${Mode[grmode]} ${Mode[rqmode]}`;
  return `lkb ${ids} ${state} ${lastBast} ${+isInLookup} ${waitType} ${lvbseq} 0 0`;
}

// Format 4, resources without locks: `print_format4`

function tossText(r: ResourceView, nodeid: number): string {
  const { master, dir, tossTime, flags, name } = r;
  const nodes = `${resNodeid(r, nodeid)} ${master} ${dir} ${nodeid}`;
  const seconds = Math.floor(tossTime / SECOND);
  return `rsb ${addressOf(r)} ${nodes} ${seconds} ${flags.toString(16)} ${name.length} ${nameText(name)}\n`;
}

// What they have in common

/** `res_nodeid`: 0 for a master on this node, -1 while it is unknown. */
export function resNodeid({ master }: ResourceView, nodeid: number): number {
  return master === nodeid ? 0 : master === 0 ? -1 : master;
}

/** Granted, converting, waiting. */
export function queued(r: ResourceView): readonly LockView[] {
  return [...r.granted, ...r.converting, ...r.waiting];
}

const STATUS = { none: 0, waiting: 1, granted: 2, convert: 3 } as const;

function statusOf({ status }: LockView): number {
  return STATUS[status];
}

function nameText(name: string): string {
  return /^[ -~]*$/.test(name) ? `str ${name}` : `hex${spaced(Uint8Array.from(name, (char) => char.charCodeAt(0)))}`;
}

/** A blank before each. */
export function spaced(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => ` ${byte.toString(16).padStart(2, '0')}`).join('');
}

function addressOf({ name }: ResourceView): string {
  return jhash(name).toString(16).padStart(16, '0');
}

export function hex8(value: number): string {
  return value.toString(16).padStart(8, '0');
}
