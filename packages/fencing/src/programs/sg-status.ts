import { type Errno, isErrno, type ScsiReply } from '@quorate/kernel';
import { SenseKey, Status, senseOf } from '@quorate/scsi';

const FILE_ERROR = 15;
const RESERVATION_CONFLICT = 24;
const INVALID_OPCODE = 9;
const OTHER = 98;
export const UNIT_ATTENTION: number = SenseKey.unitAttention;

/**
 * Exit status that the sg3_utils have for the end of a command: 0 good, 24 reservation conflict, 6 unit attention, 5
 * illegal request, 15 no path to the disk, 98 for all else.
 *
 * Source: sg3_utils, "Exit status".
 */
export function sgStatus(reply: ScsiReply | Errno): number {
  if (isErrno(reply) || reply.status < 0) return FILE_ERROR;
  if (reply.status === Status.good) return 0;
  if (reply.status === Status.reservationConflict) return RESERVATION_CONFLICT;
  const sense = reply.status === Status.checkCondition ? senseOf(reply.sense) : undefined;
  switch (sense?.key) {
    case SenseKey.illegalRequest:
      return sense.asc === 0x20 ? INVALID_OPCODE : SenseKey.illegalRequest;
    case SenseKey.notReady:
    case SenseKey.mediumError:
    case SenseKey.unitAttention:
    case SenseKey.abortedCommand:
      return sense.key;
    default:
      return OTHER;
  }
}
