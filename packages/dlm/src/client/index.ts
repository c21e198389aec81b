export type { AbortSignalLike } from './abort-signal.js';
export { type DlmHost, type DlmNews, DlmNode, type OpenOptions } from './dlm-node.js';
export type { BlockingAst, ConvertOptions, Lock, RequestOptions, UnlockOptions } from './lock.js';
export { LockError, type LockErrorCode } from './lock-error.js';
export type { LockspaceClient } from './lockspace-client.js';
export type { LockAst } from './operation.js';
