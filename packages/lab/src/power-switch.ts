import type { PowerReply, PowerRequest } from '@quorate/fencing';
import type { PowerState } from '@quorate/kernel';

/** What the switch does with a request: an answer, and for some a machine whose power is cut or given. */
export interface Switched {
  readonly reply: PowerReply;
  readonly command?: { readonly kind: 'power-on' | 'power-off'; readonly machine: string };
}

/**
 * The switch that all machines hang on, as power agents see it: it answers for every host that may be asked for.
 *
 * A machine that is paused or boots is on.
 */
export function switchPower(
  request: PowerRequest,
  machines: readonly string[],
  stateOf: (machine: string) => PowerState,
): Switched {
  if (request.action === 'list') return { reply: { isOk: true, machines } };
  const { action, machine } = request;
  if (!machines.includes(machine)) return { reply: { isOk: false } };
  if (action === 'status') return { reply: { isOk: true, state: stateOf(machine) === 'off' ? 'off' : 'on' } };
  return { reply: { isOk: true }, command: { kind: action === 'on' ? 'power-on' : 'power-off', machine } };
}
