import type { ConfElement, EditableConf } from '@quorate/cluster-conf';
import { CcsComplaint } from './complaint.js';
import {
  attributeList,
  attributesIn,
  type ConfEdit,
  type ConfListing,
  childrenOf,
  matching,
  named,
  needNamed,
  operandsOf,
} from './conf-action.js';

const addResource: ConfEdit = (given, words) => {
  const [type, ...options] = operandsOf(words, '--addresource', 'resource type', 'option=value');
  const attributes = attributesIn(options);
  const conf = given.withSection('rm', 'resources');
  const section = conf.find('rm', 'resources')!;
  const twin = matching(childrenOf(section, type!), attributes).find(
    (each) => each.attributes.size === attributes.size,
  );
  if (twin !== undefined) throw new CcsComplaint(`Resource ${type} with these options already exists.`);
  return { conf: conf.withChild(section, { name: type!, attributes }) };
};

const removeResource: ConfEdit = (conf, words) => {
  const [type, ...options] = operandsOf(words, '--rmresource', 'resource type', 'option=value');
  const found = matching(childrenOf(conf.find('rm', 'resources'), type!), attributesIn(options));
  if (found.length > 1) throw new CcsComplaint(`${found.length} resources ${type} have these options.`);
  if (found[0] === undefined) throw new CcsComplaint(`Unable to find a resource ${type} with these options.`);
  return { conf: conf.without(found[0]) };
};

/** `--addservice` and `--addvm`. */
function addGroup(option: string, kind: 'service' | 'vm'): ConfEdit {
  return (given, words) => {
    const [name, ...options] = operandsOf(words, option, `${kind} name`);
    const conf = given.withSection('rm');
    const section = conf.find('rm')!;
    if (named(section, kind, name!) !== undefined) throw new CcsComplaint(`${label(kind)} ${name} already exists.`);
    return { conf: conf.withChild(section, { name: kind, attributes: attributesIn(options, { name: name! }) }) };
  };
}

function removeGroup(option: string, kind: 'service' | 'vm'): ConfEdit {
  return (conf, words) => {
    const [name] = operandsOf(words, option, `${kind} name`);
    return { conf: conf.without(needNamed(conf.find('rm'), kind, name!, label(kind).toLowerCase())) };
  };
}

function label(kind: 'service' | 'vm'): string {
  return kind === 'vm' ? 'Virtual machine' : 'Service';
}

const addSubservice: ConfEdit = (conf, words) => {
  const [service, place, ...options] = operandsOf(words, '--addsubservice', 'service name', 'subservice');
  const [type, ...above] = place!.split(':').reverse();
  if (!/^[A-Za-z_][\w-]*$/.test(type!)) throw new CcsComplaint(`${type}: expected a type of resource`, 2);
  const parent = childAt(conf, service!, above.reverse());
  return { conf: conf.withChild(parent, { name: type!, attributes: attributesIn(options) }) };
};

const removeSubservice: ConfEdit = (conf, words) => {
  const [service, place] = operandsOf(words, '--rmsubservice', 'service name', 'subservice');
  return { conf: conf.without(childAt(conf, service!, place!.split(':'))) };
};

/** Goes down from a service: `nfsclient[1]` is the second of its kind there, `nfsclient` the first. */
function childAt(conf: EditableConf, service: string, path: readonly string[]): ConfElement {
  let at = needNamed(conf.find('rm'), 'service', service, 'service');
  for (const step of path) {
    const [, type, index = '0'] = /^([A-Za-z_][\w-]*)(?:\[(\d+)\])?$/.exec(step) ?? [];
    if (type === undefined)
      throw new CcsComplaint(`${step}: expected a type of resource, with its number in brackets`, 2);
    const child = childrenOf(at, type)[Number(index)];
    if (child === undefined) throw new CcsComplaint(`Unable to find subservice ${step} in service ${service}.`);
    at = child;
  }
  return at;
}

const listServices: ConfListing = (conf) => {
  const rm = conf.find('rm');
  const groups = rm?.children.filter(({ name }) => name === 'service' || name === 'vm') ?? [];
  const resources = conf.find('rm', 'resources');
  return [...groups, ...(resources === undefined ? [] : [resources])].flatMap((each) => tree(each, ''));
};

function tree(element: ConfElement, indentation: string): readonly string[] {
  const line = `${indentation}${element.name}: ${attributeList(element)}`;
  return [line, ...element.children.flatMap((child) => tree(child, `${indentation}  `))];
}

export const SERVICE_EDITS: readonly (readonly [string, ConfEdit])[] = [
  ['--addresource', addResource],
  ['--rmresource', removeResource],
  ['--addservice', addGroup('--addservice', 'service')],
  ['--rmservice', removeGroup('--rmservice', 'service')],
  ['--addvm', addGroup('--addvm', 'vm')],
  ['--rmvm', removeGroup('--rmvm', 'vm')],
  ['--addsubservice', addSubservice],
  ['--rmsubservice', removeSubservice],
];

export const SERVICE_LISTINGS: readonly (readonly [string, ConfListing])[] = [['--lsservices', listServices]];
