/** `fence_daemon` of cluster.conf; an absent field stands for an absent attribute. */
export interface FenceDaemon {
  /** Seconds; -1 waits for ever. 6 when absent. */
  readonly postJoinDelaySec?: number;
  /** Seconds; -1 waits for ever. 0 when absent. */
  readonly postFailDelaySec?: number;
  readonly isCleanStart?: boolean;
  readonly isUndefinedSkipped?: boolean;
  /**
   * Seconds that a `fence_check` which runs is waited for before fencing, and then ended. 0 when absent, where the original has 5:
   * with a number here `find-fence-check` has to be answered.
   */
  readonly fenceCheckDelaySec?: number;
  /** Where `fence_ack_manual` writes; empty: there is no override, and a failed attempt is repeated after 5 s. */
  readonly overridePath?: string;
  /** Seconds; 3 when absent. */
  readonly overrideTimeSec?: number;
}

export const OVERRIDE_PATH = '/var/run/cluster/fenced_override';

/** What fenced goes by. Source: cluster.git fence/fenced/config.h. */
export function withDefaults(daemon: FenceDaemon): Required<FenceDaemon> {
  return {
    postJoinDelaySec: daemon.postJoinDelaySec ?? 6,
    postFailDelaySec: daemon.postFailDelaySec ?? 0,
    fenceCheckDelaySec: daemon.fenceCheckDelaySec ?? 0,
    isCleanStart: daemon.isCleanStart ?? false,
    isUndefinedSkipped: daemon.isUndefinedSkipped ?? false,
    overridePath: daemon.overridePath ?? OVERRIDE_PATH,
    overrideTimeSec: daemon.overrideTimeSec ?? 3,
  };
}
