import type { Configuration } from './configuration.js';
import type { Policy } from './policy.js';

/** What is in use now: replaced as a whole when `cluster.conf` changes. */
export interface InUse {
  configuration: Configuration;
  /** Status checks that may run at once. */
  statusChildMax: number;
  policy: Policy;
}
