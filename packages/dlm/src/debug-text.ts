import { fromHex } from '@quorate/kernel';
import { jhash } from './hash.js';
import type { LockspaceView, LockView, ResourceView } from './lockspace-view.js';
import { RsbFlag } from './resource.js';

/**
 * The active resources of a lockspace as Linux shows them in debugfs, file `dlm/<lockspace>`: who the master is, the value
 * block, and the queues in their order.
 *
 * A hash of the name stands for the address of the resource.
 *
 * Source: Linux fs/dlm/debug_fs.c, `print_format1`.
 */
export function debugText({ resources, nodeid }: LockspaceView): string {
  return resources
    .filter(({ isActive }) => isActive)
    .map((resource) => resourceText(resource, nodeid))
    .join('');
}

function resourceText(r: ResourceView, nodeid: number): string {
  const lines = [
    '',
    `Resource ${jhash(r.name).toString(16).padStart(16, '0')} Name (len=${r.name.length}) "${printable(r.name)}"`,
    masterText(r, nodeid),
    ...(r.lvb === undefined ? [] : [valueText(fromHex(r.lvb.bytes), (r.flags & RsbFlag.VALNOTVALID) !== 0)]),
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

function lockText(lock: LockView): string {
  const { lkid, status, grmode, rqmode, nodeid, remid, waitType } = lock;
  let text = `${lkid.toString(16).padStart(8, '0')} ${status === 'waiting' || grmode === 'IV' ? '--' : grmode}`;
  if (status === 'convert' || status === 'waiting') text += ` (${rqmode})`;
  if (nodeid !== 0) {
    const remote = remid.toString(16).padStart(8, '0');
    text += lock.isMasterCopy ? ` Remote: ${String(nodeid).padStart(3)} ${remote}` : ` Master:     ${remote}`;
  }
  return waitType === 0 ? text : `${text} wait_type: ${waitType}`;
}

function lookupText({ lkid, rqmode, waitType }: LockView): string {
  const text = `${lkid.toString(16).padStart(8, '0')} ${rqmode}`;
  return waitType === 0 ? text : `${text} wait_type: ${waitType}`;
}
