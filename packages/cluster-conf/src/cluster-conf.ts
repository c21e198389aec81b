import { ConfigError } from '@quorate/kernel';
import { type CmanSection, readCman } from './cman-section.js';
import {
  type ClvmdSection,
  type DlmSection,
  type FenceDaemonSection,
  type FenceXvmdSection,
  type GfsControldSection,
  type GroupSection,
  readClvmd,
  readDlm,
  readFenceDaemon,
  readFenceXvmd,
  readGfsControld,
  readGroup,
  readUidGid,
  type UidGidSection,
} from './daemon-sections.js';
import type { ConfElement } from './element.js';
import { ElementReader } from './element-reader.js';
import { type LoggingSection, readLogging } from './logging-section.js';
import { type ClusterNode, type FenceDevice, readClusterNodes, readFenceDevices } from './nodes-section.js';
import { type ConfWarning, Problems } from './problem.js';
import { type QuorumdSection, readQuorumd } from './quorumd-section.js';
import { type RmSection, readRm } from './rm-section.js';
import { readTotem, type TotemSection } from './totem-section.js';
import { parseXml } from './xml.js';

/** A `cluster.conf` with every default filled in that does not depend on a daemon's own reckoning. */
export interface ClusterConf {
  /** At most 15 characters. */
  readonly name: string;
  readonly configVersion: number;
  readonly cman: CmanSection;
  readonly totem: TotemSection;
  /** Undefined: no quorum disk. */
  readonly quorumd: QuorumdSection | undefined;
  readonly fenceDaemon: FenceDaemonSection;
  readonly fenceXvmd: FenceXvmdSection | undefined;
  readonly dlm: DlmSection;
  readonly gfsControld: GfsControldSection;
  readonly group: GroupSection;
  readonly logging: LoggingSection;
  readonly uidGids: readonly UidGidSection[];
  readonly clvmd: ClvmdSection;
  /** In the order of the file. */
  readonly nodes: readonly ClusterNode[];
  readonly fenceDevices: readonly FenceDevice[];
  /** Undefined: no services. */
  readonly rm: RmSection | undefined;
  /** The document. */
  readonly root: ConfElement;
}

export interface ParsedConf {
  readonly conf: ClusterConf;
  /** What the original starts with, logging it at best; in the order of the text. */
  readonly warnings: readonly ConfWarning[];
}

/** What `validateClusterConf` found; the configuration can be used when there are no errors. */
export interface ConfVerdict {
  /** In the order of the text. A text that is not well-formed has exactly one. */
  readonly errors: readonly ConfigError[];
  /** Those of the errors that a change elsewhere would mend: `two_node` while there is one node, a quorum disk without a label. */
  readonly conflicts: readonly ConfigError[];
  readonly warnings: readonly ConfWarning[];
}

const DEFAULT_FILE = 'cluster.conf';
/** cman refuses a longer one: the name and its NUL travel in 16 bytes. */
const NAME_MAX = 15;
/** The quorum disk has a slot for each of the ids 1..16. */
const QDISK_NODE_ID_MAX = 16;

/**
 * Reads a `cluster.conf`; `file` is what errors and warnings call it.
 *
 * @throws {ConfigError} the first in the text of: malformed XML, an element or attribute the schema has not, a missing
 * or bad value, and what the schema cannot see but a daemon refuses (an id or name twice, a fence device that is not
 * there, `two_node` without two nodes, …).
 */
export function parseClusterConf(text: string, file: string = DEFAULT_FILE): ParsedConf {
  const problems = new Problems();
  const conf = readClusterConf(text, file, problems);
  const [error] = problems.errors;
  if (error !== undefined) throw error;
  return { conf, warnings: problems.warnings };
}

/** Reads a `cluster.conf` for its mistakes only, and finds all of them, as `ccs_config_validate` does. */
export function validateClusterConf(text: string, file: string = DEFAULT_FILE): ConfVerdict {
  const problems = new Problems();
  try {
    readClusterConf(text, file, problems);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { errors: [error], conflicts: [], warnings: [] };
  }
  const { errors, conflicts, warnings } = problems;
  return { errors, conflicts, warnings };
}

