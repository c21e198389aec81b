import type { Expected } from './table.js';

/**
 * What `npm run bench -- failover` printed when its figures were last looked at: in seconds, the outage and its phases in the order of
 * `Outage`. `--record` prints it anew.
 */
export const EXPECTED: Readonly<Record<string, Expected>> = {
  'story, default timers': {
    'shared-files': [0, 0, 0, 0, 0, 0, 0, 0, 0],
    'pause-my-vm5': [0, 0, 0, 0, 0, 0, 0, 0, 0],
    'resume-my-vm5': [0, 0, 0, 0, 0, 0, 0, 0, 0],
    'eth0-down-my-vm3': [0, 0, 0, 0, 0, 0, 0, 0, 0],
    'shutdown-my-vm1': [14, 10.45, 0, 0, 0.13, 0, 0, 3.11, 0.33],
    'poweroff-my-vm2': [24, 0, 20.3, 0, 0.13, 0, 0, 3.1, 0.47],
    'poweroff-my-vm3-my-vm4': [24, 0, 20.56, 0, 0, 0, 0, 3.11, 0.33],
    'poweron-my-vm1': [14, 10.34, 0, 0, 0, 0, 0, 3.11, 0.56],
    'poweron-rest': [0, 0, 0, 0, 0, 0, 0, 0, 0],
  },
  'recovery in it, default timers': {
    'pause-my-vm5': [21.74, 0, 21.57, 0, 0.15, 0.01, 0, 0, 0],
    'eth0-down-my-vm3': [2.21, 0, 2.03, 0, 0.18, 0, 0, 0, 0],
    'poweroff-my-vm2': [20.97, 0, 20.84, 0, 0.13, 0, 0, 0, 0],
    'poweroff-my-vm3-my-vm4': [21.56, 0, 21.55, 0, 0, 0, 0, 0, 0],
  },
  'story, fast timers': {
    'shared-files': [0, 0, 0, 0, 0, 0, 0, 0, 0],
    'pause-my-vm5': [0, 0, 0, 0, 0, 0, 0, 0, 0],
    'resume-my-vm5': [0, 0, 0, 0, 0, 0, 0, 0, 0],
    'eth0-down-my-vm3': [0, 0, 0, 0, 0, 0, 0, 0, 0],
    'shutdown-my-vm1': [4, 0.45, 0, 0, 0.13, 0, 0, 3.1, 0.33],
    'poweroff-my-vm2': [14, 0, 10.15, 0, 0.15, 0, 0, 3.09, 0.61],
    'poweroff-my-vm3-my-vm4': [13, 0, 9.81, 0, 0, 0, 0, 3.11, 0.08],
    'poweron-my-vm1': [4, 0.33, 0, 0, 0, 0, 0, 3.11, 0.57],
    'poweron-rest': [0, 0, 0, 0, 0, 0, 0, 0, 0],
  },
  'recovery in it, fast timers': {
    'pause-my-vm5': [11.05, 0, 10.87, 0.01, 0.17, 0.01, 0, 0, 0],
    'eth0-down-my-vm3': [5.22, 0, 5.03, 0.01, 0.18, 0, 0, 0, 0],
    'poweroff-my-vm2': [10.84, 0, 10.68, 0, 0.15, 0, 0, 0, 0],
    'poweroff-my-vm3-my-vm4': [10.8, 0, 10.8, 0, 0, 0, 0, 0, 0],
  },
};
