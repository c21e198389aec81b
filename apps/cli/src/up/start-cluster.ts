import type { DriverOptions } from '../options.js';
import type { RunOptions } from '../run-options.js';
import type { RunningCluster } from './running-cluster.js';
import { SimulatedCluster } from './simulated-cluster.js';
import { WorkedCluster, type WorkersOptions } from './worked-cluster.js';

/** Gives machines power on the driver that was asked for. */
export function startCluster(
  driver: DriverOptions['driver'],
  run: RunOptions,
  workers: WorkersOptions,
): RunningCluster {
  return driver === 'simulator' ? new SimulatedCluster(run) : new WorkedCluster({ ...run, ...workers });
}
