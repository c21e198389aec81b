import type { Prng, Task, WallTime } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import type { Gfs2Input, Gfs2Output } from '../gfs2-ports.js';
import { parseMountOptions } from '../mount/mount-options.js';
import { MountPoint } from '../mount/mount-point.js';
import type { RepairDevice } from './repair-device.js';

/** What a repair needs of the world. */
export interface RepairWorld {
  /** Time of what it makes. */
  readonly wall: WallTime;
  readonly prng: Prng;
}

/** Mounts the file system for what needs blocks, runs that, and unmounts. False when it could not be mounted, or withdrew. */
export function mountForRepair(
  device: RepairDevice,
  blockSize: number,
  { wall, prng }: RepairWorld,
  work: (fs: FileSystem) => Task,
): boolean {
  const config = { blockSize, protocol: 'lock_nolock', era: 'modern', prng, observe: undefined } as const;
  const options = parseMountOptions('lockproto=lock_nolock');
  const mount = new MountPoint({ ...config, maxBuffers: 4096, maxUnusedGlocks: 1000 }, options);
  const kinds = new Set<Gfs2Output['kind']>();
  /** A damaged pointer may lead behind the end of the device. */
  const read = (block: number, count: number): { data: Uint8Array } | { error: string } => {
    if ((block + count) * blockSize > device.sizeBytes) return { error: 'EIO' };
    const data = new Uint8Array(count * blockSize);
    device.read(block * blockSize, data);
    return { data };
  };
  const step = (first: Gfs2Input): void => {
    const queue = [first];
    for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
      mount.step(0, input, (output) => {
        kinds.add(output.kind);
        switch (output.kind) {
          case 'read':
            queue.push({ kind: 'io-done', id: output.id, ...read(output.block, output.count) });
            break;
          case 'write':
            device.write(output.block * blockSize, output.data);
            queue.push({ kind: 'io-done', id: output.id });
            break;
          case 'flush':
            queue.push({ kind: 'io-done', id: output.id });
            break;
        }
      });
    }
  };
  step({ kind: 'mount', jid: 0, isFirst: true, options: '', wall });
  if (!kinds.has('mounted')) return false;
  mount.core.scheduler.start(work(mount));
  step({ kind: 'wake' });
  step({ kind: 'unmount', isLast: true });
  return !kinds.has('withdrawn');
}
