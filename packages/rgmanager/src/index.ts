export { AGENT_DIRECTORY, installedAgents } from './agents/agent-metadata.js';
export { agentPrograms } from './agents/index.js';
export { allowedNodes, defaultEventScript, moveOrStart } from './central/default-event-script.js';
export type { EventCluster, EventDomainInfo, EventServiceStatus, LogPart } from './central/event-cluster.js';
export type { EventScript, RgEvent } from './central/event-script.js';
export { followService } from './central/follow-service.js';
export { delta, intersection, type NodeSet, subtract, union } from './central/node-sets.js';
export type { RgNode } from './cluster/members.js';
export { type MessageDefect, type RgMessage, readMessage, writeMessage } from './cluster/message.js';
export {
  Control,
  PORT_HEADER_BYTES,
  type PortHeader,
  RG_PORT,
  readPortHeader,
  writePortHeader,
} from './cluster/port-header.js';
export {
  type AgentAction,
  type AgentChild,
  type AgentMetadata,
  type AgentParameter,
  readAgentMetadata,
} from './conf/agent-metadata.js';
export type { ConfElement } from './conf/conf-element.js';
export type { RgFact, TreeFact } from './fact.js';
export { invariants } from './invariants.js';
export type { RgInput, RgOutput, RgReply, RgRequest, ServiceOperation } from './io.js';
export type { Policy } from './manager/policy.js';
export { type ResumedState, Rgmanager, type RgmanagerConfig, type RgView } from './rgmanager.js';
export { Request, requestText } from './state/request.js';
export { Result, resultText } from './state/result.js';
export {
  decodeRecord,
  encodeRecord,
  ServiceFlag,
  type ServiceRecord,
  ServiceState,
  stateText,
} from './state/service-record.js';
export { type ClustatMember, type ClustatView, formatClustat } from './tools/clustat.js';
export { type ClustatCommand, type ClustatQuery, parseClustat } from './tools/clustat-command.js';
export {
  type ClusvcadmCommand,
  type ClusvcadmMember,
  type ClusvcadmStep,
  finishClusvcadm,
  parseClusvcadm,
  prepareClusvcadm,
} from './tools/clusvcadm.js';
export { RgTest, type RgTestOperation, type RgTestWalk } from './tools/rg-test.js';
export { type InstalledAgent, loadRules, type ResourceRule } from './tree/resource-rule.js';
