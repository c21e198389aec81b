import { Request } from './request.js';
import { ServiceFlag, type ServiceRecord, ServiceState } from './service-record.js';

/** Where the service's owner is, seen from the node that asks. */
export type OwnerPlace = 'none' | 'here' | 'elsewhere' | 'down';

export function ownerPlace(owner: number, here: number, isOnline: (node: number) => boolean): OwnerPlace {
  if (owner === 0) return 'none';
  if (owner === here) return 'here';
  return isOnline(owner) ? 'elsewhere' : 'down';
}

export type StopAdvice =
  | 'stop'
  /** Nothing to do, and no failure. */
  | 'ignore'
  /** For the owner to do. */
  | 'forward'
  /** The owner is gone: mark it stopped and touch nothing. */
  | 'mark-stopped'
  | 'frozen'
  | 'refuse';

/**
 * Whether this node stops the service.
 *
 * A service whose owner is down is marked stopped even when it should be disabled.
 *
 * Source: rgmanager src/daemons/rg_state.c, `svc_advise_stop`.
 */
export function adviseStop(record: ServiceRecord, request: number, place: OwnerPlace): StopAdvice {
  if ((record.flags & ServiceFlag.FROZEN) !== 0) return 'frozen';
  const isDisable = request === Request.DISABLE;
  switch (record.state) {
    case ServiceState.FAILED:
    case ServiceState.ERROR:
      return isDisable ? 'stop' : 'refuse';
    case ServiceState.STOPPING:
    case ServiceState.STARTED:
    case ServiceState.CHECK:
    case ServiceState.STARTING:
    case ServiceState.RECOVER:
    case ServiceState.MIGRATE:
      if (place === 'elsewhere') return request === Request.STOP ? 'ignore' : 'forward';
      return place === 'down' ? 'mark-stopped' : 'stop';
    case ServiceState.STOPPED:
    case ServiceState.DISABLED:
    case ServiceState.UNINITIALIZED:
      return isDisable ? 'stop' : 'ignore';
    default:
      return 'refuse';
  }
}

/** Why a start is advised: what the log says of it. */
export type StartReason = 'stopped' | 'disabled' | 'take-over' | 'recover' | 'disabled-recover';

export type StartAdvice =
  | { readonly kind: 'start'; readonly reason: StartReason }
  /** Somebody will recover it: nothing to do, and no failure. */
  | { readonly kind: 'ignore' }
  | { readonly kind: 'running' }
  | { readonly kind: 'frozen' }
  | { readonly kind: 'refuse' };

const RUNNING: StartAdvice = { kind: 'running' };
const REFUSE: StartAdvice = { kind: 'refuse' };

function start(reason: StartReason): StartAdvice {
  return { kind: 'start', reason };
}

/**
 * Whether this node may start the service; that services are locked is for the caller to check.
 *
 * Source: rgmanager src/daemons/rg_state.c, `svc_advise_start`.
 */
export function adviseStart(
  record: ServiceRecord,
  request: number,
  place: OwnerPlace,
  startsWhatIsBeingStopped = false,
): StartAdvice {
  if ((record.flags & ServiceFlag.FROZEN) !== 0) return { kind: 'frozen' };
  switch (record.state) {
    case ServiceState.MIGRATE:
      return RUNNING;
    case ServiceState.STOPPING:
    case ServiceState.STARTED:
    case ServiceState.CHECK:
    case ServiceState.STARTING:
      if (place === 'none') return start('stopped');
      return place === 'down' ? start('take-over') : RUNNING;
    case ServiceState.RECOVER:
      return request === Request.START_RECOVER ? start('recover') : { kind: 'ignore' };
    case ServiceState.ERROR:
      // rgmanager would start the service while its owner still stops it, so that it runs twice.
      return place === 'elsewhere' && !startsWhatIsBeingStopped ? RUNNING : start('stopped');
    case ServiceState.STOPPED:
      return start('stopped');
    case ServiceState.DISABLED:
    case ServiceState.UNINITIALIZED:
      if (request === Request.ENABLE || request === Request.START_REMOTE) return start('disabled');
      return request === Request.START_RECOVER ? start('disabled-recover') : REFUSE;
    default:
      return REFUSE;
  }
}
