import { ConfigError } from '@quorate/kernel';
import { parseClusterConf } from '../src/index.js';

const text = `<cluster name="demo" config_version="1">
  <cman expected_votes="3"/>
  <clusternodes>
    <clusternode name="alpha" nodeid="1"/>
    <clusternode name="beta" nodeid="2"/>
    <clusternode name="gamma" nodeid="3" votes="300"/>
  </clusternodes>
</cluster>`;

export function example(): string[] {
  const { conf, warnings } = parseClusterConf(text.replace(' votes="300"', ''));
  const lines = [
    `${conf.name}: ${conf.nodes.length} nodes, token ${conf.totem.tokenMs} ms, ${warnings.length} warnings`,
  ];
  try {
    parseClusterConf(text);
  } catch (error) {
    if (error instanceof ConfigError) lines.push(error.message);
  }
  return lines;
}
