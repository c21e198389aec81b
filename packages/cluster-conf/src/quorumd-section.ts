import type { ElementReader } from './element-reader.js';

export interface HeuristicSection {
  /** Given to `/bin/sh -c`. */
  readonly program: string;
  readonly score: number;
  /** As written; undefined when qdiskd chooses it from the time it has. */
  readonly intervalSec: number | undefined;
  /** Failures in a row; undefined when qdiskd chooses it. */
  readonly tko: number | undefined;
}

/**
 * `<quorumd>`: the quorum disk. What qdiskd derives from the token and the number of nodes stays undefined here.
 *
 * Source: qdisk(5); cman/qdisk/main.c, `get_*_config_data`.
 */
export interface QuorumdSection {
  readonly intervalSec: number;
  /** Cycles. */
  readonly tko: number | undefined;
  /** Cycles. */
  readonly tkoUp: number | undefined;
  /** Cycles. */
  readonly upgradeWait: number;
  /** Cycles. */
  readonly masterWait: number | undefined;
  readonly votes: number | undefined;
  /** 0: more than half of the sum of all scores. */
  readonly minScore: number;
  readonly device: string | undefined;
  /** Overrides `device`. */
  readonly label: string | undefined;
  /** Name under which cman shows the device. */
  readonly cmanLabel: string | undefined;
  readonly statusFile: string | undefined;
  readonly scheduler: 'rr' | 'fifo' | 'other';
  readonly priority: number;
  /** `reboot`: the machine restarts when the score falls below the minimum. */
  readonly isRebooting: boolean;
  readonly isKillAllowed: boolean;
  /** `stop_cman`: the node leaves the cluster when qdiskd cannot start. */
  readonly isCmanStopped: boolean;
  /** `io_timeout`: the machine restarts when no block could be written for interval × tko. */
  readonly isIoTimeout: boolean;
  /** `paranoid`: the machine restarts when one cycle took longer than interval × tko. */
  readonly isParanoid: boolean;
  /** 0: never. */
  readonly maxErrorCycles: number;
  readonly isMasterWins: boolean;
  readonly isUptimeUsed: boolean;
  readonly heuristics: readonly HeuristicSection[];
}

const HEURISTICS_MAX = 10;

/**
 * attribute         type             default
 * interval          s                1
 * tko               cycles           derived
 * tko_up            cycles           derived
 * upgrade_wait      cycles           2
 * master_wait       cycles           derived
 * votes             0 or more        derived
 * min_score         0 or more        0
 * device            path             none
 * label             text             none
 * cman_label        text             none
 * status_file       path             none
 * scheduler         rr, fifo, other  rr
 * priority          integer          1
 * reboot            0 or 1           1
 * allow_kill        0 or 1           1
 * stop_cman         0 or 1           0
 * io_timeout        0 or 1           0
 * paranoid          0 or 1           0
 * max_error_cycles  0 or more        0
 * master_wins       0 or 1           0
 * use_uptime        0 or 1           1
 * log_level         text             read by the daemon although not in the schema; so is master_wait
 * log_facility      text
 */
export function readQuorumd(at: ElementReader): QuorumdSection {
  const section: QuorumdSection = {
    intervalSec: at.integer('interval', 1, 1),
    tko: at.optionalInteger('tko', 1),
    tkoUp: at.optionalInteger('tko_up', 0),
    upgradeWait: at.integer('upgrade_wait', 2, 1),
    masterWait: at.optionalInteger('master_wait', 0),
    votes: at.optionalInteger('votes', 0),
    minScore: at.integer('min_score', 0, 0),
    device: at.optional('device'),
    label: at.optional('label'),
    cmanLabel: at.optional('cman_label'),
    statusFile: at.optional('status_file'),
    scheduler: at.oneOf('scheduler', ['rr', 'fifo', 'other'] as const) ?? 'rr',
    priority: at.integer('priority', 1, -20, 99),
    isRebooting: at.flag('reboot', true),
    isKillAllowed: at.flag('allow_kill', true),
    isCmanStopped: at.flag('stop_cman', false),
    isIoTimeout: at.flag('io_timeout', false),
    isParanoid: at.flag('paranoid', false),
    maxErrorCycles: at.integer('max_error_cycles', 0, 0),
    isMasterWins: at.flag('master_wins', false),
    isUptimeUsed: at.flag('use_uptime', true),
    heuristics: at.children('heuristic').map(readHeuristic),
  };
  at.optional('log_level');
  at.optional('log_facility');
  checkQuorumd(at, section);
  at.finish();
  return section;
}

/** A score, interval or tko of 0 or less is replaced by qdiskd, so it is no error: by 1, 2 and 1. */
function readHeuristic(at: ElementReader): HeuristicSection {
  const section = {
    program: at.required('program', 'a command for /bin/sh -c'),
    score: replaced(at.integer('score', 1), 1),
    intervalSec: replaced(at.optionalInteger('interval'), 2),
    tko: replaced(at.optionalInteger('tko'), 1),
  };
  at.finish();
  return section;
}

function replaced<T extends number | undefined>(value: T, least: number): T | number {
  return value !== undefined && value <= 0 ? least : value;
}

function checkQuorumd(at: ElementReader, section: QuorumdSection): void {
  if (section.label === undefined && section.device === undefined) at.conflict('label', 'a label or a device');
  if (section.heuristics.length > HEURISTICS_MAX) {
    at.warnHere(`${section.heuristics.length} heuristics`, `at most ${HEURISTICS_MAX}; qdiskd reads no more`);
  }
  const total = section.heuristics.reduce((sum, { score }) => sum + score, 0);
  if (section.heuristics.length > 0 && section.minScore > total) {
    at.warn('min_score', `at most ${total}, the sum of all scores; the device will never be available`);
  }
}
