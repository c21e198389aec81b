import { type Errno, getU64, isErrno, type ScsiReply, viewOf } from '@quorate/kernel';

export const TEST_UNIT_READY: Uint8Array = new Uint8Array(6);

export type ReserveOutAction = 'reserve' | 'preempt-and-abort' | 'register-ignore';

const SERVICE_ACTION: Readonly<Record<ReserveOutAction, number>> = {
  reserve: 1,
  'preempt-and-abort': 5,
  'register-ignore': 6,
};

/** Write Exclusive, Registrants Only. */
const TYPE = 5;

export function persistentReserveOut(
  action: ReserveOutAction,
  key: bigint,
  serviceActionKey: bigint,
  hasAptpl: boolean,
): { readonly cdb: Uint8Array; readonly data: Uint8Array } {
  const cdb = new Uint8Array(10);
  cdb[0] = 0x5f;
  cdb[1] = SERVICE_ACTION[action];
  cdb[2] = action === 'register-ignore' ? 0 : TYPE;
  cdb[8] = 24;
  const data = new Uint8Array(24);
  const view = viewOf(data);
  view.setBigUint64(0, key);
  view.setBigUint64(8, serviceActionKey);
  data[20] = hasAptpl ? 1 : 0;
  return { cdb, data };
}

const ALLOCATION_LENGTH = 8192;

export function persistentReserveIn(action: 'read-keys' | 'read-reservation'): Uint8Array {
  const cdb = new Uint8Array(10);
  cdb[0] = 0x5e;
  cdb[1] = action === 'read-keys' ? 0 : 1;
  viewOf(cdb).setUint16(7, ALLOCATION_LENGTH);
  return cdb;
}

export function readKeysOf(data: Uint8Array): readonly bigint[] {
  const view = viewOf(data);
  const keys: bigint[] = [];
  const end = data.length < 8 ? 0 : Math.min(data.length, 8 + view.getUint32(4));
  for (let at = 8; at + 8 <= end; at += 8) keys.push(view.getBigUint64(at));
  return keys;
}

export function reservationKeyOf(data: Uint8Array): bigint | undefined {
  if (data.length < 24 || getU64(viewOf(data), 0) % 0x1_0000_0000 < 16) return undefined;
  return viewOf(data).getBigUint64(8);
}

/** Exit status that the sg3_utils have for the end of a command: 0 good, 24 reservation conflict, 6 unit attention, … */
export function sgStatus(reply: ScsiReply | Errno): number {
  if (isErrno(reply) || reply.status < 0) return 15;
  if (reply.status === 0) return 0;
  if (reply.status === 0x18) return 24;
  if (reply.status !== 2) return 98;
  const { sense } = reply;
  const isDescriptor = (sense[0]! & 0x7f) >= 0x72;
  const key = sense[isDescriptor ? 1 : 2]! & 0x0f;
  const asc = sense[isDescriptor ? 2 : 12];
  if (key === 5) return asc === 0x20 ? 9 : 5;
  return key === 2 || key === 3 || key === 6 || key === 11 ? key : 98;
}
