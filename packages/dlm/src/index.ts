export { DlmControld } from './controld.js';
export type {
  ControldConfig,
  ControldInput,
  ControldOutput,
  ControldReject,
  PlockInput,
  RingId,
} from './controld-io.js';
export { DAEMON_GROUP, lockspaceGroup } from './controld-sender.js';
export type {
  ChangeView,
  ClusterNodeView,
  ControldView,
  ControlledLockspaceView,
  ControlledNodeView,
  WaitState,
} from './controld-view.js';
export { Dlm, type DlmConfig, type DlmView } from './dlm.js';
export type {
  CallInput,
  CastOutput,
  DlmInput,
  DlmOutput,
  LockInput,
  ProcessExitInput,
  PurgeInput,
  RejectReason,
  StartMember,
  UnlockInput,
} from './dlm-io.js';
export type { ControldFact, DlmFact } from './facts.js';
export { jhash, lockspaceGlobalId } from './hash.js';
export { invariants } from './invariants.js';
export { LockFlag, Status, StatusFlag } from './lock-flags.js';
export type { Confchg, Departure, LeaveReason, NodeHistory } from './lockspace-change.js';
export { type ControldHealth, controldHealth, healthText, type LockspaceHealth } from './lockspace-health.js';
export { type LockspaceView, type LockView, orphansOf, type ResourceView, type WaiterView } from './lockspace-view.js';
export type { MidcommsView } from './midcomms.js';
export { isCompatible, isMode, Mode, type ModeName, modeName } from './mode.js';
export { PacketStream, type StreamDefect } from './packet-header.js';
export type { PlockResourceView, PlockView } from './plocks/plock-resource.js';
export { PLOCK_EOF } from './plocks/plock-table.js';
export type { PlockConfig, PlockConflict, PlockErrno, PlockResult } from './plocks/plocks.js';
export { type DebugFile, debugText } from './texts/debug-text.js';
export { type LockdebugOptions, lockdebugText, lockdumpText } from './texts/lock-tables-text.js';
export { lockspacesText } from './texts/lockspaces-text.js';
export { plocksText } from './texts/plocks-text.js';
export { statusText } from './texts/status-text.js';
export type { ViewsAsked, ViewsQuestion } from './view-query.js';
export { type ClusterViews, type LockName, type NodeViews, resourcesOf, waitingLocks, whyNot } from './why-not.js';
