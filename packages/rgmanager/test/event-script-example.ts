import { allowedNodes, type EventScript } from '../src/index.js';

/** A service that has failed goes elsewhere, or is disabled: it never starts again where it failed. */
export const elsewhere: EventScript = function* elsewhere(event, cluster) {
  if (event.kind !== 'service' || event.state !== 'recovering') return;
  cluster.stopProcessing();
  const nodes = yield* allowedNodes(cluster, event.service);
  const started = yield* cluster.serviceStart(event.service, nodes, event.lastOwner);
  if (started < 0) yield* cluster.serviceStop(event.service, true);
};
