import { parentPort } from 'node:worker_threads';

parentPort.once('message', ({ clock }) => {
  clock.on('message', () => {
    const kept = [];
    for (;;) kept.push(new Array(1000).fill(kept.length));
  });
  clock.postMessage({ kind: 'ready' });
});
