import { fromHex } from '@quorate/kernel';
import type { LockspaceView, LockView, ResourceView } from '../lockspace-view.js';
import { hex8, isRecovering, isToRecover, queued, resNodeid, spaced } from './debug-text.js';

export interface LockdebugOptions {
  /** `-v`: flags, modes of blocking ASTs and processes. */
  readonly isVerbose?: boolean;
  /** `-w`: value blocks and what is verbose on one line. */
  readonly isWide?: boolean;
  /** `-s`: numbers of all at the end. */
  readonly isSummarized?: boolean;
}

/**
 * What `dlm_tool lockdebug` prints of a lockspace.
 *
 * Source: dlm dlm_tool/main.c, `do_lockdebug`; flags of a resource are hexadecimal, which the original reads as if they were not.
 */
export function lockdebugText(view: LockspaceView, options: LockdebugOptions = {}): string {
  const active = view.resources.filter(({ isActive }) => isActive);
  const inactive = view.resources.filter(({ isActive }) => !isActive);
  const parts = [
    active.map((r) => `\n${activeText(r, view, options)}`).join(''),
    '\n',
    inactive.map((r) => `${inactiveText(r, view.nodeid)}\n\n`).join(''),
    expectedText(view),
    options.isSummarized ? `\n${summaryText(active, inactive, view)}` : '',
  ];
  return parts.join('');
}

function activeText(r: ResourceView, view: LockspaceView, options: LockdebugOptions): string {
  const { firstLkid, recoverLocksCount, flags, lvb, name } = r;
  const root = +isRecovering(view);
  const recover = +(root === 1 && isToRecover(r));
  const isPlain = flags === 0 && firstLkid === 0 && root + recover + recoverLocksCount === 0;
  const extra = isPlain
    ? ''
    : `flags ${hex8(flags)} first_lkid ${firstLkid.toString(16)} root ${root} recover ${recover} locks ${recoverLocksCount}`;
  const nodeid = resNodeid(r, view.nodeid);
  const master = nodeid === 0 ? 'Master' : nodeid < 0 ? 'Lookup' : `Master:${nodeid}`;
  const lines = [resourceLine(name), `${master.padEnd(16)} ${extra}`];
  if (lvb !== undefined) lines.push(`LVB len ${lvb.bytes.length / 2} seq ${lvb.seq}`, valueText(lvb.bytes, options));
  const queues = [
    ['Granted', r.granted],
    ['Convert', r.converting],
    ['Waiting', r.waiting],
    ['Lookup', r.lookup],
  ] as const;
  for (const [title, locks] of queues) {
    if (locks.length > 0)
      lines.push(title, ...locks.flatMap((lock) => lockLines(lock, title === 'Lookup', nodeid, options)));
  }
  if (queued(r).length + r.lookup.length === 0) lines.push('no locks');
  return lines.map((line) => `${line}\n`).join('');
}

function resourceLine(name: string): string {
  const length = String(name.length).padStart(2);
  if (/^[ -~]*$/.test(name)) return `Resource len ${length}  "${name}"`;
  return `Resource len ${length} hex ${spaced(Uint8Array.from(name, (char) => char.charCodeAt(0))).slice(1)}`;
}

/** Sixteen bytes on a line, unless it may be wide. */
function valueText(bytes: string, { isWide }: LockdebugOptions): string {
  const pairs = spaced(fromHex(bytes)).slice(1);
  return isWide ? pairs : pairs.replace(/((?:.. ){16})/g, '$1\n').trimEnd();
}

function lockLines(
  lock: LockView,
  isInLookup: boolean,
  resource: number,
  options: LockdebugOptions,
): readonly string[] {
  const { lkid, status, grmode, rqmode, nodeid, remid, waitType } = lock;
  const granted =
    status === 'granted' || status === 'convert' ? grmode : status === 'waiting' || isInLookup ? '--' : 'XX';
  const requested = status === 'granted' ? '    ' : status === 'none' && !isInLookup ? '(XX)' : `(${rqmode})`;
  const other = nodeid === resource ? 'Master' : 'Remote';
  const remote = nodeid === 0 ? ' '.repeat(20) : `${other}: ${String(nodeid).padStart(3)} ${hex8(remid)}`;
  const wait = waitType === 0 ? ' '.repeat(8) : ` wait ${String(waitType).padStart(2, '0')}`;
  const line = `${hex8(lkid)} ${granted} ${requested} ${remote} ${wait} `;
  if (!options.isVerbose) return [line];
  const flags = `flags ${hex8(lock.exflags)} ${hex8(lock.flags)} bast ${lock.lastBast} 0`;
  const verbose = `time ${'0'.repeat(16)} ${flags} pid ${lock.process}`;
  return options.isWide ? [`${line}${verbose}`] : [line, verbose];
}

