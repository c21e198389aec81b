/**
 * Exit codes of iscsiadm, which are also what iscsid answers.
 *
 * Source: open-iscsi 2.1 include/iscsi_err.h; the texts that go with them are in usr/iscsi_err.c.
 */
export const IscsiError = {
  success: 0,
  sessionNotFound: 2,
  /** `ISCSI_ERR_TRANS` */
  transport: 4,
  login: 5,
  invalid: 7,
  transportTimeout: 8,
  internal: 9,
  pduTimeout: 11,
  sessionExists: 15,
  fatalLogin: 19,
  noDaemon: 20,
  /** `ISCSI_ERR_NO_OBJS_FOUND` */
  nothingFound: 21,
  sysfsLookup: 22,
  loginAuthFailed: 24,
} as const;

const TEXTS: ReadonlyMap<number, string> = new Map([
  [IscsiError.sessionNotFound, 'session not found'],
  [IscsiError.transport, 'encountered connection failure'],
  [IscsiError.login, 'encountered iSCSI login failure'],
  [IscsiError.invalid, 'invalid parameter'],
  [IscsiError.transportTimeout, 'connection timed out'],
  [IscsiError.internal, 'internal error'],
  [IscsiError.pduTimeout, 'iSCSI PDU timed out'],
  [IscsiError.sessionExists, 'session exists'],
  [IscsiError.fatalLogin, 'encountered non-retryable iSCSI login failure'],
  [IscsiError.noDaemon, 'could not connect to iscsid'],
  [IscsiError.nothingFound, 'no objects found'],
  [IscsiError.sysfsLookup, 'sysfs lookup failure'],
  [IscsiError.loginAuthFailed, 'iSCSI login failed due to authorization failure'],
]);

export function iscsiErrorText(error: number): string {
  return TEXTS.get(error) ?? 'unknown error';
}
