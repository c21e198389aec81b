import { fork, join, type Nanos, type Program, SECOND, type TaskId } from '@quorate/kernel';
import type { Disks } from '../os/disks.js';

/** The timeout of a SCSI command in Linux. */
const ANSWER: Nanos = 30 * SECOND;

/**
 * `/sbin/start_udev`, which rc.sysinit runs before any service: the partitions of all disks become devices.
 *
 * A disk that does not answer in time has none until somebody types `partprobe`.
 *
 * Differs from Linux, whose kernel reads the tables itself as it finds the disks, and udev waits for that.
 */
export function startUdev(disks: Disks): Program {
  return function* (_argv, os) {
    const scans: TaskId[] = [];
    for (const { path } of disks.wholeDisks) {
      scans.push(yield* fork(os.run(['partprobe', path], { timeout: ANSWER })));
    }
    for (const scan of scans) yield* join(scan);
    return 0;
  };
}
