import { type ConfElement, descend } from '../conf/conf-element.js';
import { readFailoverDomains } from '../state/failover-domain.js';
import { applyResourceDefaults, loadResources, ResourceList } from '../tree/resource-list.js';
import type { ResourceRule } from '../tree/resource-rule.js';
import { buildTree } from '../tree/resource-tree.js';
import { Configuration, type Log } from './configuration.js';
import { looseEnds } from './loose-ends.js';

/**
 * Loads what a `cluster.conf` says of services. The resources section is read before the defaults apply, so they count
 * for inline resources only.
 *
 * Source: rgmanager src/daemons/groups.c, `init_resource_groups`.
 */
export function loadConfiguration(cluster: ConfElement, rules: readonly ResourceRule[], log: Log): Configuration {
  const rm = descend(cluster, 'rm');
  const report = (text: string): void => log(text.startsWith('Error') ? 'err' : 'debug', text);
  const resources = new ResourceList();
  log('debug', 'Building Resource Trees');
  loadResources(rm, rules, resources, report);
  const roots = buildTree(rm, applyResourceDefaults(rm, rules, report), resources, report);
  log('debug', `${resources.size} resources defined`);
  log('debug', 'Loading Failover Domains');
  const domains = readFailoverDomains(cluster, log);
  log('debug', `${domains.length} domains defined`);
  const configuration = new Configuration(resources, roots, domains, log);
  for (const text of looseEnds(rm, rules, configuration)) log('warning', text);
  return configuration;
}
