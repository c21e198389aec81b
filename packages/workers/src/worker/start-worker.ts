import { expose } from 'comlink';
import { type Boot, type OpenedStores, type OpenStores, portsOf, type Registry } from '../boot.js';
import type { Pacer } from '../time/pacer.js';
import { type Grant, SliceClock } from '../time/slice-clock.js';
import { THREAD_WALL, type Wall } from '../time/wall.js';
import { DiskWorker } from './disk-worker.js';
import { MachineWorker } from './machine-worker.js';
import { Reporter } from './reporter.js';
import { SwitchWorker } from './switch-worker.js';
import type { WorkerContext } from './worker-context.js';

/** What a role makes of a worker: its machines under a pacer, and what the hub can ask of it. */
interface RoleWorker {
  readonly pacer: Pacer;
  readonly control: object;
}

/** What a worker's surroundings give it. */
export interface Surroundings {
  readonly wall?: Wall;
  readonly openStores?: OpenStores | undefined;
}

const IN_MEMORY: OpenedStores = { stores: new Map(), close: () => {} };

/** Starts what the boot message says, and gives back how to stop it; a thread is simply terminated. */
export function startWorker(boot: Boot, registry: Registry, surroundings: Surroundings = {}): () => void {
  const reporter = new Reporter(boot);
  let isStopped = false;
  const stop = (): void => {
    isStopped = true;
    for (const port of portsOf(boot)) port.close();
  };
  const guard = (work: () => void): void => {
    if (isStopped) return;
    try {
      work();
    } catch (error) {
      isStopped = true;
      reporter.failed(error);
    }
  };
  guard(() => {
    const worker = newRoleWorker(boot, contextOf(boot, registry, surroundings, reporter, guard));
    boot.clock.onmessage = ({ data }: MessageEvent<Grant>) => guard(() => worker.pacer.grant(data));
    expose(worker.control, boot.control);
    reporter.ready();
  });
  return stop;
}

function contextOf(
  boot: Boot,
  registry: Registry,
  { wall = THREAD_WALL, openStores }: Surroundings,
  reporter: Reporter,
  guard: WorkerContext['guard'],
): WorkerContext {
  const { topologyName, topologyOptions, storeOptions, seed, speed, sliceNanos } = boot;
  const build = Object.hasOwn(registry, topologyName) ? registry[topologyName] : undefined;
  if (build === undefined) {
    throw new RangeError(`no topology ${topologyName}: this worker serves ${Object.keys(registry).join(', ')}`);
  }
  if (storeOptions !== undefined && openStores === undefined) throw new RangeError('this worker opens no stores');
  return {
    topology: build(topologyOptions),
    openStores: (disks) => (storeOptions === undefined ? IN_MEMORY : openStores!(storeOptions, disks)),
    seed,
    reporter,
    guard,
    pacing: {
      clock: new SliceClock(speed),
      wall: { nowMs: () => wall.nowMs(), after: (delayMs, then) => wall.after(delayMs, () => guard(then)) },
      sliceNanos,
    },
  };
}

function newRoleWorker({ role }: Boot, context: WorkerContext): RoleWorker {
  switch (role.kind) {
    case 'machine':
      return new MachineWorker(role, context);
    case 'switch':
      return new SwitchWorker(role, context);
    case 'disks':
      return new DiskWorker(role, context);
  }
}
