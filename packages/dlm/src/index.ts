export { Dlm, type DlmConfig, type DlmView } from './dlm.js';
export type { CastOutput, DlmInput, DlmOutput, LockInput, RejectReason, StartMember, UnlockInput } from './dlm-io.js';
export type { ControldFact, DlmFact } from './facts.js';
export { LockFlag, Status, StatusFlag } from './lock-flags.js';
export type { LockspaceView, LockView, ResourceView } from './lockspace-view.js';
export { isCompatible, isMode, Mode, type ModeName, modeName } from './mode.js';
export { PacketStream, type StreamDefect } from './packet-header.js';
