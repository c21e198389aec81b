import type { CmanNodeStatus, CmanStatus } from '@quorate/quorum';

/** What `cman_tool join` sets in place of what `cluster.conf` says. */
export interface JoinOverrides {
  /** `-v`: this node's votes. */
  readonly votes?: number;
  /** `-e`: expected votes of the cluster. */
  readonly expectedVotes?: number;
  /** `-n`: name of this node in `cluster.conf`. */
  readonly nodeName?: string;
  /** `-N`. */
  readonly nodeId?: number;
  /** `-c`. */
  readonly clusterName?: string;
  /** `-m`. */
  readonly multicastAddress?: string;
  /** `-p`: UDP port of the ring. */
  readonly port?: number;
  /** `-2`. */
  readonly isTwoNode?: boolean;
}

/** What cman answers on its socket; `ECONNREFUSED` when it does not run. */
export type CmanCall =
  /** Undefined, or why corosync did not start; `EEXIST` when it runs. */
  | { readonly kind: 'join'; readonly overrides?: JoinOverrides }
  /** Answered when the node has left, or somebody on it said no. */
  | { readonly kind: 'leave'; readonly isRemoved: boolean; readonly isForced: boolean }
  /** A `CmanStatus`; undefined while the engine has not had its first configuration. */
  | { readonly kind: 'status' }
  /** Every known `CmanNodeStatus`; `ENOENT` while the engine has not had its first configuration. */
  | { readonly kind: 'nodes' }
  /** A `CmanVersion`. */
  | { readonly kind: 'version' }
  /** Reads `cluster.conf` again and lets the other nodes read theirs; undefined, or why the old one stays. */
  | { readonly kind: 'set-version' }
  /** Ids of the members where somebody listens on that port. */
  | { readonly kind: 'listening'; readonly port: number }
  /** Undefined or the name of an error, as the following ones. */
  | { readonly kind: 'kill'; readonly node: number }
  | { readonly kind: 'set-expected'; readonly votes: number }
  /** `node` 0: this one. */
  | { readonly kind: 'set-votes'; readonly votes: number; readonly node: number };

/** What `CMAN_CMD_GET_VERSION` gives: there before the first configuration, too. */
export interface CmanVersion {
  /** `6.2.0`. */
  readonly protocol: string;
  readonly config: number;
}

/** The answers of `CmanCall`, by its kind; a string is the name of an error or a reason. */
export interface CmanAnswers {
  readonly join: string | undefined;
  readonly leave: string | undefined;
  readonly status: CmanStatus | string | undefined;
  readonly nodes: readonly CmanNodeStatus[] | string;
  readonly version: CmanVersion | string;
  readonly 'set-version': string | undefined;
  readonly listening: readonly number[] | string;
  readonly kill: string | undefined;
  readonly 'set-expected': string | undefined;
  readonly 'set-votes': string | undefined;
}
