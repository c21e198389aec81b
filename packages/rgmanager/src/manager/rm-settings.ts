import type { LogPriority } from '@quorate/kernel';
import { atoi } from '../conf/atoi.js';
import { type ConfElement, descend } from '../conf/conf-element.js';

/** Settings of `<rm>` and of totem that rgmanager itself goes by. */
export interface RmSettings {
  /** `rm/@disabled`: refuse to start. */
  readonly isDisabled: boolean;
  /** `rm/@central_processing`: one node decides for all, by event scripts. */
  readonly isCentral: boolean;
  /** How long the event thread waits for a further event; three times that is the pause at exit. */
  readonly transitionThrottlingSec: number;
  /** How often services that run here are looked at. */
  readonly statusPollSec: number;
  /** Status checks that may run at once; Infinity unless set. */
  readonly statusChildMax: number;
  /** Queries by clustat that may be under way at once. */
  readonly statusMax: number;
  /** How long votes and connections are waited for: the token timeout in whole seconds. */
  readonly clusterTimeoutSec: number;
}

const DEFAULT_STATUS_POLL_SEC = 10;
const DEFAULT_STATUS_MAX = 5;
const LEAST_STATUS_MAX = 3;

/** Source: rgmanager src/daemons/main.c, `configure_rgmanager`. */
export function readRmSettings(cluster: ConfElement, log: (priority: LogPriority, text: string) => void): RmSettings {
  const rm = descend(cluster, 'rm')?.attributes;
  const token = atoi(descend(cluster, 'totem')?.attributes.get('token') ?? '');
  return {
    isDisabled: atoi(rm?.get('disabled') ?? '') === 1,
    isCentral: isCentral(rm?.get('central_processing'), log),
    transitionThrottlingSec: Math.max(1, atoi(rm?.get('transition_throttling') ?? '5')),
    statusPollSec: statusPoll(rm?.get('status_poll_interval'), log),
    statusChildMax: statusChildMax(rm?.get('status_child_max'), log),
    statusMax: Math.max(LEAST_STATUS_MAX, atoi(rm?.get('statusmax') ?? String(DEFAULT_STATUS_MAX))),
    clusterTimeoutSec: token >= 1000 ? Math.ceil(token / 1000) : 10,
  };
}

function isCentral(text: string | undefined, log: (priority: LogPriority, text: string) => void): boolean {
  if (atoi(text ?? '') === 0) return false;
  log('notice', 'Centralized Event Processing enabled');
  return true;
}

function statusPoll(text: string | undefined, log: (priority: LogPriority, text: string) => void): number {
  if (text === undefined) return DEFAULT_STATUS_POLL_SEC;
  if (atoi(text) >= 1) {
    log('notice', `Status Polling Interval set to ${atoi(text)}`);
    return atoi(text);
  }
  log('warning', `Ignoring illegal status_poll_interval of ${text}`);
  return DEFAULT_STATUS_POLL_SEC;
}

function statusChildMax(text: string | undefined, log: (priority: LogPriority, text: string) => void): number {
  if (text === undefined) return Infinity;
  if (atoi(text) >= 1) {
    log('notice', `Status Child Max set to ${atoi(text)}`);
    return atoi(text);
  }
  log('warning', `Ignoring illegal status_child_max of ${text}`);
  return Infinity;
}
