import type { Task } from '@quorate/kernel';
import { Disk } from '../disk.js';
import { Scheduler } from '../scheduler.js';
import type { RepairDevice } from './repair-device.js';

/** A disk whose transfers are done when they are asked for. */
export class SyncDisk {
  readonly scheduler: Scheduler = new Scheduler();
  readonly disk: Disk;

  constructor(device: RepairDevice, blockSize: number) {
    this.disk = new Disk(
      blockSize,
      this.scheduler,
      (output) => {
        if (output.kind === 'write') device.write(output.block * blockSize, output.data);
        const isRead = output.kind === 'read';
        const data = isRead ? new Uint8Array(output.count * blockSize) : undefined;
        if (isRead) device.read(output.block * blockSize, data!);
        this.disk.complete({ kind: 'io-done', id: output.id, ...(data && { data }) });
      },
      undefined,
    );
  }

  /** Runs a task that waits for nothing else. */
  run<T>(task: Task<T>): T {
    for (;;) {
      const { done, value } = task.next();
      if (done) return value;
    }
  }
}
