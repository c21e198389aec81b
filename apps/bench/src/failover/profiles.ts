import { CLUSTER_CONF } from '@quorate/lab';

/** Timers that a failover is measured with. */
export interface Profile {
  readonly name: 'default' | 'fast';
  /** What differs from the walk-through's file. */
  readonly settings: string;
  readonly clusterConf: string;
  /** The same for a cluster without a quorum disk. */
  readonly withoutDisk: {
    readonly settings: string;
    /** Attributes of `<totem>`. */
    readonly totem: string;
  };
}

/** The timers of RHEL 6, as the walk-through leaves them. */
const DEFAULT: Profile = {
  name: 'default',
  settings: "the walk-through's: token 10 s, consensus 12 s, heuristic tko 10, sleeptime 10 s",
  clusterConf: CLUSTER_CONF,
  withoutDisk: { settings: 'token 10 s, consensus 12 s', totem: 'token="10000"' },
};

/**
 * As fast as this cluster gets with a quorum disk, whose daemon refuses a token below 10 s.
 *
 * A consensus below the token is safe here: it has to outlast an exchange of join messages, 60 ms apart. The heuristic has to
 * fail before the ring is lost, or a node without a network fences the others.
 */
const FAST: Profile = {
  name: 'fast',
  settings:
    'token 10 s (the least beside qdiskd), consensus 1 s, token_retransmits_before_loss_const 20, heuristic tko 3, sleeptime 0',
  clusterConf: changed(CLUSTER_CONF, [
    ['<totem token="10000"/>', '<totem token="10000" consensus="1000" token_retransmits_before_loss_const="20"/>'],
    ['score="2" tko="10"', 'score="2" tko="3"'],
    ['sleeptime="10"', 'sleeptime="0"'],
  ]),
  withoutDisk: { settings: 'token 1 s, consensus 1.2 s', totem: 'token="1000" consensus="1200"' },
};

export const PROFILES: readonly Profile[] = [DEFAULT, FAST];

function changed(text: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((conf, [from, to]) => {
    if (!conf.includes(from)) throw new RangeError(`cluster.conf has no ${from}`);
    return conf.replace(from, to);
  }, text);
}
