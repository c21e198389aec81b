import { formatDateTime } from '@quorate/kernel';
import { type ClusterNode, NodeFlag, type NodeId, type NodeState } from './cluster-node.js';
import type { QuorumDevice } from './quorum-device.js';

/** One node as `cman_tool nodes` shows it; the quorum device stands among them with id 0. */
export interface CmanNodeStatus {
  readonly nodeId: NodeId;
  readonly name: string;
  readonly state: NodeState;
  readonly votes: number;
  readonly expectedVotes: number;
  /** Ring sequence of the configuration in which it became a member; 0 for the quorum device. */
  readonly incarnation: number;
  /** Wall clock second in which it became a member here, or the device was registered; 0: never. */
  readonly joinedAt: number;
  /** `LeaveReason` of the last time it left. */
  readonly leaveReason: number;
  readonly addresses: readonly string[];
  readonly isUs: boolean;
  readonly isFenced: boolean;
  /** Wall clock second; 0: never. */
  readonly fencedAt: number;
  readonly fenceAgent: string;
}

export function nodeStatusOf(node: ClusterNode, isUs: boolean): CmanNodeStatus {
  return {
    nodeId: node.nodeId,
    name: node.name,
    state: node.state,
    votes: node.votes,
    expectedVotes: node.expectedVotes,
    incarnation: node.incarnation,
    joinedAt: node.joinedAt,
    leaveReason: node.leaveReason,
    addresses: node.addresses,
    isUs,
    isFenced: (node.flags & NodeFlag.fenced) !== 0,
    fencedAt: node.fencedAt,
    fenceAgent: node.fenceAgent,
  };
}

export function deviceStatusOf(device: QuorumDevice): CmanNodeStatus {
  return {
    nodeId: 0,
    name: device.name,
    state: device.isUp ? 'member' : 'dead',
    votes: device.votes,
    expectedVotes: 0,
    incarnation: 0,
    joinedAt: device.registeredAt,
    leaveReason: 0,
    addresses: [],
    isUs: false,
    isFenced: false,
    fencedAt: 0,
    fenceAgent: '',
  };
}

/** A node's record of the cluster as `cman_tool status` shows it. */
export interface CmanStatus {
  /** `6.2.0`. */
  readonly version: string;
  readonly configVersion: number;
  readonly clusterName: string;
  readonly clusterId: number;
  /** Ring sequence of the newest configuration. */
  readonly generation: number;
  readonly state: NodeState;
  /** Members, those on their way out included. */
  readonly nodes: number;
  readonly expectedVotes: number;
  /** Undefined while the quorum device is down. */
  readonly deviceVotes: number | undefined;
  readonly totalVotes: number;
  readonly nodeVotes: number;
  readonly quorum: number;
  readonly isQuorate: boolean;
  /** Connections to cman on this machine, the tool's own included. */
  readonly activeSubsystems: number;
  readonly isTwoNode: boolean;
  readonly isShuttingDown: boolean;
  readonly hasConfigError: boolean;
  readonly isDisallowedEnabled: boolean;
  /** It has state that cannot be merged with that of a running cluster. */
  readonly isDirty: boolean;
  /** Ascending, with 0. */
  readonly ports: readonly number[];
  readonly nodeName: string;
  readonly nodeId: NodeId;
  readonly multicastAddresses: readonly string[];
  readonly nodeAddresses: readonly string[];
  readonly disallowed: readonly string[];
}

const MEMBERSHIP_STATES: Readonly<Record<NodeState, string>> = {
  joining: 'Joining',
  member: 'Cluster-Member',
  dead: 'Not-in-Cluster',
  leaving: 'Leaving',
  disallowed: 'Unknown: code=5',
};

