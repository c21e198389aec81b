import { parentPort } from 'node:worker_threads';

// Acknowledges slices until it is told something.
parentPort.once('message', ({ clock, control, sliceNanos }) => {
  clock.on('message', ({ until }) => {
    setTimeout(() => clock.postMessage({ kind: 'report', slice: Math.round(until / sliceNanos), events: 1 }), 1);
  });
  control.on('message', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  clock.postMessage({ kind: 'ready' });
});
