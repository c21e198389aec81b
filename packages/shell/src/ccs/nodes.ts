import type { ConfElement, EditableConf } from '@quorate/cluster-conf';
import { CcsComplaint } from './complaint.js';
import {
  attributesIn,
  type ConfEdit,
  type ConfListing,
  childrenOf,
  named,
  namedLine,
  needNamed,
  operandsOf,
} from './conf-action.js';

/** Without a `nodeid` it is the least that is free. */
const addNode: ConfEdit = (given, words, { nodeId, votes }) => {
  const [name] = operandsOf(words, '--addnode', 'node');
  const conf = given.withSection('clusternodes');
  const section = conf.find('clusternodes')!;
  if (named(section, 'clusternode', name!) !== undefined) throw new CcsComplaint(`Node ${name} already exists.`);
  const nodes = childrenOf(section, 'clusternode');
  const holderOf = (id: string) => nodes.find(({ attributes }) => attributes.get('nodeid') === id);
  const holder = nodeId === undefined ? undefined : holderOf(nodeId);
  if (holder !== undefined) {
    throw new CcsComplaint(`Unable to add ${name}: node ${holder.attributes.get('name')} has the id ${nodeId}.`);
  }
  let free = 1;
  while (holderOf(String(free)) !== undefined) free += 1;
  const attributes = attributesIn(votes === undefined ? [] : [`votes=${votes}`], {
    name: name!,
    nodeid: nodeId ?? String(free),
  });
  return { conf: conf.withChild(section, { name: 'clusternode', attributes }), said: `Node ${name} added.` };
};

const removeNode: ConfEdit = (conf, words) => {
  const [name] = operandsOf(words, '--rmnode', 'node');
  return { conf: conf.without(needNode(conf, name!)), said: `Node ${name} removed.` };
};

/** The name of a node on the second ring; another one takes its place. */
const addAltName: ConfEdit = (given, words) => {
  const [name, other, ...options] = operandsOf(words, '--addalt', 'node', 'alternate name');
  const attributes = attributesIn(options, { name: other! });
  const known = childrenOf(needNode(given, name!), 'altname')[0];
  const conf = known === undefined ? given : given.without(known);
  return { conf: conf.withChild(needNode(conf, name!), { name: 'altname', attributes }) };
};

const removeAltName: ConfEdit = (conf, words) => {
  const [name] = operandsOf(words, '--rmalt', 'node');
  const known = childrenOf(needNode(conf, name!), 'altname')[0];
  if (known === undefined) throw new CcsComplaint(`Unable to find an alternate name of ${name}.`);
  return { conf: conf.without(known) };
};

const listNodes: ConfListing = (conf) => childrenOf(conf.find('clusternodes'), 'clusternode').map(namedLine);

/** The `<clusternode>` of that name. */
export function needNode(conf: EditableConf, name: string): ConfElement {
  return needNamed(conf.find('clusternodes'), 'clusternode', name, 'node');
}

/** Names of the nodes of a cluster.conf. */
export function nodeNames(conf: EditableConf): readonly string[] {
  return childrenOf(conf.find('clusternodes'), 'clusternode').map(({ attributes }) => attributes.get('name') ?? '');
}

export const NODE_EDITS: readonly (readonly [string, ConfEdit])[] = [
  ['--addnode', addNode],
  ['--rmnode', removeNode],
  ['--addalt', addAltName],
  ['--rmalt', removeAltName],
];

export const NODE_LISTINGS: readonly (readonly [string, ConfListing])[] = [['--lsnodes', listNodes]];
