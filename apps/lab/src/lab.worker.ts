import { hypervBlogTopology } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { serveWorker } from '@quorate/workers/worker';

serveWorker({ 'hyperv-blog': () => hypervBlogTopology(administratorsPrograms) });
