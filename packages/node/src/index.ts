export { Child } from './child.js';
export { invariants } from './invariants.js';
export {
  ClusterNode,
  KERNEL_RELEASE,
  type NodeConfig,
  type NodeFact,
  type NodeInput,
  type NodeInterface,
  type NodeOutput,
} from './node.js';
export type { BlockDevice } from './os/disks.js';
export type { FileChange } from './os/files.js';
export type { NodeIscsiFact } from './os/iscsi/iscsi-sessions.js';
export type { ProgramFault } from './os/program-faults.js';
export type { CmanAnswers, CmanCall, CmanVersion, JoinOverrides } from './programs/cman/cman-call.js';
export { resolveHost } from './programs/hosts.js';
export { fetchPage } from './programs/httpd.js';
export { iscsiRecord } from './programs/iscsiadm/record-store.js';
export { parseOptions, type ShortOptions } from './programs/options.js';
export { posixRegExp } from './programs/regular-expression.js';
export { RICCI_PORT, type RicciTask } from './programs/ricci.js';
export { withEscapes } from './programs/sh/escapes.js';
export { isIncomplete } from './programs/sh/parser.js';
export { wildcard } from './programs/sh/pattern.js';
export { askRemote, type RemoteReply, type RemoteRequest } from './programs/ssh/remote-request.js';
export { fileIn } from './programs/ssh/sshd.js';
export type { ControldCall } from './stack/controld-call.js';
export { ringIdFile } from './stack/ring-id-file.js';
export type { DlmCall, UserAst } from './stack/user-locks.js';
