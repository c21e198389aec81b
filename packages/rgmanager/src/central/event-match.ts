import type { EventPattern } from '../conf/event-triggers.js';
import type { ScriptedEvent } from '../manager/event-queue.js';

/** Whether a script with this pattern is run for an event. Scripts without a class are run for all, a user's included. */
export function matches(pattern: EventPattern, event: ScriptedEvent, here: number): boolean {
  switch (pattern.kind) {
    case 'any':
      return true;
    case 'node':
      return event.kind === 'node' && matchesNode(pattern, event, here);
    case 'service':
      return event.kind === 'service' && matchesService(pattern, event);
  }
}

function matchesNode(
  { nodeId, state, isClean, isLocal }: Extract<EventPattern, { kind: 'node' }>,
  event: Extract<ScriptedEvent, { kind: 'node' }>,
  here: number,
): boolean {
  if (nodeId >= 0 && nodeId !== event.node) return false;
  if (state >= 0 && state !== Number(event.isUp)) return false;
  if (isClean >= 0 && isClean !== Number(event.isClean)) return false;
  return isLocal < 0 || isLocal === Number(event.node === here);
}

function matchesService(
  { service, state, owner }: Extract<EventPattern, { kind: 'service' }>,
  event: Extract<ScriptedEvent, { kind: 'service' }>,
): boolean {
  if (service !== '' && service.toLowerCase() !== event.service.toLowerCase()) return false;
  if (state >= 0 && state !== event.state) return false;
  return owner < 0 || owner === event.owner;
}
