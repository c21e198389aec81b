import { ConfigError } from '@quorate/kernel';
import type { NodeId } from '../ring-id.js';
import { corosync31, type TimingOptions, type TotemTimings } from '../timings.js';
import { type ConfSection, parseConfText } from './conf-text.js';
import { ConfValues } from './conf-values.js';

/** A node of the `nodelist`. */
export interface CorosyncNode {
  readonly id: NodeId;
  /** `ring0_addr`, an IP address. */
  readonly address: string;
  /** Empty when it has none. */
  readonly name: string;
  /** `quorum_votes`. */
  readonly votes: number;
}

/** What a corosync.conf says that matters to a member of the ring. */
export interface CorosyncConf {
  readonly clusterName: string;
  /** 0: none. */
  readonly configVersion: number;
  readonly transport: 'udpu' | 'udp';
  readonly nodes: readonly CorosyncNode[];
  readonly port: number;
  /** Of transport `udp`. */
  readonly multicastAddress: string;
  /** Hops of a multicast datagram. */
  readonly ttl: number;
  readonly netMtu: number;
  /** Of transport `udpu`: datagrams from addresses outside of the `nodelist` are dropped. */
  readonly isUnlistedBlocked: boolean;
  readonly timings: TotemTimings;
  /** Undefined without `quorum.provider`. */
  readonly quorum?: CorosyncQuorum;
}

export interface CorosyncQuorum {
  readonly expectedVotes: number;
  readonly isTwoNode: boolean;
  readonly isWaitForAll: boolean;
}

/** Keys of `logging`: the daemon's own log, which says nothing about the ring. */
const LOGGING_KEYS = [
  'timestamp',
  'fileline',
  'function_name',
  'blackbox',
  'to_stderr',
  'to_logfile',
  'to_syslog',
  'logfile',
  'logfile_priority',
  'syslog_facility',
  'syslog_priority',
  'debug',
];

/**
 * Reads a corosync.conf for the transports udp and udpu.
 *
 * A key that is not supported is an error, as whoever wrote it expects something of it; `logging` is the daemon's own
 * affair and only its keys are checked.
 *
 * Source: corosync.conf(5); corosync exec/totemconfig.c for defaults.
 *
 * @throws {ConfigError} with the line, for what is no corosync.conf, not supported, or contradicts itself.
 */
export function parseCorosyncConf(text: string): CorosyncConf {
  const root = parseConfText(text);
  new ConfValues(root, 'corosync.conf').end();
  for (const { name, line } of root.sections) {
    if (!SECTIONS.includes(name)) throw unsupported(name, SECTIONS, line);
  }
  const nodes = readNodes(only(root, 'nodelist'));
  checkLogging(root.sections.filter(({ name }) => name === 'logging'));
  const quorum = readQuorum(only(root, 'quorum'), nodes);
  return { nodes, ...readTotem(only(root, 'totem'), nodes.length), ...(quorum && { quorum }) };
}

const SECTIONS = ['totem', 'nodelist', 'quorum', 'logging'];

function only(parent: ConfSection, name: string): ConfSection | undefined {
  const [first, second] = parent.sections.filter((section) => section.name === name);
  if (second !== undefined) throw new ConfigError(name, name, 'the section once', { line: second.line });
  return first;
}

function unsupported(section: string, known: readonly string[], line: number): ConfigError {
  return new ConfigError(section, section, `a section that is supported here: ${known.join(', ')}`, { line });
}

function noSections(section: ConfSection, known: readonly string[] = []): void {
  const other = section.sections.find(({ name }) => !known.includes(name));
  if (other === undefined) return;
  if (known.length > 0) throw unsupported(`${section.name}.${other.name}`, known, other.line);
  throw new ConfigError(`${section.name}.${other.name}`, other.name, 'no section', { line: other.line });
}

function readNodes(nodelist: ConfSection | undefined): readonly CorosyncNode[] {
  if (nodelist === undefined) throw new ConfigError('nodelist', '', 'a section with every node of the ring');
  new ConfValues(nodelist, 'nodelist').end();
  noSections(nodelist, ['node']);
  const nodes: CorosyncNode[] = [];
  for (const section of nodelist.sections) {
    const values = new ConfValues(section, 'nodelist.node');
    const node = readNode(values);
    if (nodes.some(({ id }) => id === node.id)) throw values.error('nodeid', 'every id once');
    if (nodes.some(({ address }) => address === node.address)) throw values.error('ring0_addr', 'every address once');
    noSections(section);
    nodes.push(node);
  }
  if (nodes.length === 0) throw new ConfigError('nodelist', '', 'at least one node', { line: nodelist.line });
  return nodes;
}

function readNode(values: ConfValues): CorosyncNode {
  const id = values.number('nodeid', 1);
  if (id === undefined) throw values.error('nodeid', 'the id of the node');
  const address = values.text('ring0_addr');
  if (address === undefined || !isIpAddress(address)) throw values.error('ring0_addr', 'an IPv4 or IPv6 address');
  const node = { id, address, name: values.text('name') ?? '', votes: values.number('quorum_votes', 0, 255) ?? 1 };
  values.end();
  return node;
}

function isIpAddress(text: string): boolean {
  const octets = text.split('.');
  const isIpv4 = octets.length === 4 && octets.every((octet) => /^[0-9]{1,3}$/.test(octet) && Number(octet) <= 255);
  return isIpv4 || (/^[0-9a-fA-F:.]+$/.test(text) && text.split(':').length > 2);
}

