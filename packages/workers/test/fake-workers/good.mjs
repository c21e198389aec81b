import { parentPort } from 'node:worker_threads';

// Acknowledges every slice that is granted, at once.
parentPort.once('message', ({ clock, sliceNanos }) => {
  clock.on('message', ({ until }) => {
    setTimeout(() => clock.postMessage({ kind: 'report', slice: Math.round(until / sliceNanos), events: 1 }), 1);
  });
  clock.postMessage({ kind: 'ready' });
});
