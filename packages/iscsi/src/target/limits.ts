import { ConfigError, type Nanos, SECOND } from '@quorate/kernel';
import { DEFAULT_PARAMETERS, type Parameters } from '../session/parameters.js';

/** What bounds a target, whatever its initiators do. */
export interface Limits {
  /** TCP connections, logged in or not. */
  readonly connections: number;
  /** Of these, connections that have not logged in yet. */
  readonly halfOpenConnections: number;
  readonly sessions: number;
  /** MaxConnections: connections of one session. */
  readonly connectionsPerSession: number;
  /** Time from the connection to full feature phase. */
  readonly login: Nanos;
  /** Silence after which a connection is pinged. */
  readonly ping: Nanos;
  /** Silence after the ping after which it is dropped. */
  readonly pingAnswer: Nanos;
  /** Time that initiators have for a logout once the target stops. */
  readonly stop: Nanos;
  /** Commands of a session that are open at a time: MaxCmdSN follows. */
  readonly commandWindow: number;
  /** MaxRecvDataSegmentLength of the target, bytes. */
  readonly maxRecvDataSegmentLength: number;
  readonly firstBurstLength: number;
  readonly maxBurstLength: number;
  readonly maxOutstandingR2T: number;
  /** Longest Data-Out of one command, bytes. What asks for more is handed to the unit without data, which refuses it. */
  readonly dataOutBytes: number;
  /**
   * Data-Out that is put together, of all sessions, bytes; at least four times `dataOutBytes`. Above it solicited data
   * waits, and above half of it unsolicited data is refused.
   */
  readonly bufferedBytes: number;
  /** Requests of a session that came before their turn, with their data, bytes. */
  readonly heldBytes: number;
  /** Bytes sent and not yet taken by the network, of one connection, from which on its commands wait. */
  readonly unsentBytes: number;
}

export const DEFAULT_LIMITS: Limits = {
  connections: 128,
  halfOpenConnections: 32,
  sessions: 64,
  connectionsPerSession: 4,
  login: 15 * SECOND,
  // An initiator of libiscsi that does something else for a minute is not dead.
  ping: 60 * SECOND,
  pingAnswer: 30 * SECOND,
  stop: 5 * SECOND,
  commandWindow: 128,
  maxRecvDataSegmentLength: 262_144,
  firstBurstLength: 262_144,
  maxBurstLength: 1_048_576,
  maxOutstandingR2T: 4,
  dataOutBytes: 16 * 1024 * 1024,
  bufferedBytes: 64 * 1024 * 1024,
  heldBytes: 4 * 1024 * 1024,
  unsentBytes: 4 * 1024 * 1024,
};

/** @throws {ConfigError} for a limit that is not a positive number, or that the protocol does not allow. */
export function checkLimits(limits: Partial<Limits>): Limits {
  const all = { ...DEFAULT_LIMITS, ...limits };
  for (const [name, value] of Object.entries(all)) {
    if (!(value > 0)) throw new ConfigError(`/limits/${name}`, `${value}`, 'more than 0');
  }
  for (const name of ['maxRecvDataSegmentLength', 'firstBurstLength', 'maxBurstLength'] as const) {
    const value = all[name];
    if (value < 512 || value > 0xff_ffff) throw new ConfigError(`/limits/${name}`, `${value}`, '512 to 16777215');
  }
  if (all.firstBurstLength > all.maxBurstLength) {
    throw new ConfigError('/limits/firstBurstLength', `${all.firstBurstLength}`, `at most ${all.maxBurstLength}`);
  }
  if (all.bufferedBytes < 4 * all.dataOutBytes) {
    throw new ConfigError('/limits/bufferedBytes', `${all.bufferedBytes}`, `at least ${4 * all.dataOutBytes}`);
  }
  return all;
}

/** What the target would like in a login. */
export function wantedParameters(limits: Limits): Parameters {
  return {
    ...DEFAULT_PARAMETERS,
    headerDigest: true,
    dataDigest: true,
    maxConnections: limits.connectionsPerSession,
    initialR2T: false,
    immediateData: true,
    maxRecvDataSegmentLength: limits.maxRecvDataSegmentLength,
    firstBurstLength: limits.firstBurstLength,
    maxBurstLength: limits.maxBurstLength,
    maxOutstandingR2T: limits.maxOutstandingR2T,
    defaultTime2Retain: 0,
  };
}
