import { serveWorker } from '@quorate/workers/worker';
import { createImages } from './disk/disk-directory.js';
import { type StoreOptions, TOPOLOGIES } from './topologies.js';

serveWorker(TOPOLOGIES, (options, disks) => createImages((options as StoreOptions).directory, disks));
