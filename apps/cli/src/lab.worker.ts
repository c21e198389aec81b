import { serveWorker } from '@quorate/workers/worker';
import { TOPOLOGIES } from './topologies.js';

serveWorker(TOPOLOGIES);
