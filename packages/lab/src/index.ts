export type { ChaosFailure, ChaosOptions, ChaosResult } from './chaos/chaos-run.js';
export { coverageGoals, lockCoverageGoals } from './coverage-goals.js';
export { Director, type DirectorInput, type DirectorOutput, type LabCommand, type LabOrder } from './director.js';
export type { DiskFault, Fault, LinkFault, MachineFault } from './fault.js';
export { diskInputsOf, networkInputOf } from './fault-inputs.js';
export { Browser, type BrowserConfig, type BrowserFact } from './hosts/browser.js';
export { Gateway } from './hosts/gateway.js';
export type { Host, HostInput, HostOutput, PageRequest } from './hosts/host.js';
export { StorageHost, type StorageHostConfig } from './hosts/storage-host.js';
export { imageHash } from './image-hash.js';
export type { ThrownFact } from './invariants.js';
export type { AnyFact, Fetched, Lab, Observed, Progress, Scenario } from './lab.js';
export { NEMESIS_PRESETS, type NemesisPreset } from './nemesis/presets.js';
export { NodeClock } from './node-clock.js';
export { type OutageSpan, PHASE_KINDS, type Phase, phasesOf } from './outage-phases.js';
export {
  ClusterPicture,
  type MachinePicture,
  type Outage,
  type ServicePicture,
  type Votes,
} from './picture/cluster-picture.js';
export { type PlainTopologyOptions, plainTopology } from './plain-topology.js';
export { type Switched, switchPower } from './power-switch.js';
export type { ReadOutcome, RegisterFact } from './register-history.js';
export type { LogLine, RunWatcher } from './run-watcher.js';
export { FreeRun, LAST_INSTANT } from './scenarios/free-run.js';
export {
  CLUSTER_CONF,
  FLOATING_ADDRESS,
  formatDisks,
  freshHypervBlogTopology,
  HypervBlog,
  type HypervBlogOptions,
  hypervBlogTopology,
  type Reference,
  STEP_IDS,
  STEP_TITLES,
  type StepId,
  type StoryResult,
  type StoryStep,
  VOLUME,
} from './scenarios/hyperv-blog/index.js';
export { checkVolume } from './scenarios/hyperv-blog/volume-check.js';
export {
  IscsiSharedDisk,
  type IscsiSharedDiskResult,
  iscsiSharedDiskTopology,
} from './scenarios/iscsi-shared-disk/index.js';
export { IsolatedNode, type IsolatedNodeResult } from './scenarios/isolated-node.js';
export {
  LockChaos,
  type LockChaosResult,
  lockChaosTopology,
} from './scenarios/lock-chaos/index.js';
export { PARTITION_CASES } from './scenarios/partition/partition-cases.js';
export {
  type PartitionCase,
  type PartitionResult,
  PartitionScenario,
} from './scenarios/partition/partition-scenario.js';
export {
  ServiceChaos,
  type ServiceChaosResult,
  serviceChaosTopology,
} from './scenarios/service-chaos/index.js';
export { Storm, type StormOptions, type StormResult } from './scenarios/storm/index.js';
export { stackInvariants } from './stack-invariants.js';
export {
  type DiskSpec,
  disksOfHosts,
  type HostSpec,
  type HostSurroundings,
  type HostWithDisks,
  initiatorPort,
  type MachineSpec,
  machineConfig,
  networkConfig,
  newHost,
  nicOf,
  type StoredDisks,
  type Topology,
  targetConfig,
} from './topology.js';
export {
  type MachineFact,
  type SessionState,
  VirtualMachine,
  type VirtualMachineConfig,
  type VirtualMachineInput,
  type VirtualMachineOutput,
} from './virtual-machine.js';
