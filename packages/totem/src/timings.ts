import { ConfigError, MILLISECOND, type Nanos } from '@quorate/kernel';

/** Timers and constants of totemsrp, under their names of `totem { }` in corosync.conf. */
export interface TotemTimings {
  /** Silence since the last accepted token after which the ring is broken. */
  readonly token: Nanos;
  /** Silence after which the last token is sent again. */
  readonly tokenRetransmit: Nanos;
  /** How long the representative keeps an idle token. */
  readonly hold: Nanos;
  /** Period of joins while gathering. */
  readonly join: Nanos;
  /** How long a node may withhold its consensus before it is declared failed. */
  readonly consensus: Nanos;
  /** Each join waits for a random time below this before it goes out; 0, at once. */
  readonly sendJoin: Nanos;
  /** From an idle token to the representative's merge detect. */
  readonly merge: Nanos;
  /** Silence after which a token that went on counts as lost, long before `token`; Infinity where heartbeats are off. */
  readonly heartbeat: Nanos;
  /** Period in which a node alone, or without its address, looks whether its interface has that address. */
  readonly downcheck: Nanos;
  /** Share of `token` after which a missing token is logged, in percent; 0 never. */
  readonly tokenWarningPercent: number;
  /** Rotations with one's own aru stuck after which one declares oneself failed. */
  readonly failRecvConst: number;
  /** Rotations without a new message before the token is held. */
  readonly seqnoUnchangedConst: number;
  /** Token visits that a hole must survive before its message is requested. */
  readonly missCountConst: number;
  /** Packets a rotation, of all nodes together. */
  readonly windowSize: number;
  /** Packets a node may send with one token. */
  readonly maxMessages: number;
  /** Whether requests and retransmissions end the hold of an idle token, as in 2.x and before 3.1.6. */
  readonly cancelTokenHoldOnRetransmit: boolean;
}

/** What an administrator sets; the rest follows. All in milliseconds. */
export interface TimingOptions {
  readonly tokenMs?: number;
  /** Added to `tokenMs` for each node beyond two; 0 switches it off. Of 3.x only. */
  readonly tokenCoefficientMs?: number;
  /** `token_retransmits_before_loss_const`. */
  readonly retransmitsBeforeLoss?: number;
  /** Follows from the token and the retransmissions before its loss. */
  readonly tokenRetransmitMs?: number;
  /** Follows from `tokenRetransmitMs`. */
  readonly holdMs?: number;
  readonly consensusMs?: number;
  readonly joinMs?: number;
  readonly sendJoinMs?: number;
  readonly mergeMs?: number;
  /** `heartbeat_failures_allowed`; 0, the default, switches heartbeats off. */
  readonly heartbeatFailuresAllowed?: number;
  /** Added once to the time in which heartbeats may fail; 50 unless told. */
  readonly maxNetworkDelayMs?: number;
  readonly downcheckMs?: number;
}

/** Least value of a timer in ms, `MINIMUM_TIMEOUT`. */
const MINIMUM_MS = 30;
/** `1000 / HZ` with the constant HZ of 100. */
const TICK_MS = 10;

/**
 * Defaults of corosync 3.1 for a node list of that many nodes: token 3000 ms and 650 more for each node beyond two.
 *
 * Source: corosync exec/totemconfig.c; man corosync.conf.
 */
export function corosync31(nodes: number, options: TimingOptions = {}): TotemTimings {
  const coefficientMs = options.tokenCoefficientMs ?? 650;
  const tokenMs = (options.tokenMs ?? 3000) + (nodes > 2 ? coefficientMs * (nodes - 2) : 0);
  return { ...derive({ ...options, tokenMs }), tokenWarningPercent: 75 };
}

/** Defaults of corosync 1.4, the one of RHEL 6, without cman: token 1000 ms. Source: branch flatiron, same file. */
export function corosync14(options: TimingOptions = {}): TotemTimings {
  return derive({ tokenMs: 1000, ...options });
}

/**
 * What cman makes of them on RHEL 6: token 10 s, join 60 ms; consensus a fifth of the token, within 200 to 2000 ms, for
 * two nodes, and the token and 2000 ms more for three and more.
 *
 * Source: cluster (STABLE3) cman/daemon/cman-preconfig.c.
 */
export function cman(nodes: number, options: TimingOptions = {}): TotemTimings {
  const tokenMs = options.tokenMs ?? 10_000;
  const consensusMs = nodes > 2 ? tokenMs + 2000 : Math.min(Math.max(Math.floor(tokenMs / 5), 200), 2000);
  return derive({ joinMs: 60, consensusMs, ...options, tokenMs });
}

/** @throws {ConfigError} for a timer below 30 ms, a hold below 14 ms, or a consensus below join. */
function derive(options: TimingOptions & { readonly tokenMs: number }): TotemTimings {
  const {
    tokenMs,
    retransmitsBeforeLoss = 4,
    joinMs = 50,
    sendJoinMs = 0,
    mergeMs = 200,
    downcheckMs = 1000,
  } = options;
  const tokenRetransmitMs = options.tokenRetransmitMs ?? Math.floor((tokenMs * 10) / (retransmitsBeforeLoss * 10 + 2));
  const holdMs = options.holdMs ?? Math.floor((tokenRetransmitMs * 8) / 10) - TICK_MS;
  const consensusMs = options.consensusMs ?? Math.floor((tokenMs * 12) / 10);
  atLeast('token', tokenMs, MINIMUM_MS);
  atLeast('token_retransmit', tokenRetransmitMs, MINIMUM_MS);
  atLeast('hold', holdMs, 14);
  atLeast('join', joinMs, MINIMUM_MS);
  atLeast('merge', mergeMs, MINIMUM_MS);
  atLeast('consensus', consensusMs, Math.max(MINIMUM_MS, joinMs));
  atLeast('send_join', sendJoinMs, 0);
  atLeast('downcheck', downcheckMs, MINIMUM_MS);
  return {
    token: tokenMs * MILLISECOND,
    tokenRetransmit: tokenRetransmitMs * MILLISECOND,
    hold: holdMs * MILLISECOND,
    join: joinMs * MILLISECOND,
    consensus: consensusMs * MILLISECOND,
    sendJoin: sendJoinMs * MILLISECOND,
    merge: mergeMs * MILLISECOND,
    heartbeat: heartbeatOf(tokenMs, tokenRetransmitMs, options),
    downcheck: downcheckMs * MILLISECOND,
    tokenWarningPercent: 0,
    failRecvConst: 2500,
    seqnoUnchangedConst: 30,
    missCountConst: 5,
    windowSize: 50,
    maxMessages: 17,
    cancelTokenHoldOnRetransmit: false,
  };
}

/** Off also where it would not be shorter than the token's own timer. */
function heartbeatOf(tokenMs: number, tokenRetransmitMs: number, options: TimingOptions): Nanos {
  const { heartbeatFailuresAllowed = 0, maxNetworkDelayMs = 50 } = options;
  if (!(heartbeatFailuresAllowed >= 0)) {
    throw new ConfigError('totem.heartbeat_failures_allowed', `${heartbeatFailuresAllowed}`, 'at least 0');
  }
  if (heartbeatFailuresAllowed === 0) return Infinity;
  const heartbeatMs = heartbeatFailuresAllowed * tokenRetransmitMs + maxNetworkDelayMs;
  return heartbeatMs < tokenMs ? heartbeatMs * MILLISECOND : Infinity;
}

function atLeast(name: string, ms: number, least: number): void {
  if (!(ms >= least)) throw new ConfigError(`totem.${name}`, `${ms}`, `at least ${least} ms`);
}
