import type { ClusterConf } from '@quorate/cluster-conf';
import type { FenceConf, FenceDaemon } from '@quorate/fencing';
import { ConfigError, MILLISECOND } from '@quorate/kernel';
import type { Quorumd } from '@quorate/qdisk';
import { type CmanConfig, clusterIdOf, multicastAddressOf } from '@quorate/quorum';
import { cman as cmanTimings, type TotemNode, type TotemTimings } from '@quorate/totem';

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
  readonly quorumd: Quorumd | undefined;
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
 * `addressOf` finds a node's ring address by its name, as the resolver does.
 *
 * @throws {ConfigError} when this node is not in the file, or a node's name has no address.
 */
export function stackConfigOf(
  conf: ClusterConf,
  nodeName: string,
  addressOf: (name: string) => string | undefined,
): StackConfig {
  const own = conf.nodes.find(({ name }) => name === nodeName);
  if (own === undefined) {
    const names = conf.nodes.map(({ name }) => name).join(', ');
    throw new ConfigError('/cluster/clusternodes', nodeName, `the name of this node among ${names}`);
  }
  const addresses = new Map<number, string>();
  for (const { name, nodeId } of conf.nodes) {
    const address = addressOf(name);
    if (address === undefined) throw new ConfigError('/etc/hosts', '', `an address for ${name}`);
    addresses.set(nodeId, address);
  }
  const clusterId = conf.cman.clusterId ?? clusterIdOf(conf.name, conf.cman.isClusterIdHashed);
  const multicastAddress = conf.cman.multicast.address ?? multicastAddressOf(clusterId);
  return {
    nodeId: own.nodeId,
    conf,
    cman: cmanConfigOf(conf, own.nodeId, clusterId, multicastAddress, addresses),
    totemNodes: conf.nodes.map(({ nodeId }) => ({ id: nodeId, address: addresses.get(nodeId)! })),
    totemTimings: cmanTimings(conf.nodes.length, {
      tokenMs: conf.totem.tokenMs,
      consensusMs: conf.totem.consensusMs,
      joinMs: conf.totem.joinMs,
      retransmitsBeforeLoss: conf.totem.tokenRetransmitsBeforeLossConst,
    }),
    multicastAddress,
    quorumd: quorumdOf(conf),
    fenceConf: { nodes: conf.nodes, devices: conf.fenceDevices },
    fenceDaemon: conf.fenceDaemon,
  };
}

function cmanConfigOf(
  conf: ClusterConf,
  nodeId: number,
  clusterId: number,
  multicastAddress: string,
  addresses: ReadonlyMap<number, string>,
): CmanConfig {
  return {
    nodeId,
    clusterName: conf.name,
    clusterId,
    configVersion: conf.configVersion,
    nodes: conf.nodes.map((node) => ({
      nodeId: node.nodeId,
      name: node.name,
      votes: node.votes,
      addresses: [addresses.get(node.nodeId)!],
    })),
    expectedVotes: conf.cman.expectedVotes,
    isTwoNode: conf.cman.isTwoNode,
    quorumDevPoll: (conf.cman.quorumDevPollMs ?? conf.totem.tokenMs) * MILLISECOND,
    shutdownTimeout: conf.cman.shutdownTimeoutMs * MILLISECOND,
    ccsdPoll: conf.cman.ccsdPollMs * MILLISECOND,
    isDisallowedEnabled: conf.cman.isDisallowedEnabled,
    multicastAddresses: [multicastAddress],
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
