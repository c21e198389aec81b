import type { QuorumServiceView } from '@quorate/quorum';
import type { ProcessInfo } from '@quorate/totem/cpg';

/** The release whose tools these are: RHEL 6.7's. */
export const COROSYNC_VERSION = '1.4.7';

/** What corosync answers its tools; `ECONNREFUSED` when it does not run. */
export type CorosyncCall =
  /** A `QuorumServiceView` with the names of `cluster.conf`. */
  | { readonly kind: 'quorum' }
  /** Every `ProcessInfo` of the process groups, by group. */
  | { readonly kind: 'groups' }
  /** Ring addresses of the nodes, by id. */
  | { readonly kind: 'addresses' };

/** The answers of `CorosyncCall`, by its kind; a string is the name of an error. */
export interface CorosyncAnswers {
  readonly quorum: QuorumServiceView | string;
  readonly groups: readonly ProcessInfo[] | string;
  readonly addresses: ReadonlyMap<number, string> | string;
}
