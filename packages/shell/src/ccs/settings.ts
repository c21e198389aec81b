import { CcsComplaint } from './complaint.js';
import {
  attributeList,
  attributesIn,
  type ConfEdit,
  type ConfListing,
  childrenOf,
  matching,
  operandsOf,
} from './conf-action.js';

/** What an option sets of a section is all that the section has afterwards, but for what is in it and the attributes kept. */
function setSection(path: readonly string[], kept: readonly string[] = []): ConfEdit {
  return (given, words) => {
    const attributes = attributesIn(words);
    const conf = given.withSection(...path);
    return { conf: conf.withAttributes(conf.find(...path)!, attributes, kept) };
  };
}

/** With an address, or without one: then cman makes it of the cluster's name. `altmulticast` is that of the second ring. */
function setAddress(section: 'multicast' | 'altmulticast'): ConfEdit {
  return (given, [address, ...options]) => {
    if (address === undefined) {
      const known = given.find('cman', section);
      return { conf: known === undefined ? given : given.without(known) };
    }
    const attributes = attributesIn(options, { addr: address });
    const conf = given.withSection('cman', section);
    return { conf: conf.withAttributes(conf.find('cman', section)!, attributes) };
  };
}

/** `--addheuristic`, `--addlogging`: an element more in a section. */
function addPart(option: string, section: string, part: string): ConfEdit {
  return (given, words) => {
    const attributes = attributesIn(operandsOf(words, option, 'option=value'));
    const conf = given.withSection(section);
    return { conf: conf.withChild(conf.find(section)!, { name: part, attributes }) };
  };
}

/** Takes away the elements that have these options. */
function removePart(option: string, section: string, part: string): ConfEdit {
  return (given, words) => {
    const wanted = attributesIn(operandsOf(words, option, 'option=value'));
    let conf = given;
    for (;;) {
      const [found] = matching(childrenOf(conf.find(section), part), wanted);
      if (found === undefined) break;
      conf = conf.without(found);
    }
    if (conf === given) throw new CcsComplaint(`Unable to find a ${part} with these options.`);
    return { conf };
  };
}

const setVersion: ConfEdit = (conf, words) => {
  const [version] = operandsOf(words, '--setversion', 'n');
  if (!/^[1-9]\d*$/.test(version!)) throw new CcsComplaint(`${version}: expected a positive integer`, 2);
  return { conf: conf.withAttribute(conf.root, 'config_version', version) };
};

const listQuorum: ConfListing = (conf) => {
  const quorumd = conf.find('quorumd');
  if (quorumd === undefined) return [];
  return [
    `Quorumd: ${attributeList(quorumd)}`,
    ...childrenOf(quorumd, 'heuristic').map((heuristic) => `  heuristic: ${attributeList(heuristic)}`),
  ];
};

const SECTIONS: readonly (readonly [title: string, ...path: string[]])[] = [
  ['Totem', 'totem'],
  ['UID/GID', 'uidgid'],
  ['DLM', 'dlm'],
  ['Resource Manager', 'rm'],
  ['CMAN', 'cman'],
  ['Multicast', 'cman', 'multicast'],
  ['Alternate Multicast', 'cman', 'altmulticast'],
  ['Fence Daemon', 'fence_daemon'],
  ['Logging', 'logging'],
];

const listSettings: ConfListing = (conf) => {
  const lines: string[] = [];
  for (const [title, ...path] of SECTIONS) {
    const section = conf.find(...path);
    if (section !== undefined) lines.push(`${title}: ${attributeList(section)}`);
    if (title !== 'Logging') continue;
    lines.push(...childrenOf(section, 'logging_daemon').map((daemon) => `  logging_daemon: ${attributeList(daemon)}`));
  }
  return lines;
};

export const SETTING_EDITS: readonly (readonly [string, ConfEdit])[] = [
  ['--setcman', setSection(['cman'])],
  ['--settotem', setSection(['totem'])],
  ['--setdlm', setSection(['dlm'])],
  ['--setrm', setSection(['rm'])],
  ['--setfencedaemon', setSection(['fence_daemon'])],
  ['--setlogging', setSection(['logging'])],
  ['--setuidgid', setSection(['uidgid'])],
  ['--setmulticast', setAddress('multicast')],
  ['--setaltmulticast', setAddress('altmulticast')],
  ['--addlogging', addPart('--addlogging', 'logging', 'logging_daemon')],
  ['--rmlogging', removePart('--rmlogging', 'logging', 'logging_daemon')],
  ['--setquorumd', setSection(['quorumd'])],
  ['--addheuristic', addPart('--addheuristic', 'quorumd', 'heuristic')],
  ['--rmheuristic', removePart('--rmheuristic', 'quorumd', 'heuristic')],
  ['--setversion', setVersion],
  ['--incversion', (conf) => ({ conf })],
];

export const SETTING_LISTINGS: readonly (readonly [string, ConfListing])[] = [
  ['--getversion', (conf) => [conf.root.attributes.get('config_version') ?? '']],
  ['--lsquorum', listQuorum],
  ['--lsmisc', listSettings],
];
