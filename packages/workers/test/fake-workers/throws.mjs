import { parentPort } from 'node:worker_threads';

parentPort.once('message', ({ clock }) => {
  clock.on('message', () => {
    throw new Error('planted');
  });
  clock.postMessage({ kind: 'ready' });
});
