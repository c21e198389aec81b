import type { ScsiReply, Task } from '@quorate/kernel';
import {
  type Capacity,
  decodeCapacity10,
  decodeInquiry,
  decodeLuns,
  type InquiryData,
  inquiry,
  readCapacity10,
  reportLuns,
  Status,
  testUnitReady,
} from '@quorate/scsi';
import type { SystemCall } from '../system-call.js';

/** A disk that a scan has found. */
export interface FoundDisk {
  readonly lun: number;
  readonly inquiry: InquiryData;
  readonly capacity: Capacity;
}

const NOTHING = new Uint8Array(0);
/** Peripheral device type of a disk, with a qualifier that says that it is there. */
const DIRECT_ACCESS = 0;
/** As the Linux disk driver: so often is a disk asked whether it is ready while it has unit attentions. */
const READY_TRIES = 3;

/**
 * Asks a target which logical units it has, and which of them are disks. What does not answer is not there.
 *
 * Source: Linux drivers/scsi/scsi_scan.c and sd.c, `sd_revalidate_disk`.
 */
export function* scanHost(host: number): Task<readonly FoundDisk[]> {
  const luns = yield* ask(host, 0, reportLuns(), decodeLuns);
  const found: FoundDisk[] = [];
  for (const lun of luns ?? []) {
    const disk = yield* probe(host, lun);
    if (disk !== undefined) found.push(disk);
  }
  return found;
}

function* probe(host: number, lun: number): Task<FoundDisk | undefined> {
  const data = yield* ask(host, lun, inquiry(undefined, 36), decodeInquiry);
  if (data === undefined || data.type !== DIRECT_ACCESS || data.qualifier !== 0) return undefined;
  for (let i = 0; i < READY_TRIES; i++) {
    const { status } = yield* command(host, lun, testUnitReady());
    if (status === Status.good) break;
  }
  const capacity = yield* ask(host, lun, readCapacity10(), decodeCapacity10);
  return capacity && { lun, inquiry: data, capacity };
}

function* ask<Answer>(
  host: number,
  lun: number,
  cdb: Uint8Array,
  decode: (data: Uint8Array) => Answer | undefined,
): Task<Answer | undefined> {
  const { status, data } = yield* command(host, lun, cdb);
  return status === Status.good ? decode(data) : undefined;
}

function* command(host: number, lun: number, cdb: Uint8Array): Task<ScsiReply> {
  const call: SystemCall = { call: 'scsi-unit', disk: { host, lun }, cdb, data: NOTHING };
  return (yield call) as ScsiReply;
}