/** What `cman_tool status` prints, its trailing blanks included. Source: cman/cman_tool/main.c, `show_status`. */
export function formatStatus(status: CmanStatus): string {
  const lines = [
    `Version: ${status.version}`,
    `Config Version: ${status.configVersion}`,
    `Cluster Name: ${status.clusterName}`,
    `Cluster Id: ${status.clusterId}`,
    'Cluster Member: Yes',
    `Cluster Generation: ${status.generation}`,
    `Membership state: ${MEMBERSHIP_STATES[status.state]}`,
    `Nodes: ${status.nodes}`,
    `Expected votes: ${status.expectedVotes}`,
    ...(status.deviceVotes === undefined ? [] : [`Quorum device votes: ${status.deviceVotes}`]),
    `Total votes: ${status.totalVotes}`,
    `Node votes: ${status.nodeVotes}`,
    `Quorum: ${status.quorum} ${status.isQuorate ? ' ' : 'Activity blocked'}`,
    `Active subsystems: ${status.activeSubsystems}`,
    `Flags:${flagsOf(status)} `,
    `Ports Bound: ${spaced(status.ports)} `,
    `Node name: ${status.nodeName}`,
    `Node ID: ${status.nodeId}`,
    `Multicast addresses: ${spaced(status.multicastAddresses)}`,
    `Node addresses: ${spaced(status.nodeAddresses)}`,
    ...(status.disallowed.length === 0 ? [] : [`Disallowed nodes: ${spaced(status.disallowed)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function flagsOf(status: CmanStatus): string {
  return [
    status.isTwoNode && ' 2node',
    status.isShuttingDown && ' Shutdown',
    status.hasConfigError && ' Error',
    status.disallowed.length > 0 && ' DisallowedNodes',
    status.isDisallowedEnabled && ' DisallowedEnabled',
    status.isDirty && ' HaveState',
  ]
    .filter((flag) => flag !== false)
    .join('');
}

/** Each word with a blank after it. */
function spaced(words: readonly (string | number)[]): string {
  return words.map((word) => `${word} `).join('');
}

/** Columns of `cman_tool nodes -F`. */
export type NodeColumn = 'id' | 'name' | 'type' | 'addr' | 'votes' | 'exp' | 'state';

export interface FormatNodesOptions {
  /** `-a`: each member's addresses on a line of their own. */
  readonly isAddressShown?: boolean;
  /** `-n`: only nodes of these names. */
  readonly names?: readonly string[];
  /** `-F`: these columns only, and no header. Names that are none are passed over. */
  readonly columns?: readonly (NodeColumn | (string & {}))[];
}

const NO_TIME = ' '.repeat(19);

const EXTRA_STATES: Readonly<Record<NodeState, string>> = {
  joining: 'Joining',
  member: 'Member',
  dead: 'Dead',
  leaving: 'Leaving',
  disallowed: 'Disallowed',
};

/** What `cman_tool nodes` prints, times in UTC. Source: cman/cman_tool/main.c, `show_nodes` and `print_node`. */
export function formatNodes(nodes: readonly CmanNodeStatus[], options: FormatNodesOptions = {}): string {
  const { names, columns } = options;
  const disallowed = nodes.filter((node) => node.state === 'disallowed').length;
  const lines: string[] = [];
  if (disallowed > 0) {
    lines.push(`NOTE: There are ${disallowed} disallowed nodes,`);
    lines.push('      members list may seem inconsistent across the cluster');
  }
  if (columns === undefined) lines.push('Node  Sts   Inc   Joined               Name');
  const shown = [...nodes].sort((a, b) => a.nodeId - b.nodeId);
  const us = nodes.find((node) => node.isUs);
  for (const node of shown.filter(({ name }) => names === undefined || names.length === 0 || names.includes(name))) {
    // cman takes a query about node 0 for one about this node.
    if (columns !== undefined) lines.push(formatColumns(node, node.nodeId === 0 ? (us ?? node) : node, columns));
    else lines.push(...formatRow(node, options.isAddressShown === true));
  }
  return lines.map((line) => `${line}\n`).join('');
}

function formatRow(node: CmanNodeStatus, isAddressShown: boolean): readonly string[] {
  const id = String(node.nodeId).padStart(4);
  const incarnation = String(node.incarnation).padStart(5);
  const isShownSince = node.joinedAt !== 0 && typeOf(node) !== 'X';
  const joined = isShownSince ? formatDateTime(node.joinedAt) : NO_TIME;
  const row = `${id}   ${typeOf(node)}  ${incarnation}   ${joined}  ${node.name}`;
  const addresses = isAddressShown ? addressesOf(node) : [];
  return addresses.length === 0 ? [row] : [row, `       Addresses: ${spaced(addresses)}`];
}

function typeOf(node: CmanNodeStatus): string {
  return node.state === 'member' ? 'M' : node.state === 'disallowed' ? 'd' : 'X';
}

/** Corosync knows the addresses of members only. */
function addressesOf(node: CmanNodeStatus): readonly string[] {
  return node.state === 'member' ? node.addresses : [];
}

/** `extra` is whose votes and state are shown. */
function formatColumns(node: CmanNodeStatus, extra: CmanNodeStatus, columns: readonly string[]): string {
  return columns.map((column) => formatColumn(node, extra, column)).join('');
}

function formatColumn(node: CmanNodeStatus, extra: CmanNodeStatus, column: string): string {
  switch (column) {
    case 'id':
      return `${node.nodeId} `;
    case 'name':
      return `${node.name} `;
    case 'type':
      return `${typeOf(node)} `;
    case 'addr':
      return `${addressesOf(node).join(',')} `;
    case 'votes':
      return `${extra.votes} `;
    case 'exp':
      return `${extra.expectedVotes} `;
    case 'state':
      return `${EXTRA_STATES[extra.state]} `;
    default:
      return '';
  }
}
