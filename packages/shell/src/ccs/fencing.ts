import type { ConfElement, EditableConf } from '@quorate/cluster-conf';
import { CcsComplaint } from './complaint.js';
import {
  attributeList,
  attributesIn,
  type ConfEdit,
  type ConfListing,
  childrenOf,
  named,
  namedLine,
  needNamed,
  operandsOf,
  withoutChildren,
} from './conf-action.js';
import { needNode } from './nodes.js';

/** Agents whose devices keep a node out until it is let in again: their instances come with an unfence section. */
const UNFENCING_AGENTS = ['fence_scsi', 'fence_sanlock'];

const addDevice: ConfEdit = (given, words) => {
  const [name, ...options] = operandsOf(words, '--addfencedev', 'device name', 'agent=agent');
  const attributes = attributesIn(options, { name: name! });
  if (!attributes.has('agent')) throw new CcsComplaint('--addfencedev needs agent=<agent>', 2);
  const conf = given.withSection('fencedevices');
  const section = conf.find('fencedevices')!;
  if (named(section, 'fencedevice', name!) !== undefined) {
    throw new CcsComplaint(`Fence device ${name} already exists.`);
  }
  return { conf: conf.withChild(section, { name: 'fencedevice', attributes }) };
};

const removeDevice: ConfEdit = (conf, words) => {
  const [name] = operandsOf(words, '--rmfencedev', 'device name');
  return { conf: conf.without(needDevice(conf, name!)) };
};

function needDevice(conf: EditableConf, name: string): ConfElement {
  return needNamed(conf.find('fencedevices'), 'fencedevice', name, 'fence device');
}

const addMethod: ConfEdit = (given, words) => {
  const [method, node] = operandsOf(words, '--addmethod', 'method', 'node');
  const conf = withPart(given, node!, 'fence');
  const fence = partOf(conf, node!, 'fence')!;
  if (named(fence, 'method', method!) !== undefined) {
    throw new CcsComplaint(`Method ${method} already exists for ${node}.`);
  }
  const attributes = new Map([['name', method!]]);
  return { conf: conf.withChild(fence, { name: 'method', attributes }), said: `Method ${method} added to ${node}.` };
};

const removeMethod: ConfEdit = (conf, words) => {
  const [method, node] = operandsOf(words, '--rmmethod', 'method', 'node');
  return { conf: conf.without(needMethod(conf, method!, node!)), said: `Method ${method} removed from ${node}.` };
};

function needMethod(conf: EditableConf, method: string, node: string): ConfElement {
  needNode(conf, node);
  return needNamed(partOf(conf, node, 'fence'), 'method', method, `on ${node} the method`);
}

const addInstance: ConfEdit = (conf, words, { isUnfencing }) => {
  const [name, node, method, ...options] = operandsOf(words, '--addfenceinst', 'device name', 'node', 'method');
  const device = needDevice(conf, name!);
  const attributes = attributesIn(options, { name: name! });
  const added = conf.withChild(needMethod(conf, method!, node!), { name: 'device', attributes });
  const agent = device.attributes.get('agent') ?? '';
  const isUnfenced = named(partOf(conf, node!, 'unfence'), 'device', name!) !== undefined;
  if (!isUnfencing || isUnfenced || !UNFENCING_AGENTS.includes(agent)) return { conf: added };
  return { conf: withUnfence(added, node!, attributesIn(options, { name: name!, action: 'on' })) };
};

const removeInstance: ConfEdit = (conf, words) => {
  const [name, node, method] = operandsOf(words, '--rmfenceinst', 'device name', 'node', 'method');
  const left = withoutChildren(conf, (now) => needMethod(now, method!, node!), isUseOf(name!));
  if (left === undefined) throw new CcsComplaint(`Method ${method} of ${node} does not use ${name}.`);
  return { conf: left };
};

const addUnfence: ConfEdit = (conf, words) => {
  const [name, node, ...options] = operandsOf(words, '--addunfenceinst', 'device name', 'node');
  needDevice(conf, name!);
  needNode(conf, node!);
  return { conf: withUnfence(conf, node!, attributesIn(options, { name: name! })) };
};

const removeUnfence: ConfEdit = (conf, words) => {
  const [name, node] = operandsOf(words, '--rmunfenceinst', 'device name', 'node');
  needNode(conf, node!);
  const left = withoutChildren(conf, (now) => partOf(now, node!, 'unfence'), isUseOf(name!));
  if (left === undefined) throw new CcsComplaint(`The unfence section of ${node} does not use ${name}.`);
  return { conf: left };
};

function isUseOf(name: string): (child: ConfElement) => boolean {
  return (child) => child.name === 'device' && child.attributes.get('name') === name;
}

type Part = 'fence' | 'unfence';

function partOf(conf: EditableConf, node: string, part: Part): ConfElement | undefined {
  return childrenOf(needNode(conf, node), part)[0];
}

function withPart(conf: EditableConf, node: string, part: Part): EditableConf {
  return partOf(conf, node, part) === undefined ? conf.withChild(needNode(conf, node), { name: part }) : conf;
}

function withUnfence(conf: EditableConf, node: string, attributes: ReadonlyMap<string, string>): EditableConf {
  const ready = withPart(conf, node, 'unfence');
  return ready.withChild(partOf(ready, node, 'unfence')!, { name: 'device', attributes });
}

const listDevices: ConfListing = (conf) => childrenOf(conf.find('fencedevices'), 'fencedevice').map(namedLine);

const listInstances: ConfListing = (conf, [only]) => {
  const nodes = only === undefined ? childrenOf(conf.find('clusternodes'), 'clusternode') : [needNode(conf, only)];
  const uses = (part: ConfElement): readonly string[] =>
    childrenOf(part, 'device').map((device) => `    ${namedLine(device)}`);
  return nodes.flatMap((node) => [
    node.attributes.get('name') ?? '',
    ...childrenOf(childrenOf(node, 'fence')[0], 'method').flatMap((method) => [
      `  ${method.attributes.get('name') ?? attributeList(method)}`,
      ...uses(method),
    ]),
    ...childrenOf(node, 'unfence').flatMap((unfence) => ['  unfence', ...uses(unfence)]),
  ]);
};

export const FENCE_EDITS: readonly (readonly [string, ConfEdit])[] = [
  ['--addfencedev', addDevice],
  ['--rmfencedev', removeDevice],
  ['--addmethod', addMethod],
  ['--rmmethod', removeMethod],
  ['--addfenceinst', addInstance],
  ['--rmfenceinst', removeInstance],
  ['--addunfenceinst', addUnfence],
  ['--rmunfenceinst', removeUnfence],
];

export const FENCE_LISTINGS: readonly (readonly [string, ConfListing])[] = [
  ['--lsfencedev', listDevices],
  ['--lsfenceinst', listInstances],
];