function readClusterConf(text: string, file: string, problems: Problems): ClusterConf {
  const document = parseXml(text, file);
  const { name } = document.root;
  if (name !== 'cluster') {
    throw new ConfigError(`/${name}`, `<${name}>`, '<cluster>', document.placeOf(document.root));
  }
  const at = new ElementReader(document.root, '/cluster', document, problems);
  const fenceDevices = readFenceDevices(at.section('fencedevices'));
  const nodes = readClusterNodes(at.section('clusternodes'), fenceDevices);
  const nodeIds = new Map(nodes.map((node) => [node.name, node.nodeId]));
  const rings = nodes.some((node) => node.altname !== undefined) ? 2 : 1;
  const quorumd = at.child('quorumd');
  const fenceXvmd = at.child('fence_xvmd');
  const rm = at.child('rm');
  const conf: ClusterConf = {
    name: at.required('name', `a name of at most ${NAME_MAX} characters`),
    configVersion: at.required('config_version', 'a positive integer') === '' ? 0 : at.integer('config_version', 0, 1),
    cman: readCman(at.section('cman')),
    totem: readTotem(at.section('totem'), nodes.length, rings),
    quorumd: quorumd && readQuorumd(quorumd),
    fenceDaemon: readFenceDaemon(at.section('fence_daemon')),
    fenceXvmd: fenceXvmd && readFenceXvmd(fenceXvmd),
    dlm: readDlm(at.section('dlm'), nodeIds),
    gfsControld: readGfsControld(at.section('gfs_controld')),
    group: readGroup(at.section('group')),
    logging: readLogging(at.section('logging')),
    uidGids: at.children('uidgid').map(readUidGid),
    clvmd: readClvmd(at.section('clvmd')),
    nodes,
    fenceDevices,
    rm: rm && readRm(rm, nodeIds),
    root: document.root,
  };
  at.finish();
  checkCluster(at, conf);
  checkTwoNode(at, conf);
  checkQuorumDisk(at, conf);
  return conf;
}

function checkCluster(at: ElementReader, conf: ClusterConf): void {
  if (conf.name.length > NAME_MAX) at.error('name', `at most ${NAME_MAX} characters, not ${conf.name.length}`);
  if (at.child('clusternodes') === undefined) at.section('clusternodes').errorHere('', '<clusternodes>');
  for (const node of at.section('clusternodes').children('clusternode')) {
    if (node.element.attributes.get('votes') === '0')
      node.warn('votes', 'a positive integer, says the schema; cman accepts it');
  }
}

/** Source: cman/daemon/cmanconfig.c, `get_cman_join_info`, which looks at nodes and votes but not at expected votes. */
function checkTwoNode(at: ElementReader, conf: ClusterConf): void {
  if (!conf.cman.isTwoNode) return;
  const cman = at.section('cman');
  const votes = conf.nodes.reduce((sum, node) => sum + node.votes, 0);
  if (conf.nodes.length !== 2 || votes !== 2) {
    cman.conflict('two_node', `two nodes with one vote each, not ${conf.nodes.length} with ${votes} in all`);
  }
  if (conf.cman.expectedVotes !== 1) cman.warn('expected_votes', '1 with two_node="1"');
}

function checkQuorumDisk(at: ElementReader, conf: ClusterConf): void {
  if (conf.quorumd === undefined) return;
  for (const node of at.section('clusternodes').children('clusternode')) {
    const id = Number(node.element.attributes.get('nodeid'));
    if (id > QDISK_NODE_ID_MAX)
      node.conflict('nodeid', `1 to ${QDISK_NODE_ID_MAX}: the quorum disk has no other slots`);
  }
  if (conf.quorumd.votes === undefined && conf.nodes.some((node) => node.votes !== 1)) {
    at.section('quorumd').conflict('votes', 'a number, since not every node has exactly 1 vote');
  }
}
