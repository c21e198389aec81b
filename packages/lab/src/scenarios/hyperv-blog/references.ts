import type { Reference, StepId } from './story.js';

/**
 * What the walk-through measured with a stopwatch, and what the defaults of RHEL 6 give.
 *
 * Token 10 s, consensus token + 2 s, hold 1.89 s; the ip agent sleeps 10 s after it removed an address, and pings an
 * address for 2 s before it takes it.
 */
export const REFERENCES: Partial<Record<StepId, Reference>> = {
  'pause-my-vm5': {
    walkThrough: 'fenced "in a few seconds"',
    arithmetic: 'token 10 s - age of the last token 0..1.9 s + consensus 12 s = 20.1..22 s before anything can happen',
  },
  'resume-my-vm5': {
    walkThrough: 'reboots by itself',
    arithmetic: 'it reads EVICT in its own block in the first cycle of qdiskd: within 1 s',
  },
  'eth0-down-my-vm3': {
    walkThrough: 'rebooted, then fenced',
    arithmetic:
      'the heuristic fails at once, 10 times, every 2 s = 20 s, and a cycle of 1 s; the ring is lost after 20.1..22 s',
  },
  'shutdown-my-vm1': {
    walkThrough: '~15 s',
    arithmetic: 'httpd 1..2 s + ip stop 10 s + ip start 3 s (2 s duplicate check, 1 s ARP) + httpd < 1 s = 14..16 s',
  },
  'poweroff-my-vm2': {
    walkThrough: 'a transient black-out',
    arithmetic: 'ring 20.1..22 s + fence_scsi < 1 s + dlm poll 0..1 s + ip start 3 s + httpd < 1 s = 23.5..29 s',
  },
  'poweroff-my-vm3-my-vm4': {
    walkThrough: '~20 s',
    arithmetic:
      'as for one node: two that die together cost one token and one consensus; 20 s is the part of the timers',
  },
  'poweron-my-vm1': {
    walkThrough: 'moved back',
    arithmetic: 'stop on my-vm5 11..12 s + start on my-vm1 3..4 s = 14..16 s',
  },
};
