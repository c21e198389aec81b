import type { Task } from '@quorate/kernel';
import type { Disk } from '../disk.js';
import type { LogHeader, LogHeaderCodec } from '../ondisk/log-header.js';
import type { JournalMap } from './journal-map.js';

/** Blocks read at a time when the block that was wanted is no header. */
const SCAN_BLOCKS = 16;

/**
 * Finds the newest header of a journal: the last one of the run of rising sequences that starts at its beginning.
 * Undefined when the journal has no valid header at all.
 *
 * Searches by halves, as the kernel of RHEL 6 did; newer ones read the whole journal and come to the same header, because
 * what lies behind the run is older than all of it.
 *
 * Source: Linux 2.6.32 fs/gfs2/recovery.c, `gfs2_find_jhead`.
 *
 * @throws {Refusal} EIO
 */
export function* findLogHead(disk: Disk, map: JournalMap, codec: LogHeaderCodec): Task<LogHeader | undefined> {
  let head: LogHeader | undefined = yield* findGoodHeader(disk, map, 0, map.blocks, codec);
  if (head === undefined) return undefined;
  let end = map.blocks;
  while (end - head.blkno > 1) {
    const middle: number = (head.blkno + end) >>> 1;
    const found: LogHeader | undefined = yield* findGoodHeader(disk, map, middle, end, codec);
    if (found !== undefined && found.sequence >= head.sequence) head = found;
    else end = middle;
  }
  return head;
}

/** The first valid header in [from, end) (`find_good_lh`). */
function* findGoodHeader(
  disk: Disk,
  map: JournalMap,
  from: number,
  end: number,
  codec: LogHeaderCodec,
): Task<LogHeader | undefined> {
  for (let blkno = from, count = 1; blkno < end; ) {
    const run = map.runAt(blkno, Math.min(count, end - blkno));
    const bytes = yield* disk.readBlocks(map.addressOf(blkno), run);
    for (let i = 0; i < run; i++) {
      const header = codec.decode(bytes.subarray(i * disk.blockSize, (i + 1) * disk.blockSize));
      if (header !== undefined && header.blkno === blkno + i) return header;
    }
    blkno += run;
    count = SCAN_BLOCKS;
  }
  return undefined;
}
