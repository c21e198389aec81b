import { parentPort } from 'node:worker_threads';

parentPort.once('message', ({ clock }) => {
  clock.on('message', () => process.exit(3));
  clock.postMessage({ kind: 'ready' });
});
