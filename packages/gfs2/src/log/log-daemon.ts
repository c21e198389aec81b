import type { Task } from '@quorate/kernel';
import { LOG_HEAD } from '../ondisk/log-header.js';
import { waitUntil } from '../scheduler.js';
import type { Log } from './log.js';

/**
 * Commits when enough is in memory or `commit=` seconds have passed, and writes in place when the journal fills up.
 *
 * After a commit by time everything goes in place too, which in Linux is the work of the page cache's own writeback; the
 * header that follows leaves nothing to replay. Ends when the log is closed.
 *
 * Source: Linux fs/gfs2/log.c, `gfs2_logd`.
 */
export function* logDaemon(log: Log): Task {
  while (log.isLive) {
    const isPressing = log.isFlushRequired || log.isWriteBackRequired;
    const isDue = !isPressing && !(yield* waitUntil(log.daemonSignal, log.commitAt));
    const mustWriteBack = isDue || log.isWriteBackRequired;
    if (!log.isLive || !(mustWriteBack || log.isFlushRequired)) continue;
    yield* log.flush(LOG_HEAD.FLUSH_NORMAL | LOG_HEAD.LFC_LOGD_JFLUSH_REQD);
    if (!mustWriteBack) continue;
    yield* log.writeBack();
    yield* log.flush(LOG_HEAD.FLUSH_NORMAL | LOG_HEAD.LFC_LOGD_AIL_FLUSH_REQD);
  }
}
