export {
  type ChangeView,
  type ControldConfig,
  type ControldInput,
  type ControldOutput,
  type ControldReject,
  type ControldView,
  type ControlledLockspaceView,
  type ControlledNodeView,
  DAEMON_GROUP,
  DlmControld,
  lockspaceGroup,
  type PlockInput,
  type RingId,
  type WaitState,
} from './controld.js';
export { debugText } from './debug-text.js';
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
export type { LockspaceView, LockView, ResourceView } from './lockspace-view.js';
export { lockspacesText } from './lockspaces-text.js';
export type { MidcommsView } from './midcomms.js';
export { isCompatible, isMode, Mode, type ModeName, modeName } from './mode.js';
export { PacketStream, type StreamDefect } from './packet-header.js';
export type { PlockResourceView, PlockView } from './plock-resource.js';
export { PLOCK_EOF } from './plock-table.js';
export type { PlockConfig, PlockConflict, PlockErrno, PlockResult } from './plocks.js';
