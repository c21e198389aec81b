/**
 * What tools ask the daemons `dlm_controld` and `gfs_controld`. The reply to `list` is the daemon's lockspaces
 * (`ControlledLockspaceView[]`) or mount groups (`MountgroupView[]`); to `dump` what it has noted, a text.
 */
export interface ControldCall {
  readonly kind: 'list' | 'dump';
}
