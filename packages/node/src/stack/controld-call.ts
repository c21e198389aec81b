/**
 * What tools ask the daemons `dlm_controld` and `gfs_controld`. The reply to `list` is the daemon's lockspaces
 * (`ControlledLockspaceView[]`) or mount groups (`MountgroupView[]`); to `dump` what it has noted, a text.
 *
 * dlm_controld alone: `plocks` gives the posix locks of the lockspace `name` (`PlockResourceView[]`, or ENOENT), `views` what the
 * lock manager and the daemon show of themselves (`NodeViews`); `deadlock-check` has the members of `name` look for deadlocks.
 * `cluster-views` gives what the other nodes show of the lockspace `name` and of `resources` (`ClusterViews`), when all have answered
 * or 2 s have passed.
 */
export interface ControldCall {
  readonly kind: 'list' | 'dump' | 'plocks' | 'views' | 'cluster-views' | 'deadlock-check';
  readonly name?: string;
  readonly resources?: readonly string[];
}
