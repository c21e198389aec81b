import { hypervBlogTopology } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { serveWorker } from '@quorate/workers/worker';

/** What the hub tells its workers of the topology: a cluster.conf, unless it is the walk-through's own. */
export interface TopologyOptions {
  readonly clusterConf?: string;
}

serveWorker({
  'hyperv-blog': (options) => hypervBlogTopology(administratorsPrograms, (options as TopologyOptions).clusterConf),
});
