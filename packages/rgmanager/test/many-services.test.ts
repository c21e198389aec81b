import { expect, it, vi } from 'vitest';
import { Configuration } from '../src/manager/configuration.js';
import { ResourceNode } from '../src/tree/resource-node.js';
import { simulate } from '../src/what-if/index.js';
import { parseConf } from './parse-conf.js';

/** How often a plan for the loss of a node looks at nodes of resource trees, and at attributes of services. */
function looksWith(services: number): { readonly nodes: number; readonly properties: number } {
  const nodes = vi.spyOn(ResourceNode.prototype, 'type', 'get');
  const properties = vi.spyOn(Configuration.prototype, 'property');
  const members = [1, 2, 3].map((id) => `<clusternode name="node${id}" nodeid="${id}"/>`).join('');
  const groups = Array.from(
    { length: services },
    (_, i) => `<service name="s${i}"><ip address="10.0.0.${i}"/><script name="d${i}" file="/etc/init.d/d"/></service>`,
  ).join('');
  const text = `<cluster name="c" config_version="1"><clusternodes>${members}</clusternodes><rm>${groups}</rm></cluster>`;
  try {
    const [, lost] = simulate(parseConf(text), [{ kind: 'node-down', node: 1 }]);
    expect(lost!.services.filter(({ owner }) => owner > 1)).toHaveLength(services);
    return { nodes: nodes.mock.calls.length, properties: properties.mock.calls.length };
  } finally {
    nodes.mockRestore();
    properties.mockRestore();
  }
}

it('twice the services are twice the work: no service is looked at for the sake of another', () => {
  const [some, twice] = [looksWith(20), looksWith(40)];
  expect(twice.nodes / some.nodes).toBeLessThan(2.2);
  expect(twice.properties / some.properties).toBeLessThan(2.2);
});
