import type { ElementReader } from './element-reader.js';

export interface TotemInterface {
  readonly ringNumber: number | undefined;
  readonly bindAddress: string | undefined;
  readonly multicastAddress: string | undefined;
  readonly multicastPort: number | undefined;
  readonly isBroadcast: boolean;
}

/**
 * `<totem>` with the defaults that cman puts into it, which are not those of corosync.
 *
 * Source: cman/daemon/cman-preconfig.c, `add_cman_overrides`; corosync.conf(5); of what the schema lacks, corosync 1.4
 * exec/totemconfig.c, `totem_config_read`.
 */
export interface TotemSection {
  readonly tokenMs: number;
  /** Written, or derived from the token and the number of nodes by `consensusOf`. */
  readonly consensusMs: number;
  readonly joinMs: number;
  /** A join waits for a random time below this before it goes out; 0, at once. */
  readonly sendJoinMs: number;
  readonly mergeMs: number;
  readonly downcheckMs: number;
  /** Heartbeats that may fail before the token counts as lost; 0, heartbeats are off. */
  readonly heartbeatFailuresAllowed: number;
  /** Added once to the time in which heartbeats may fail. */
  readonly maxNetworkDelayMs: number;
  readonly failRecvConst: number;
  readonly seqnoUnchangedConst: number;
  readonly netmtuBytes: number;
  /** Messages on the ring in one rotation of the token. */
  readonly windowSize: number;
  /** Messages of one node in one rotation of the token. */
  readonly maxMessages: number;
  readonly tokenRetransmitsBeforeLossConst: number;
  /** Undefined: follows from the token and `tokenRetransmitsBeforeLossConst`. */
  readonly tokenRetransmitMs: number | undefined;
  /** Undefined: follows from how often the token is sent again. */
  readonly holdMs: number | undefined;
  readonly missCountConst: number;
  readonly rrpMode: 'none' | 'passive' | 'active';
  readonly rrpProblemCountThreshold: number;
  /** `secauth`: datagrams are authenticated and encrypted. */
  readonly isSecauth: boolean;
  readonly keyfile: string | undefined;
  readonly interfaces: readonly TotemInterface[];
}

/**
 * cman's consensus time-out: with more than two nodes the token plus 2 s, with up to two a fifth of the token within
 * 200 ms and 2 s. An empty node list counts as three nodes.
 */
export function consensusOf(tokenMs: number, nodes: number): number {
  if (nodes === 0 || nodes > 2) return tokenMs + 2000;
  return Math.min(2000, Math.max(200, Math.floor(tokenMs / 5)));
}

/**
 * attribute                            type                   default
 * token                                ms                     10000
 * consensus                            ms                     see `consensusOf`
 * join                                 ms                     60
 * send_join                            ms                     0, not in the schema
 * merge                                ms                     200, not in the schema
 * downcheck                            ms                     1000, not in the schema
 * heartbeat_failures_allowed           count                  0, not in the schema
 * max_network_delay                    ms                     50, not in the schema
 * fail_recv_const                      rotations              2500
 * seqno_unchanged_const                rotations              30
 * netmtu                               bytes                  1500
 * window_size                          messages               50
 * max_messages                         messages               17
 * token_retransmits_before_loss_const  count                  4
 * token_retransmit                     ms                     derived, not in the schema
 * hold                                 ms                     derived, not in the schema
 * miss_count_const                     count                  5
 * rrp_mode                             none, passive, active  none; passive with a second ring
 * rrp_problem_count_threshold          count                  3
 * secauth                              on or off              on
 * keyfile                              path                   none
 */
export function readTotem(at: ElementReader, nodes: number, rings: number): TotemSection {
  const rrpMode = rings > 1 ? 'passive' : 'none';
  const tokenMs = at.integer('token', 10_000, 1);
  const section: TotemSection = {
    tokenMs,
    consensusMs: at.optionalInteger('consensus', 1) ?? consensusOf(tokenMs, nodes),
    joinMs: at.integer('join', 60, 1),
    sendJoinMs: at.integer('send_join', 0, 0),
    mergeMs: at.integer('merge', 200, 1),
    downcheckMs: at.integer('downcheck', 1000, 1),
    heartbeatFailuresAllowed: at.integer('heartbeat_failures_allowed', 0, 0),
    maxNetworkDelayMs: at.integer('max_network_delay', 50, 1),
    failRecvConst: at.integer('fail_recv_const', 2500, 1),
    seqnoUnchangedConst: at.integer('seqno_unchanged_const', 30, 1),
    netmtuBytes: at.integer('netmtu', 1500, 1),
    windowSize: at.integer('window_size', 50, 1),
    maxMessages: at.integer('max_messages', 17, 1),
    tokenRetransmitsBeforeLossConst: at.integer('token_retransmits_before_loss_const', 4, 1),
    tokenRetransmitMs: at.optionalInteger('token_retransmit', 1),
    holdMs: at.optionalInteger('hold', 1),
    missCountConst: at.integer('miss_count_const', 5, 1),
    rrpMode: at.oneOf('rrp_mode', ['none', 'passive', 'active'] as const) ?? rrpMode,
    rrpProblemCountThreshold: at.integer('rrp_problem_count_threshold', 3, 1),
    isSecauth: at.switch('secauth', true, ['on'], ['off']),
    keyfile: at.optional('keyfile'),
    interfaces: at.children('interface').map(readInterface),
  };
  at.finish();
  return section;
}

function readInterface(at: ElementReader): TotemInterface {
  const section = {
    ringNumber: at.optionalInteger('ringnumber', 0, 1),
    bindAddress: at.optionalAddress('bindnetaddr'),
    multicastAddress: at.optionalGroup('mcastaddr'),
    multicastPort: at.optionalInteger('mcastport', 1, 65_535),
    isBroadcast: at.switch('broadcast', false, ['yes'], ['no']),
  };
  at.finish();
  return section;
}
