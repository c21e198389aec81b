import type { ClusterConf } from '@quorate/cluster-conf';
import type { FenceConf, FenceDaemon } from '@quorate/fencing';
import { ConfigError, MILLISECOND } from '@quorate/kernel';
import type { Quorumd } from '@quorate/qdisk';
import { type CmanConfig, checkCmanConfig, clusterIdOf, multicastAddressOf } from '@quorate/quorum';
import { cman as cmanTimings, type TotemNode, type TotemTimings } from '@quorate/totem';
import type { JoinOverrides } from './programs/cman/cman-call.js';

/** What the daemons of a node read their configuration from. */
export const CONF_FILE = '/etc/cluster/cluster.conf';

/** A `cluster.conf` as the daemons of one node want it. */
export interface StackConfig {
  readonly nodeId: number;
  readonly conf: ClusterConf;
  readonly cman: CmanConfig;
  readonly totemNodes: readonly TotemNode[];
  readonly totemTimings: TotemTimings;
  /** Where the ring's packets for everybody go. */
  readonly multicastAddress: string;
  /** UDP port of the ring. */
  readonly port: number;
  readonly quorumd: Quorumd | undefined;
  /** Where the quorum disk is. */
  readonly quorumDisk: { readonly label?: string; readonly device?: string };
  readonly fenceConf: FenceConf;
  readonly fenceDaemon: FenceDaemon;
}

/** The ids of `cluster.conf`'s nodes by their ring address, and the other way round. */
export function ringAddresses(config: StackConfig): ReadonlyMap<number, string> {
  return new Map(config.totemNodes.map(({ id, address }) => [id, address ?? '']));
}

/**
 * Gives every daemon its part of `cluster.conf`.
 *
 * `addressOf` finds a node's ring address by its name, as the resolver does. `overrides` are those of `cman_tool join`.
 *
 * @throws {ConfigError} when this node is not in the file, a node's name has no address, or cman would refuse to start.
 */
export function stackConfigOf(
  conf: ClusterConf,
  hostname: string,
  addressOf: (name: string) => string | undefined,
  overrides: JoinOverrides = {},
): StackConfig {
  const nodeName = overrides.nodeName ?? hostname;
  const own = conf.nodes.find(({ name }) => name === nodeName);
  if (own === undefined) {
    const names = conf.nodes.map(({ name }) => name).join(', ');
    throw new ConfigError('/cluster/clusternodes', nodeName, `the name of this node among ${names}`);
  }
  const nodes = conf.nodes.map(({ name, nodeId, votes }): RingNode => {
    const address = addressOf(name);
    if (address === undefined) throw new ConfigError('/etc/hosts', '', `an address for ${name}`);
    return { name, nodeId: (name === nodeName && overrides.nodeId) || nodeId, votes, address };
  });
  const cman = cmanConfigOf(conf, overrides.nodeId || own.nodeId, nodes, overrides);
  checkCmanConfig(cman);
  return {
    nodeId: cman.nodeId,
    conf,
    cman,
    totemNodes: nodes.map(({ nodeId, address }) => ({ id: nodeId, address })),
    totemTimings: totemTimingsOf(conf),
    multicastAddress: cman.multicastAddresses![0]!,
    port: overrides.port ?? conf.cman.port,
    quorumd: quorumdOf(conf),
    quorumDisk: given({ label: conf.quorumd?.label, device: conf.quorumd?.device }),
    fenceConf: { nodes: conf.nodes, devices: conf.fenceDevices },
    fenceDaemon: conf.fenceDaemon,
  };
}

/** The timers follow from some of them; the constants are as they stand in `<totem>`. */
function totemTimingsOf({ nodes, totem }: ClusterConf): TotemTimings {
  const timings = cmanTimings(nodes.length, {
    tokenMs: totem.tokenMs,
    consensusMs: totem.consensusMs,
    joinMs: totem.joinMs,
    sendJoinMs: totem.sendJoinMs,
    mergeMs: totem.mergeMs,
    downcheckMs: totem.downcheckMs,
    heartbeatFailuresAllowed: totem.heartbeatFailuresAllowed,
    maxNetworkDelayMs: totem.maxNetworkDelayMs,
    retransmitsBeforeLoss: totem.tokenRetransmitsBeforeLossConst,
    ...given({ tokenRetransmitMs: totem.tokenRetransmitMs, holdMs: totem.holdMs }),
  });
  const { failRecvConst, seqnoUnchangedConst, missCountConst, windowSize, maxMessages } = totem;
  return { ...timings, failRecvConst, seqnoUnchangedConst, missCountConst, windowSize, maxMessages };
}

interface RingNode {
  readonly name: string;
  readonly nodeId: number;
  readonly votes: number;
  readonly address: string;
}

function cmanConfigOf(
  conf: ClusterConf,
  nodeId: number,
  nodes: readonly RingNode[],
  overrides: JoinOverrides,
): CmanConfig {
  const clusterName = overrides.clusterName ?? conf.name;
  const clusterId = conf.cman.clusterId ?? clusterIdOf(clusterName, conf.cman.isClusterIdHashed);
  const { expectedVotes, votes, multicastAddress = conf.cman.multicast.address } = overrides;
  return {
    nodeId,
    clusterName,
    clusterId,
    configVersion: conf.configVersion,
    nodes: nodes.map(({ address, ...node }) => ({ ...node, addresses: [address] })),
    expectedVotes: conf.cman.expectedVotes,
    isTwoNode: overrides.isTwoNode ?? conf.cman.isTwoNode,
    quorumDevPoll: (conf.cman.quorumDevPollMs ?? conf.totem.tokenMs) * MILLISECOND,
    shutdownTimeout: conf.cman.shutdownTimeoutMs * MILLISECOND,
    ccsdPoll: conf.cman.ccsdPollMs * MILLISECOND,
    isDisallowedEnabled: conf.cman.isDisallowedEnabled,
    multicastAddresses: [multicastAddress ?? multicastAddressOf(clusterId)],
    // cman takes 0 for none.
    ...given({ expectedVotesOverride: expectedVotes || undefined, votesOverride: votes || undefined }),
  };
}

function quorumdOf({ quorumd }: ClusterConf): Quorumd | undefined {
  if (quorumd === undefined) return undefined;
  const { isRebooting, isKillAllowed, isCmanStopped, isIoTimeout, isMasterWins, isUptimeUsed, isParanoid } = quorumd;
  const optional = {
    tko: quorumd.tko,
    tkoUp: quorumd.tkoUp,
    masterWait: quorumd.masterWait,
    votes: quorumd.votes,
    statusFile: quorumd.statusFile,
    label: quorumd.label,
    cmanLabel: quorumd.cmanLabel,
  };
  return {
    intervalSec: quorumd.intervalSec,
    upgradeWait: quorumd.upgradeWait,
    minScore: quorumd.minScore,
    maxErrorCycles: quorumd.maxErrorCycles,
    reboot: isRebooting,
    allowKill: isKillAllowed,
    stopCman: isCmanStopped,
    ioTimeout: isIoTimeout,
    paranoid: isParanoid,
    masterWins: isMasterWins,
    useUptime: isUptimeUsed,
    heuristics: quorumd.heuristics.map(({ program, score, intervalSec, tko }) => ({
      program,
      score,
      ...given({ intervalSec, tko }),
    })),
    ...given(optional),
  };
}

/** The fields that have a value: an absent attribute must stay absent. */
function given<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
