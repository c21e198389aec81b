import { ConfigError, type LogPriority } from '@quorate/kernel';
import { heuristicTiming, type QuorumTimings, quorumTimings, type TimingAttributes } from './timings.js';

/** `quorumd/heuristic`. */
export interface HeuristicAttributes {
  /** Run by `/bin/sh -c`. */
  readonly program: string;
  readonly score?: number;
  readonly intervalSec?: number;
  readonly tko?: number;
}

/** `quorumd` as it stands in cluster.conf; an absent field stands for an absent attribute. */
export interface Quorumd extends Omit<TimingAttributes, 'tokenMs'> {
  readonly votes?: number;
  readonly minScore?: number;
  /** Reboot when the score is lost; true when absent. */
  readonly reboot?: boolean;
  /** Whether an eviction also kills the node in cman; true when absent. */
  readonly allowKill?: boolean;
  /** Leave the cluster when qdiskd cannot start. */
  readonly stopCman?: boolean;
  readonly ioTimeout?: boolean;
  readonly paranoid?: boolean;
  readonly maxErrorCycles?: number;
  readonly masterWins?: boolean;
  /** Measure spans in hundredths of a second, as /proc/uptime gives them; true when absent. */
  readonly useUptime?: boolean;
  readonly statusFile?: string;
  readonly label?: string;
  readonly cmanLabel?: string;
  readonly heuristics?: readonly HeuristicAttributes[];
}

/** `clusternodes/clusternode`. */
export interface ClusterNode {
  readonly nodeId: number;
  readonly name: string;
  readonly votes: number;
}

export interface Heuristic {
  readonly program: string;
  readonly score: number;
  readonly intervalSec: number;
  readonly tko: number;
}

/** What a running qdiskd takes over when the configuration changes. */
export interface DynamicSettings {
  readonly votes: number;
  /** Number of nodes minus 1; -1 when it could not be derived. */
  readonly automaticVotes: number;
  readonly hasAutomaticVotes: boolean;
  readonly reboots: boolean;
  readonly allowsKill: boolean;
  readonly stopsCman: boolean;
  readonly ioTimeout: boolean;
  readonly isParanoid: boolean;
  /** 0 is never. */
  readonly maxErrorCycles: number;
  readonly statusFile: string | undefined;
}

/** What it keeps from its start. */
export interface StaticSettings {
  readonly timings: QuorumTimings;
  /** 0: more than half of the heuristics' total. */
  readonly minScore: number;
  readonly masterWins: boolean;
  readonly hasAutomaticMasterWins: boolean;
  readonly usesUptime: boolean;
  readonly cmanLabel: string | undefined;
  readonly heuristics: readonly Heuristic[];
}

export interface LogLine {
  readonly priority: LogPriority;
  readonly text: string;
}

const MAX_HEURISTICS = 10;

/**
 * The settings that qdiskd reads again on every change of the configuration, and what it logs while it reads them.
 *
 * Source: cluster.git cman/qdisk/main.c, `get_dynamic_config_data`, `auto_qdisk_votes`.
 */
export function dynamicSettings(
  quorumd: Quorumd,
  nodes: readonly ClusterNode[],
  log: (line: LogLine) => void,
): DynamicSettings {
  const automaticVotes = automaticQdiskVotes(nodes, log);
  const ioTimeout = quorumd.ioTimeout ?? false;
  return {
    votes: quorumd.votes === undefined ? automaticVotes : Math.max(0, quorumd.votes),
    automaticVotes,
    hasAutomaticVotes: quorumd.votes === undefined,
    reboots: quorumd.reboot ?? true,
    allowsKill: quorumd.allowKill ?? true,
    stopsCman: quorumd.stopCman ?? false,
    ioTimeout,
    isParanoid: quorumd.paranoid ?? false,
    maxErrorCycles: ioTimeout ? 0 : Math.max(0, quorumd.maxErrorCycles ?? 0),
    statusFile: quorumd.statusFile,
  };
}

function automaticQdiskVotes(nodes: readonly ClusterNode[], log: (line: LogLine) => void): number {
  const odd = nodes.find((node) => node.votes !== 1);
  if (odd !== undefined) {
    log({ priority: 'err', text: `${odd.name}'s vote count is ${odd.votes}` });
    log({ priority: 'err', text: "Set all node vote counts to 1 or specify qdiskd's votes" });
    return -2;
  }
  const votes = nodes.length - 1;
  if (votes <= 0) log({ priority: 'err', text: 'Unable to determine qdiskd votes automatically' });
  else log({ priority: 'debug', text: `Setting autocalculated votes to ${votes}` });
  return votes;
}

