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
    'shutdown-my-vm1': [14, 10.45, 0, 0, 0.13, 0, 0, 3.1, 0.33],
    'poweroff-my-vm2': [24, 0, 20.29, 0, 0.22, 0, 0, 3.11, 0.38],
    'poweroff-my-vm3-my-vm4': [24, 0, 20.64, 0, 0, 0, 0, 3.11, 0.24],
    'poweron-my-vm1': [14, 10.34, 0, 0, 0, 0, 0, 3.11, 0.56],
    'poweron-rest': [0, 0, 0, 0, 0, 0, 0, 0, 0],
  },
  'recovery in it, default timers': {
    'pause-my-vm5': [21.78, 0, 21.59, 0, 0.18, 0.01, 0, 0, 0],
    'resume-my-vm5': [12, 0, 12, 0, 0, 0, 0, 0, 0],
    'eth0-down-my-vm3': [2.2, 0, 2.03, 0.01, 0.17, 0, 0, 0, 0],
    'poweroff-my-vm2': [21.05, 0, 20.83, 0, 0.22, 0, 0, 0, 0],
    'poweroff-my-vm3-my-vm4': [21.64, 0, 21.64, 0, 0, 0, 0, 0, 0],
  },
  'story, fast timers': {
    'shared-files': [0, 0, 0, 0, 0, 0, 0, 0, 0],
    'pause-my-vm5': [0, 0, 0, 0, 0, 0, 0, 0, 0],
    'resume-my-vm5': [0, 0, 0, 0, 0, 0, 0, 0, 0],
    'eth0-down-my-vm3': [0, 0, 0, 0, 0, 0, 0, 0, 0],
    'shutdown-my-vm1': [4.01, 0.45, 0, 0, 0.1, 0, 0, 3.1, 0.35],
    'poweroff-my-vm2': [14, 0, 10.17, 0, 0.21, 0, 0, 3.07, 0.56],
    'poweroff-my-vm3-my-vm4': [13, 0, 9.85, 0, 0, 0, 0, 3.09, 0.05],
    'poweron-my-vm1': [4, 0.45, 0, 0, 0, 0, 0, 3.11, 0.44],
    'poweron-rest': [0, 0, 0, 0, 0, 0, 0, 0, 0],
  },
  'recovery in it, fast timers': {
    'pause-my-vm5': [11.05, 0, 10.86, 0.01, 0.17, 0.01, 0, 0, 0],
    'eth0-down-my-vm3': [5.2, 0, 5.03, 0.01, 0.17, 0, 0, 0, 0],
    'poweroff-my-vm2': [10.92, 0, 10.71, 0, 0.21, 0, 0, 0, 0],
    'poweroff-my-vm3-my-vm4': [10.85, 0, 10.85, 0, 0, 0, 0, 0, 0],
  },
  'services on five nodes, default timers': {
    '1 service': [24.86, 0, 21.59, 0, 0.25, 0, 0.01, 3, 0],
    'first of 10 services': [23.28, 0, 20.13, 0, 0.09, 0, 0.05, 3, 0],
    'median of 10': [23.3, 0, 20.13, 0, 0.09, 0, 0.07, 3, 0],
    'last of 10': [23.31, 0, 20.13, 0, 0.09, 0, 0.08, 3, 0],
    'first of 100 services': [24.99, 0, 21.68, 0, 0.09, 0, 0.22, 3, 0],
    'median of 100': [25.29, 0, 21.68, 0, 0.09, 0, 0.52, 3, 0],
    'last of 100': [25.53, 0, 21.68, 0, 0.09, 0, 0.76, 3, 0],
    'first of 1000 services': [25.82, 0, 20.24, 0.01, 0.25, 0, 2.3, 3.01, 0],
    'median of 1000': [28.76, 0, 20.24, 0.01, 0.25, 0, 5.24, 3.01, 0],
    'last of 1000': [33.03, 0, 20.24, 0.01, 0.25, 0, 9.52, 3, 0],
  },
  'services on five nodes, fast timers': {
    '1 service': [5.33, 0, 2.06, 0, 0.25, 0, 0.01, 3, 0],
    'first of 10 services': [5.36, 0, 2.14, 0.01, 0.17, 0, 0.03, 3, 0],
    'median of 10': [5.38, 0, 2.14, 0.01, 0.17, 0, 0.06, 3, 0],
    'last of 10': [5.4, 0, 2.14, 0.01, 0.17, 0, 0.08, 3, 0],
    'first of 100 services': [5.44, 0, 2.12, 0, 0.09, 0, 0.22, 3, 0],
    'median of 100': [5.73, 0, 2.12, 0, 0.09, 0, 0.51, 3, 0],
    'last of 100': [5.97, 0, 2.12, 0, 0.09, 0, 0.75, 3, 0],
    'first of 1000 services': [6.15, 0, 2.18, 0, 0.09, 0, 0.88, 3, 0],
    'median of 1000': [9.12, 0, 2.18, 0, 0.09, 0, 3.83, 3.01, 0],
    'last of 1000': [13.39, 0, 2.18, 0, 0.09, 0, 8.12, 3, 0],
  },
};
