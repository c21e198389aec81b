import { viewOf } from '@quorate/kernel';
import type { Reply } from './commands/command.js';
import { inquiryOfMissingUnit } from './commands/inquiry.js';
import { checkReportLuns, reportedLuns } from './commands/report-luns.js';
import { requestedSense } from './commands/request-sense.js';
import { Opcode } from './opcode.js';
import { LOGICAL_UNIT_NOT_SUPPORTED } from './sense.js';

/**
 * What a command to a logical unit that does not exist gets: INQUIRY says so with GOOD, REPORT LUNS works, REQUEST SENSE
 * gives 5/25/00 as data, everything else ends with it.
 */
export function answerForMissingUnit(cdb: Uint8Array, luns: readonly number[], reply: Reply): void {
  switch (cdb[0]) {
    case Opcode.inquiry:
      return reply.give(inquiryOfMissingUnit(cdb), viewOf(cdb).getUint16(3));
    case Opcode.requestSense:
      return reply.give(requestedSense(cdb, LOGICAL_UNIT_NOT_SUPPORTED), cdb[4]!);
    case Opcode.reportLuns: {
      const sense = checkReportLuns(cdb);
      return sense === undefined ? reply.give(reportedLuns(cdb, luns), viewOf(cdb).getUint32(6)) : reply.check(sense);
    }
    default:
      return reply.check(LOGICAL_UNIT_NOT_SUPPORTED);
  }
}