function readTotem(totem: ConfSection | undefined, nodes: number): Omit<CorosyncConf, 'nodes' | 'quorum'> {
  if (totem === undefined) throw new ConfigError('totem', '', 'a section with "version: 2"');
  const values = new ConfValues(totem, 'totem');
  if (values.oneOf('version', ['2']) === undefined) throw values.error('version', '2');
  const transport = values.oneOf('transport', ['udpu', 'udp']);
  if (transport === undefined) throw values.error('transport', 'udpu or udp, the default of corosync is knet');
  for (const [key, off] of [
    ['crypto_cipher', 'none'],
    ['crypto_hash', 'none'],
    ['secauth', 'off'],
  ] as const) {
    values.oneOf(key, [off]);
  }
  const clusterName = values.text('cluster_name') ?? '';
  const link = readInterface(totem);
  const conf = {
    clusterName,
    configVersion: values.number('config_version') ?? 0,
    transport,
    port: link.port,
    multicastAddress: link.multicastAddress ?? multicastAddressOf(clusterName),
    ttl: link.ttl,
    netMtu: values.number('netmtu', 256, 65_535) ?? 1500,
    isUnlistedBlocked: values.isOn('block_unlisted_ips') ?? true,
    timings: readTimings(values, nodes),
  };
  values.end();
  return conf;
}

interface Link {
  readonly port: number;
  readonly multicastAddress?: string;
  readonly ttl: number;
}

function readInterface(totem: ConfSection): Link {
  noSections(totem, ['interface']);
  const section = only(totem, 'interface');
  if (section === undefined) return { port: DEFAULT_PORT, ttl: 1 };
  const values = new ConfValues(section, 'totem.interface');
  for (const key of ['linknumber', 'ringnumber']) values.number(key, 0, 0);
  // The nodelist says which address is this node's.
  values.text('bindnetaddr');
  values.oneOf('broadcast', ['no']);
  const multicastAddress = values.text('mcastaddr');
  if (multicastAddress !== undefined && !isIpAddress(multicastAddress)) {
    throw values.error('mcastaddr', 'an IPv4 or IPv6 multicast address');
  }
  const port = values.number('mcastport', 2, 65_535) ?? DEFAULT_PORT;
  const ttl = values.number('ttl', 0, 255) ?? 1;
  values.end();
  noSections(section);
  return { port, ttl, ...(multicastAddress !== undefined && { multicastAddress }) };
}

const DEFAULT_PORT = 5405;

/**
 * The group of a cluster without `mcastaddr`: 239.192.x.y of a hash of its name.
 *
 * Source: corosync exec/totemconfig.c, `generate_cluster_id` and `get_cluster_mcast_addr`.
 */
function multicastAddressOf(clusterName: string): string {
  let id = 0;
  for (let i = 0; i < clusterName.length; i++) id = (2 * id + clusterName.charCodeAt(i)) & 0xffff;
  return `239.192.${id >>> 8}.${id % 255}`;
}

function readTimings(values: ConfValues, nodes: number): TotemTimings {
  const options: Record<keyof TimingOptions, number | undefined> = {
    tokenMs: values.number('token'),
    tokenCoefficientMs: values.number('token_coefficient'),
    retransmitsBeforeLoss: values.number('token_retransmits_before_loss_const', 1),
    tokenRetransmitMs: values.number('token_retransmit'),
    holdMs: values.number('hold'),
    consensusMs: values.number('consensus'),
    joinMs: values.number('join'),
    sendJoinMs: values.number('send_join'),
    mergeMs: values.number('merge'),
    heartbeatFailuresAllowed: values.number('heartbeat_failures_allowed'),
    maxNetworkDelayMs: values.number('max_network_delay'),
    downcheckMs: values.number('downcheck', 30),
  };
  const derived = corosync31(nodes, Object.fromEntries(Object.entries(options).filter(([, ms]) => ms !== undefined)));
  return {
    ...derived,
    tokenWarningPercent: values.number('token_warning', 0, 100) ?? derived.tokenWarningPercent,
    failRecvConst: values.number('fail_recv_const', 1) ?? derived.failRecvConst,
    seqnoUnchangedConst: values.number('seqno_unchanged_const', 1) ?? derived.seqnoUnchangedConst,
    missCountConst: values.number('miss_count_const', 1) ?? derived.missCountConst,
    windowSize: values.number('window_size', 1) ?? derived.windowSize,
    maxMessages: values.number('max_messages', 1) ?? derived.maxMessages,
    cancelTokenHoldOnRetransmit: values.isOn('cancel_token_hold_on_retransmit') ?? derived.cancelTokenHoldOnRetransmit,
  };
}

function readQuorum(section: ConfSection | undefined, nodes: readonly CorosyncNode[]): CorosyncQuorum | undefined {
  if (section === undefined) return undefined;
  const values = new ConfValues(section, 'quorum');
  const provider = values.oneOf('provider', ['corosync_votequorum']);
  const isTwoNode = values.isOn('two_node') ?? false;
  const quorum = {
    expectedVotes: values.number('expected_votes', 1) ?? nodes.reduce((sum, { votes }) => sum + votes, 0),
    isTwoNode,
    isWaitForAll: values.isOn('wait_for_all') ?? isTwoNode,
  };
  values.end();
  noSections(section);
  return provider === undefined ? undefined : quorum;
}

function checkLogging(sections: readonly ConfSection[]): void {
  for (const section of sections) {
    const values = new ConfValues(section, 'logging');
    for (const key of [...LOGGING_KEYS, 'subsys']) values.text(key);
    values.end();
    noSections(section, ['logger_subsys']);
    checkLogging(section.sections);
  }
}
