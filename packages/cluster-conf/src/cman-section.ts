import type { ElementReader } from './element-reader.js';

export type Transport = 'udp' | 'udpb' | 'udpu' | 'rdma';

export interface MulticastSection {
  /** Undefined when it follows from the cluster id. */
  readonly address: string | undefined;
  readonly ttl: number;
  readonly port: number;
}

/** `<cman>`: votes, quorum device and transport. Source: cman(5); cman/daemon/cman-preconfig.c and ais.c. */
export interface CmanSection {
  /** `two_node`: two nodes with one vote each, and one of them is enough. */
  readonly isTwoNode: boolean;
  /** `expected_votes` as written; undefined when it is the sum of the nodes' votes. */
  readonly expectedVotes: number | undefined;
  /** `upgrading`: a rolling upgrade between major releases is under way. */
  readonly isUpgrading: boolean;
  /** `disallowed`: a node that comes back with state is kept out by cman itself. */
  readonly isDisallowedEnabled: boolean;
  /** `quorum_dev_poll` as written; undefined when it is the totem token. */
  readonly quorumDevPollMs: number | undefined;
  readonly shutdownTimeoutMs: number;
  readonly ccsdPollMs: number;
  readonly debugMask: string | undefined;
  /** UDP port; the one below it is used too. */
  readonly port: number;
  /** `cluster_id` as written; undefined when it follows from the name. */
  readonly clusterId: number | undefined;
  /** `hash_cluster_id`: the id is the FNV-1a hash of the name. */
  readonly isClusterIdHashed: boolean;
  readonly isBroadcast: boolean;
  readonly transport: Transport;
  readonly keyfile: string | undefined;
  readonly isOpenaisDisabled: boolean;
  readonly multicast: MulticastSection;
  /** Of the second ring; its address follows from the cluster id + 1. */
  readonly altmulticast: MulticastSection;
}

const TRANSPORTS: readonly Transport[] = ['udp', 'udpb', 'udpu', 'rdma'];
const DEFAULT_PORT = 5405;
const PORT_MAX = 65_535;

/**
 * attribute         type              default
 * two_node          0 or 1            0
 * expected_votes    positive          sum of the votes
 * upgrading         yes or no         no
 * disallowed        0 or 1            0
 * quorum_dev_poll   ms                token
 * shutdown_timeout  ms                5000
 * ccsd_poll         ms                1000
 * debug_mask        text              none
 * port              1..65535          that of multicast, or 5405
 * cluster_id        0..65535          from the name; 0 is the same as none
 * hash_cluster_id   yes, on, no, off  no
 * nodename          text              set by cman itself, ignored here
 * broadcast         yes or no         no
 * transport         udp, udpb, …      udp; udpb with broadcast
 * keyfile           path              none: the key is the cluster's name
 * disable_openais   0 or 1            0
 */
export function readCman(at: ElementReader): CmanSection {
  const multicast = readMulticast(at.section('multicast'), DEFAULT_PORT);
  const isBroadcast = at.switch('broadcast', false, ['yes'], ['no']);
  const written = at.oneOf('transport', TRANSPORTS);
  if (isBroadcast && written !== undefined && written !== 'udpb')
    at.error('transport', 'udpb, or none, with broadcast="yes"');
  const clusterId = at.optionalInteger('cluster_id', 0, 0xffff);
  at.optional('nodename');
  const section: CmanSection = {
    isTwoNode: at.flag('two_node', false),
    expectedVotes: at.optionalInteger('expected_votes', 1),
    isUpgrading: at.switch('upgrading', false, ['yes'], ['no']),
    isDisallowedEnabled: at.flag('disallowed', false),
    quorumDevPollMs: at.optionalInteger('quorum_dev_poll', 1),
    shutdownTimeoutMs: at.integer('shutdown_timeout', 5000, 0),
    ccsdPollMs: at.integer('ccsd_poll', 1000, 0),
    debugMask: at.optional('debug_mask'),
    port: at.integer('port', multicast.port, 1, PORT_MAX),
    clusterId: clusterId === 0 ? undefined : clusterId,
    isClusterIdHashed: at.switch('hash_cluster_id', false, ['yes', 'on'], ['no', 'off']),
    isBroadcast: isBroadcast || written === 'udpb',
    transport: isBroadcast ? 'udpb' : (written ?? 'udp'),
    keyfile: at.optional('keyfile'),
    isOpenaisDisabled: at.flag('disable_openais', false),
    multicast,
    altmulticast: readMulticast(at.section('altmulticast'), isBroadcast ? DEFAULT_PORT + 2 : DEFAULT_PORT),
  };
  at.finish();
  return section;
}

function readMulticast(at: ElementReader, port: number): MulticastSection {
  const section = {
    address: at.optionalGroup('addr'),
    ttl: at.integer('ttl', 1, 0, 255),
    port: at.integer('port', port, 1, PORT_MAX),
  };
  at.finish();
  return section;
}
