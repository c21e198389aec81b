import { ConfigError, type Nanos, type Observe, SECOND } from '@quorate/kernel';
import type { NodeId } from './cluster-node.js';
import type { QuorumFact } from './fact.js';
import type { CmanNodeConfig } from './membership.js';

/** What a node's `cluster.conf` says that can be read again while cman runs. */
export interface CmanNodesConfig {
  /** `config_version`: positive, grows with each change. */
  readonly configVersion: number;
  readonly nodes: readonly CmanNodeConfig[];
  /** `cman/@expected_votes`; undefined: the sum of the nodes' votes. */
  readonly expectedVotes?: number | undefined;
}

export interface CmanConfig extends CmanNodesConfig {
  /** This node; it stands in `nodes`. */
  readonly nodeId: NodeId;
  /** 1 to 15 characters. */
  readonly clusterName: string;
  /** See `clusterIdOf`. */
  readonly clusterId: number;
  /** `two_node`: needs two nodes of one vote each. */
  readonly isTwoNode?: boolean;
  /** `cman_tool join -e`: what this node expects until the cluster's expected votes change, whatever the file says. */
  readonly expectedVotesOverride?: number;
  /** `cman_tool join -v`: votes of this node until the file is read again. */
  readonly votesOverride?: number;
  /** `quorum_dev_poll`: how long a quorum device counts after it was polled. cman takes the totem token, 10 s. */
  readonly quorumDevPoll: Nanos;
  /** `shutdown_timeout`: who has not agreed to leaving after that time does not agree. Default 5 s. */
  readonly shutdownTimeout?: Nanos;
  /** `ccsd_poll`: how often a configuration that could not be read is asked for again. Default 1 s. */
  readonly ccsdPoll?: Nanos;
  /** `startup_config_timeout`: how long after its start a node tries to get the others' configuration. Default 0. */
  readonly startupConfigTimeoutSec?: number;
  /** `disallowed`: keep out nodes that come back with state. Default false. */
  readonly isDisallowedEnabled?: boolean;
  /** For `cman_tool status`. */
  readonly multicastAddresses?: readonly string[];
  readonly observe?: Observe<QuorumFact>;
}

export const DEFAULT_SHUTDOWN_TIMEOUT: Nanos = 5 * SECOND;
export const DEFAULT_CCSD_POLL: Nanos = SECOND;

const CLUSTER_NAME_MAX = 15;
const VOTES_MAX = 255;

/** @throws {ConfigError} when cman would refuse to start with it. */
export function checkCmanConfig(config: CmanConfig): void {
  const { clusterName, clusterId, nodeId, quorumDevPoll } = config;
  if (clusterName.length < 1 || clusterName.length > CLUSTER_NAME_MAX) {
    throw new ConfigError('clusterName', clusterName, `1 to ${CLUSTER_NAME_MAX} characters`);
  }
  if (!isWithin(clusterId, 0, 0xffff)) throw new ConfigError('clusterId', String(clusterId), '0 to 65535');
  if (!(quorumDevPoll > 0)) throw new ConfigError('quorumDevPoll', String(quorumDevPoll), 'more than 0 ns');
  checkNodesConfig(config);
  checkOverrides(config);
  if (!config.nodes.some((node) => node.nodeId === nodeId)) {
    throw new ConfigError('nodeId', String(nodeId), 'the id of one of the nodes');
  }
  if (config.isTwoNode === true) checkTwoNode(config);
}

function checkOverrides({ expectedVotesOverride, votesOverride }: CmanConfig): void {
  if (expectedVotesOverride !== undefined && !isWithin(expectedVotesOverride, 1, 0x7fff_ffff)) {
    throw new ConfigError('expectedVotesOverride', String(expectedVotesOverride), 'a positive 31-bit integer');
  }
  if (votesOverride !== undefined && !isWithin(votesOverride, 0, VOTES_MAX)) {
    throw new ConfigError('votesOverride', String(votesOverride), `0 to ${VOTES_MAX}`);
  }
}

function checkTwoNode({ nodes, votesOverride = 1 }: CmanConfig): void {
  if (nodes.length === 2 && nodes.every((node) => (node.votes ?? 1) === 1) && votesOverride === 1) return;
  throw new ConfigError('isTwoNode', 'true', 'exactly two nodes with one vote each');
}

/** @throws {ConfigError} when a version, an id, a vote or expected votes are out of range, or an id or name is there twice. */
export function checkNodesConfig({ configVersion, nodes, expectedVotes }: CmanNodesConfig): void {
  if (!isWithin(configVersion, 1, 0xffff_ffff)) {
    throw new ConfigError('configVersion', String(configVersion), 'a positive 32-bit integer');
  }
  if (expectedVotes !== undefined && !isWithin(expectedVotes, 1, 0x7fff_ffff)) {
    throw new ConfigError('expectedVotes', String(expectedVotes), 'a positive 31-bit integer');
  }
  const ids = new Set<NodeId>();
  const names = new Set<string>();
  nodes.forEach((node, i) => {
    if (!isWithin(node.nodeId, 1, 0x7fff_ffff) || ids.has(node.nodeId)) {
      throw new ConfigError(`nodes[${i}].nodeId`, String(node.nodeId), 'a positive 31-bit integer of its own');
    }
    if (names.has(node.name)) throw new ConfigError(`nodes[${i}].name`, node.name, 'a name of its own');
    if (!isWithin(node.votes ?? 1, 0, VOTES_MAX)) {
      throw new ConfigError(`nodes[${i}].votes`, String(node.votes), `0 to ${VOTES_MAX}`);
    }
    ids.add(node.nodeId);
    names.add(node.name);
  });
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
