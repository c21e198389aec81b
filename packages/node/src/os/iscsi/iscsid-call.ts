import type { Parameters } from '@quorate/iscsi';
import type { ConnectionState } from './iscsi-session.js';
import type { LoginRequest } from './login-request.js';

/** What iscsiadm asks of iscsid: `os.call('iscsid', …)`. */
export type IscsidCall =
  /** Answered by an `IscsiError`, when its disks are there. */
  | { readonly kind: 'login'; readonly request: LoginRequest }
  | { readonly kind: 'logout'; readonly sid: number }
  /** Looks for disks that have come. */
  | { readonly kind: 'rescan'; readonly sid: number }
  /** Answered by `SessionInfo`s, by their numbers. */
  | { readonly kind: 'sessions' };

/** A session as `iscsiadm -m session` shows it. */
export interface SessionInfo {
  readonly sid: number;
  readonly host: number;
  readonly request: LoginRequest;
  readonly connectionState: ConnectionState;
  /** What the kernel says. */
  readonly sessionState: 'LOGGED_IN' | 'FAILED' | 'FREE';
  readonly isRecovering: boolean;
  /** As the last login settled them. */
  readonly parameters: Readonly<Parameters> | undefined;
  readonly deviceState: 'running' | 'blocked' | 'transport-offline';
  readonly disks: readonly { readonly lun: number; readonly path: string }[];
}
