import { type ConfigNode, type ConfigValue, findNode } from './config-text.js';
import type { LogicalVolume, VolumeGroup } from './volume-group.js';

/** The value at a path of sections: `activation/volume_list`. Undefined when there is none. */
export function findValue(nodes: readonly ConfigNode[], path: string): ConfigValue | undefined {
  const [key = '', ...rest] = path.split('/');
  const node = findNode(nodes, key);
  if (node === undefined) return undefined;
  if (rest.length === 0) return 'value' in node ? node.value : undefined;
  return 'nodes' in node ? findValue(node.nodes, rest.join('/')) : undefined;
}

/**
 * Whether a machine with that lvm.conf makes a volume a device: what `activation/volume_list` says, by the group (`vg`), the volume
 * (`vg/lv`), a tag of one of them (`@tag`), or a tag that the machine has, too (`@*`). Without a list everything is, unless the
 * machine has tags: then what has one of them.
 *
 * Source: LVM2 lib/activate/activate.c, `_passes_volumes_filter`; lvm.conf(5), `tags`.
 */
export function passesVolumeList(
  configuration: readonly ConfigNode[],
  hostname: string,
  group: VolumeGroup,
  volume: LogicalVolume,
): boolean {
  const tags = new Set([...group.tags, ...volume.tags]);
  const hostTags = hostTagsOf(configuration, hostname);
  const hasHostTag = hostTags.some((tag) => tags.has(tag));
  const list = findValue(configuration, 'activation/volume_list');
  if (list === undefined) return hostTags.length === 0 || hasHostTag;
  return [list].flat().some((entry) => {
    if (entry === '@*') return hasHostTag;
    if (typeof entry !== 'string') return false;
    if (entry.startsWith('@')) return tags.has(entry.slice(1));
    return entry === group.name || entry === `${group.name}/${volume.name}`;
  });
}

function hostTagsOf(configuration: readonly ConfigNode[], hostname: string): readonly string[] {
  const section = findNode(configuration, 'tags');
  if (section === undefined || !('nodes' in section)) return [];
  const named = section.nodes.filter((node) => 'nodes' in node && isTagOf(node.nodes, hostname)).map(({ key }) => key);
  return findValue(section.nodes, 'hosttags') === 1 ? [hostname, ...named] : named;
}

/** A tag with a list of hosts is theirs alone. */
function isTagOf(nodes: readonly ConfigNode[], hostname: string): boolean {
  const hosts = findValue(nodes, 'host_list');
  return hosts === undefined || [hosts].flat().includes(hostname);
}
