export type { ChapSecret } from './chap/chap.js';
export type {
  ConnectionEnd,
  ConnectionEndedFact,
  IscsiFact,
  LoggedInFact,
  LoginRefusedFact,
  PduFact,
  PduReceivedFact,
  PduSentFact,
  RejectedFact,
  SessionEndedFact,
} from './facts.js';
export type {
  DiscoveredTarget,
  InitiatorEnd,
  InitiatorFunction,
  IscsiInitiatorInput,
  IscsiInitiatorOutput,
} from './initiator/initiator-io.js';
export { DEFAULT_WISHES, IscsiInitiator, type IscsiInitiatorConfig } from './initiator/iscsi-initiator.js';
export { invariants } from './invariants.js';
export { LoginStatus } from './login/login-status.js';
export type { Authentication } from './login/target-login.js';
export { AsyncEvent, RejectReason, TaskResponse } from './pdu/opcode.js';
export type { Parameters } from './session/parameters.js';
export { IscsiTarget, type IscsiTargetConfig } from './target/iscsi-target.js';
export { DEFAULT_LIMITS, type Limits } from './target/limits.js';
export type { IscsiTargetInput, IscsiTargetOutput } from './target/target-io.js';
export type { TargetNodeConfig } from './target/target-node.js';
