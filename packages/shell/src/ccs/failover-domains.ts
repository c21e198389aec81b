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

const SWITCHES = ['nofailback', 'ordered', 'restricted'];
const PRIORITY_MAX = 100;

const addDomain: ConfEdit = (given, words) => {
  const [name, ...switches] = operandsOf(words, '--addfailoverdomain', 'name');
  const unknown = switches.find((word) => !SWITCHES.includes(word));
  if (unknown !== undefined) throw new CcsComplaint(`${unknown}: expected restricted, ordered or nofailback`, 2);
  const conf = given.withSection('rm', 'failoverdomains');
  const section = conf.find('rm', 'failoverdomains')!;
  if (named(section, 'failoverdomain', name!) !== undefined) {
    throw new CcsComplaint(`Failover domain ${name} already exists.`);
  }
  const values = SWITCHES.map((each) => `${each}=${switches.includes(each) ? 1 : 0}`);
  return {
    conf: conf.withChild(section, { name: 'failoverdomain', attributes: attributesIn(values, { name: name! }) }),
  };
};

const removeDomain: ConfEdit = (conf, words) => {
  const [name] = operandsOf(words, '--rmfailoverdomain', 'name');
  return { conf: conf.without(needDomain(conf, name!)) };
};

/** A node that is there already gets the priority. */
const addDomainNode: ConfEdit = (conf, words) => {
  const [name, node, priority] = operandsOf(words, '--addfailoverdomainnode', 'failover domain', 'node');
  const isGood = priority === undefined || (/^\d+$/.test(priority) && inRange(Number(priority)));
  if (!isGood) throw new CcsComplaint(`${priority}: expected a priority from 1 to ${PRIORITY_MAX}`, 2);
  const domain = needDomain(conf, name!);
  const known = named(domain, 'failoverdomainnode', node!);
  if (known !== undefined) return { conf: conf.withAttribute(known, 'priority', priority) };
  const attributes = attributesIn(priority === undefined ? [] : [`priority=${priority}`], { name: node! });
  return { conf: conf.withChild(domain, { name: 'failoverdomainnode', attributes }) };
};

const removeDomainNode: ConfEdit = (conf, words) => {
  const [name, node] = operandsOf(words, '--rmfailoverdomainnode', 'failover domain', 'node');
  const domain = needDomain(conf, name!);
  return { conf: conf.without(needNamed(domain, 'failoverdomainnode', node!, `in failover domain ${name} the node`)) };
};

function inRange(priority: number): boolean {
  return priority >= 1 && priority <= PRIORITY_MAX;
}

function needDomain(conf: EditableConf, name: string): ConfElement {
  return needNamed(conf.find('rm', 'failoverdomains'), 'failoverdomain', name, 'failover domain');
}

const listDomains: ConfListing = (conf) =>
  childrenOf(conf.find('rm', 'failoverdomains'), 'failoverdomain').flatMap((domain) => [
    namedLine(domain),
    ...childrenOf(domain, 'failoverdomainnode').map((node) => `  ${namedLine(node)}`),
  ]);

export const DOMAIN_EDITS: readonly (readonly [string, ConfEdit])[] = [
  ['--addfailoverdomain', addDomain],
  ['--rmfailoverdomain', removeDomain],
  ['--addfailoverdomainnode', addDomainNode],
  ['--rmfailoverdomainnode', removeDomainNode],
];

export const DOMAIN_LISTINGS: readonly (readonly [string, ConfListing])[] = [['--lsfailoverdomain', listDomains]];
