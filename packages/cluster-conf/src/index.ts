export {
  type ClusterConf,
  type ConfVerdict,
  type ParsedConf,
  parseClusterConf,
  validateClusterConf,
} from './cluster-conf.js';
export type { CmanSection, MulticastSection, Transport } from './cman-section.js';
export type {
  ClvmdSection,
  DlmSection,
  FenceDaemonSection,
  FenceXvmdSection,
  GfsControldSection,
  GroupSection,
  LockspaceSection,
  PlockSection,
  UidGidSection,
} from './daemon-sections.js';
export { EditableConf, type NewElement } from './editable-conf.js';
export type { ConfElement } from './element.js';
export type { LoggingDaemon, LoggingSection, LogTarget } from './logging-section.js';
export type { AltName, ClusterNode, DeviceUse, FenceDevice, FenceMethod } from './nodes-section.js';
export type { ConfWarning } from './problem.js';
export type { HeuristicSection, QuorumdSection } from './quorumd-section.js';
export type { FailoverDomain, FailoverDomainNode, RmSection } from './rm-section.js';
export { consensusOf, type TotemInterface, type TotemSection } from './totem-section.js';
export { type ElementSpan, parseXml, type XmlDocument } from './xml.js';
