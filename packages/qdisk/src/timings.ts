import { ConfigError } from '@quorate/kernel';

/** What cman uses when `totem/@token` is absent. */
const DEFAULT_TOKEN_MS = 10_000;

/** What the quorum disk's timings are derived from; an absent field stands for an absent attribute. */
export interface TimingAttributes {
  /** `totem/@token` in ms. */
  readonly tokenMs?: number;
  /** `quorumd/@interval`. */
  readonly intervalSec?: number;
  readonly tko?: number;
  readonly tkoUp?: number;
  readonly upgradeWait?: number;
  readonly masterWait?: number;
}

export interface QuorumTimings {
  readonly tokenMs: number;
  /** Time between two heartbeats. */
  readonly intervalSec: number;
  /** Missed heartbeats after which one more means death. */
  readonly tko: number;
  /** Heartbeats after which one more means that a node is up. */
  readonly tkoUp: number;
  /** Cycles after coming up in which a node does not bid. */
  readonly upgradeWait: number;
  /** Cycles a bid stands before its bidder may become master. */
  readonly masterWait: number;
  /** `interval * (tko + master_wait + upgrade_wait)` in ms: a master change must be over before totem gives up. */
  readonly failoverMs: number;
  /** `interval * (tko - 1)` seconds: a heuristic that runs longer is down at once. */
  readonly heuristicCeilingSec: number;
}

/**
 * Timings of the quorum disk as qdiskd derives them.
 *
 * Source: cluster.git cman/qdisk/main.c, `get_static_config_data`.
 *
 * @throws {ConfigError} when an explicit token is below 10000 ms, or when a master change would outlast the token.
 */
export function quorumTimings(attributes: TimingAttributes): QuorumTimings {
  const tokenMs = attributes.tokenMs ?? DEFAULT_TOKEN_MS;
  if (tokenMs < DEFAULT_TOKEN_MS) {
    throw new ConfigError('/cluster/totem/@token', String(tokenMs), 'at least 10000 with a quorum disk');
  }
  const intervalSec = Math.max(1, attributes.intervalSec ?? 1);
  const tko = attributes.tko ?? Math.trunc((Math.trunc(tokenMs / 1000) - intervalSec) / 2);
  const tkoUp = Math.max(2, attributes.tkoUp ?? Math.trunc(tko / 3));
  const upgradeWait = Math.max(1, attributes.upgradeWait ?? 2);
  const wantedMasterWait = attributes.masterWait ?? Math.trunc(tko / 2);
  const masterWait = wantedMasterWait <= tkoUp ? tkoUp + 1 : wantedMasterWait;
  const failoverMs = intervalSec * (masterWait + upgradeWait + tko) * 1000;
  if (failoverMs >= tokenMs) {
    throw new ConfigError(
      '/cluster/totem/@token',
      String(tokenMs),
      `at least ${failoverMs + intervalSec * 1000} for a quorum disk with interval ${intervalSec} and tko ${tko}`,
    );
  }
  const heuristicCeilingSec = intervalSec * (tko - 1);
  return { tokenMs, intervalSec, tko, tkoUp, upgradeWait, masterWait, failoverMs, heuristicCeilingSec };
}

/** How often a heuristic runs and how often it may fail. */
export interface HeuristicTiming {
  readonly intervalSec: number;
  readonly tko: number;
}

/**
 * Timing of a heuristic from its attributes; absent ones follow from the ceiling.
 *
 * Source: cluster.git cman/qdisk/score.c, `auto_heuristic_timing`, `configure_heuristics`. Below a ceiling of 3 s the
 * original leaves both uninitialised; they are 2 s and 1 here.
 */
export function heuristicTiming(ceilingSec: number, intervalSec?: number, tko?: number): HeuristicTiming {
  const automaticInterval = automaticIntervalSec(ceilingSec);
  const automaticTko = ceilingSec < 3 ? 1 : Math.trunc(ceilingSec / automaticInterval);
  return {
    intervalSec: positiveOr(intervalSec, automaticInterval, 2),
    tko: positiveOr(tko, automaticTko, 1),
  };
}

function automaticIntervalSec(ceilingSec: number): number {
  if (ceilingSec < 3) return 2;
  if (ceilingSec <= 4) return 1;
  if (ceilingSec <= 22) return 2;
  if (ceilingSec <= 39) return 3;
  return ceilingSec <= 50 ? 4 : 5;
}

function positiveOr(value: number | undefined, whenAbsent: number, whenNotPositive: number): number {
  if (value === undefined) return whenAbsent;
  return value <= 0 ? whenNotPositive : value;
}
