/** A service that fails is disabled, and no further script runs. */
export default function* giveUp(event, cluster) {
  if (event.kind !== 'service') return;
  cluster.notice('giving up ', event.service);
  yield* cluster.serviceStop(event.service, true);
  cluster.stopProcessing();
}
