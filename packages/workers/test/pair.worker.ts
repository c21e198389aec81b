import { serveWorker } from '../src/worker.js';
import { twoMachines } from './two-machines.js';

serveWorker({ pair: twoMachines });