function inactiveText({ name, master, dir }: ResourceView, nodeid: number): string {
  const masterText = master === nodeid ? 'Master' : `Master:${master}`;
  return `${resourceLine(name)}\n${masterText}${dir === nodeid ? ' Dir' : ` Dir:${dir}`}`;
}

/** By the type of the message that is awaited. */
const MESSAGES = ['', 'request', 'convert', 'unlock ', 'cancel ', 'r_reply', 'c_reply', 'u_reply', 'c_reply'];
const LATER_MESSAGES = ['grant  ', 'bast   ', 'lookup ', 'remove ', 'l_reply', 'purge  '];

function messageText(type: number): string {
  return [...MESSAGES, ...LATER_MESSAGES][type] || 'unknown';
}

function expectedText({ waiters }: LockspaceView): string {
  if (waiters.length === 0) return '';
  const lines = waiters.map(({ nodeid, waitType, lkid, resource }) => {
    return `nodeid ${String(nodeid).padStart(2)} msg ${messageText(waitType)} lkid ${hex8(lkid)} resource "${resource}"\n`;
  });
  return `\nExpecting reply\n${lines.join('')}`;
}

function summaryText(active: readonly ResourceView[], inactive: readonly ResourceView[], view: LockspaceView): string {
  const locks = active.flatMap((r) => [...queued(r), ...r.lookup]);
  const ofMaster = (isKind: (nodeid: number) => boolean): readonly ResourceView[] =>
    active.filter((r) => isKind(resNodeid(r, view.nodeid)));
  const mastered = ofMaster((nodeid) => nodeid === 0);
  const masterLocks = mastered.flatMap((r) => [...queued(r), ...r.lookup]);
  const resources: readonly [string, number][] = [
    ['active', active.length],
    ['master', mastered.length],
    ['remote master', ofMaster((nodeid) => nodeid > 0).length],
    ['lookup master', ofMaster((nodeid) => nodeid < 0).length],
    ['with lvb', active.filter(({ lvb }) => lvb !== undefined).length],
    ['with no locks', active.filter((r) => queued(r).length + r.lookup.length === 0).length],
    ['nodeid error', 0],
    ['inactive', inactive.length],
  ];
  const counted: readonly [string, number][] = [
    ['total', locks.length],
    ['granted', locks.filter(({ status }) => status === 'granted').length],
    ['convert', locks.filter(({ status }) => status === 'convert').length],
    ['waiting', locks.filter(({ status }) => status === 'waiting').length],
    ['local copy', masterLocks.filter(({ nodeid }) => nodeid === 0).length],
    ['master copy', masterLocks.filter(({ nodeid }) => nodeid !== 0).length],
    ['process copy', locks.length - masterLocks.length],
    ['rsb lookup', active.reduce((sum, { lookup }) => sum + lookup.length, 0)],
    ['wait message', locks.filter(({ waitType }) => waitType !== 0).length],
    ['expect reply', view.waiters.length],
  ];
  const linesOf = (rows: readonly [string, number][]): string =>
    rows.map(([name, value]) => `  ${name.padEnd(14)}${value}\n`).join('');
  return `rsb\n${linesOf(resources)}\nlkb\n${linesOf(counted)}`;
}

/**
 * What `dlm_tool lockdump` prints: a line for each lock; with `-M` also those of other nodes that are mastered here.
 *
 * Source: dlm dlm_tool/main.c, `do_lockdump`.
 */
export function lockdumpText(view: LockspaceView, withMasterCopies = false): string {
  const lines = view.resources.flatMap((r) =>
    queued(r).map((lock) => {
      const { lkid, grmode, rqmode, nodeid, process, status } = lock;
      const isMasterCopy = r.master === view.nodeid && nodeid !== 0;
      if (isMasterCopy && !withMasterCopies) return '';
      const wanted = status === 'granted' && !isMasterCopy ? 'IV' : rqmode;
      const where = `${isMasterCopy ? 'MSTCPY' : 'master'} ${nodeid} "${r.name}"`;
      return `id ${hex8(lkid)} gr ${grmode} rq ${wanted} pid ${process} ${where}\n`;
    }),
  );
  return lines.join('');
}
