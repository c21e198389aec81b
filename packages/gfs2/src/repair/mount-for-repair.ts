import type { Prng, Task, WallTime } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import type { Gfs2Input, Gfs2Output } from '../gfs2-ports.js';
import { parseMountOptions } from '../mount/mount-options.js';
import { MountPoint } from '../mount/mount-point.js';
import type { RepairDevice } from './image-fixer.js';

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
  const step = (first: Gfs2Input): void => {
    const queue = [first];
    for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
      mount.step(0, input, (output) => {
        kinds.add(output.kind);
        if (output.kind === 'write') device.write(output.block * blockSize, output.data);
        const data = output.kind === 'read' ? new Uint8Array(output.count * blockSize) : undefined;
        if (output.kind === 'read') device.read(output.block * blockSize, data!);
        if (output.kind === 'read' || output.kind === 'write' || output.kind === 'flush') {
          queue.push({ kind: 'io-done', id: output.id, ...(data && { data }) });
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