/**
 * The settings that qdiskd reads once, and what it logs while it reads them.
 *
 * Source: cluster.git cman/qdisk/main.c, `get_static_config_data`, `get_config_data`; score.c, `configure_heuristics`.
 *
 * @throws {ConfigError} for the reasons of `quorumTimings`, for automatic votes that cannot be derived and for more
 * than 10 heuristics.
 */
export function staticSettings(
  quorumd: Quorumd,
  tokenMs: number | undefined,
  dynamic: DynamicSettings,
  log: (line: LogLine) => void,
): StaticSettings {
  if (dynamic.votes < 0) {
    throw new ConfigError(
      '/cluster/quorumd/@votes',
      '',
      'a number, because it cannot be derived from nodes that have not 1 vote each',
    );
  }
  const timings = quorumTimings(tokenMs === undefined ? quorumd : { ...quorumd, tokenMs });
  logTimings(quorumd, timings, log);
  const heuristics = heuristicsOf(quorumd.heuristics ?? [], timings.heuristicCeilingSec, log);
  const masterWins = masterWinsOf(quorumd, dynamic, heuristics.length > 0, log);
  log({
    priority: 'debug',
    text: `Quorum Daemon: ${heuristics.length} heuristics, ${timings.intervalSec} interval, ${timings.tko} tko, ${dynamic.votes} votes`,
  });
  return {
    timings,
    minScore: Math.max(0, quorumd.minScore ?? 0),
    masterWins: masterWins !== 'off',
    hasAutomaticMasterWins: masterWins === 'automatic',
    usesUptime: quorumd.useUptime ?? true,
    cmanLabel: quorumd.cmanLabel === '' ? undefined : quorumd.cmanLabel,
    heuristics,
  };
}

function logTimings(quorumd: Quorumd, timings: QuorumTimings, log: (line: LogLine) => void): void {
  const { tko, intervalSec, tokenMs, tkoUp, masterWait, upgradeWait } = timings;
  if (quorumd.tko === undefined) {
    log({
      priority: 'debug',
      text: `Auto-configured TKO as ${tko} based on token=${tokenMs} interval=${intervalSec}`,
    });
  }
  if (tko < 4) log({ priority: 'warning', text: `Quorum disk TKO (${tko}) is too low!` });
  log({ priority: 'debug', text: `Timings: ${tko} tko, ${intervalSec} interval` });
  log({
    priority: 'debug',
    text: `Timings: ${tkoUp} tko_up, ${masterWait} master_wait, ${upgradeWait} upgrade_wait`,
  });
}

function heuristicsOf(
  attributes: readonly HeuristicAttributes[],
  ceilingSec: number,
  log: (line: LogLine) => void,
): readonly Heuristic[] {
  if (attributes.length > MAX_HEURISTICS) {
    throw new ConfigError('/cluster/quorumd/heuristic', String(attributes.length), `at most ${MAX_HEURISTICS} of them`);
  }
  const heuristics = attributes.map(({ program, score = 1, intervalSec, tko }) => {
    const timing = heuristicTiming(ceilingSec, intervalSec, tko);
    const heuristic = { program, score: score <= 0 ? 1 : score, ...timing };
    log({
      priority: 'debug',
      text: `Heuristic: '${program}' score=${heuristic.score} interval=${timing.intervalSec} tko=${timing.tko}`,
    });
    return heuristic;
  });
  log({ priority: 'debug', text: `${heuristics.length} heuristics loaded` });
  return heuristics;
}

function masterWinsOf(
  quorumd: Quorumd,
  dynamic: DynamicSettings,
  hasHeuristics: boolean,
  log: (line: LogLine) => void,
): 'on' | 'off' | 'automatic' {
  const isSimple = !hasHeuristics && dynamic.automaticVotes === 1;
  if (quorumd.masterWins !== true) {
    if (!isSimple || !dynamic.hasAutomaticVotes) return 'off';
    log({ priority: 'info', text: 'Enabling master-wins mode for simple two-node cluster' });
    return 'automatic';
  }
  if (hasHeuristics) {
    log({ priority: 'warning', text: 'Master-wins mode disabled (not compatible with heuristics)' });
  }
  if (dynamic.automaticVotes !== 1) {
    log({ priority: 'warning', text: 'Master-wins mode disabled (not compatible with more than 2 nodes)' });
  }
  return isSimple ? 'on' : 'off';
}
