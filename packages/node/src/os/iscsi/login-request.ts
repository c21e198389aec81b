import type { ChapSecret, Parameters } from '@quorate/iscsi';

/** Where to log in, and how patiently: what a node record says. */
export interface LoginRequest {
  /** iSCSI name of this machine. */
  readonly initiator: string;
  readonly target: string;
  /** IPv4 address of the portal. */
  readonly address: string;
  readonly port: number;
  /** Portal group tag. */
  readonly tpgt: number;
  readonly user?: ChapSecret;
  readonly mutual?: ChapSecret;
  /** What to ask for in the login. */
  readonly wishes: Partial<Parameters>;
  /** `node.session.timeo.replacement_timeout`: commands wait that long for a lost session to come back, in seconds. */
  readonly replacementTimeoutSec: number;
  /** `node.conn[0].timeo.login_timeout`: for the connection, and again for the login. */
  readonly loginTimeoutSec: number;
  /** `node.conn[0].timeo.noop_out_interval`: silence after which the target is pinged, and again until it counts as gone. */
  readonly noopSec: number;
  /** `node.session.initial_login_retry_max`: the first login is given up after so many times `loginTimeoutSec`. */
  readonly initialLoginRetryMax: number;
}
