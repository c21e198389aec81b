import { type InitiatorEnd, LoginStatus } from '@quorate/iscsi';
import { type Errno, type LogPriority, MILLISECOND, type Nanos, SECOND } from '@quorate/kernel';
import { IscsiError } from './iscsi-error.js';

/** Why a session lost its connection: the initiator's reason, or the SCSI error handler's last resort. */
export type SessionLoss = InitiatorEnd | 'error-handler';

/** An error of a connection as the kernel numbers it. */
interface ConnectionError {
  readonly code: number;
  readonly text: string;
}

/** Numbers from 1000 on. Source: Linux include/scsi/iscsi_if.h, `enum iscsi_err`. */
const ERRORS = {
  protocol: { code: 1008, text: 'ISCSI_ERR_PROTO: iSCSI protocol violation' },
  failed: { code: 1011, text: 'ISCSI_ERR_CONN_FAILED: iSCSI connection failed' },
  headerDigest: { code: 1014, text: 'ISCSI_ERR_HDR_DGST: Header digest mismatch' },
  closed: { code: 1020, text: 'ISCSI_ERR_TCP_CONN_CLOSE: TCP connection closed' },
  errorHandler: {
    code: 1021,
    text: 'ISCSI_ERR_SCSI_EH_SESSION_RST: Session was dropped as a result of SCSI error recovery',
  },
  ping: { code: 1022, text: 'ISCSI_ERR_NOP_TIMEDOUT: A NOP has timed out' },
} as const;

/** What the kernel calls the end of a connection in full feature phase. */
function connectionErrorOf(reason: SessionLoss): ConnectionError {
  switch (reason) {
    case 'error-handler':
      return ERRORS.errorHandler;
    case 'no-answer-to-ping':
      return ERRORS.ping;
    case 'peer-closed':
    case 'dropped-by-target':
      return ERRORS.closed;
    case 'bad-header-digest':
      return ERRORS.headerDigest;
    case 'protocol-error':
    case 'data-segment-too-long':
      return ERRORS.protocol;
    case 'logged-out':
    case 'login-failed':
    case 'login-timeout':
      return ERRORS.failed;
  }
}

/** A line of a log. */
interface Line {
  readonly priority: LogPriority;
  readonly tag: 'kernel' | 'iscsid';
  readonly text: string;
}

/** What the kernel and iscsid say when a session loses its connection. */
export function lossLines(sid: number, reason: SessionLoss, noopSec: number, now: Nanos): readonly Line[] {
  const name = `connection${sid}:0`;
  const { code, text } = connectionErrorOf(reason);
  const lines: Line[] = [];
  if (reason === 'no-answer-to-ping') {
    const [rx, ping] = [jiffies(now - 2 * noopSec * SECOND), jiffies(now - noopSec * SECOND)];
    const times = `recv timeout ${noopSec}, last rx ${rx}, last ping ${ping}, now ${jiffies(now)}`;
    lines.push({ priority: 'err', tag: 'kernel', text: ` ${name}: ping timeout of ${noopSec} secs expired, ${times}` });
  }
  const reported = `Kernel reported iSCSI connection ${sid}:0 error (${code} - ${text}) state (3)`;
  lines.push({ priority: 'err', tag: 'kernel', text: ` ${name}: detected conn error (${code})` });
  lines.push({ priority: 'warning', tag: 'iscsid', text: reported });
  return lines;
}

/** The kernel's clock ticks, a thousand a second, which begin five minutes before the counter of 32 bits runs over. */
function jiffies(now: Nanos): number {
  return 0x1_0000_0000 - 300_000 + Math.floor(now / MILLISECOND);
}

/** Why a connection did not come about, as strerror says it. */
const REASONS: Partial<Record<Errno, string>> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ETIMEDOUT: 'Connection timed out',
};

export function whyNotConnected(errno: Errno): string {
  return REASONS[errno] ?? errno;
}

/** A login that came to nothing. */
export interface LoginFailure {
  /** What iscsid answers, an `IscsiError`. */
  readonly error: number;
  /** What it says of it. */
  readonly text: string;
}

/** `status` is class and detail of the Login Response, 0 without one, when `why` says what happened. */
export function loginFailureOf(reason: InitiatorEnd, status: number, why: string): LoginFailure {
  if (reason === 'login-timeout') return { error: IscsiError.pduTimeout, text: 'login timed out' };
  if (reason !== 'login-failed') return { error: IscsiError.transport, text: `login failed: ${why}` };
  const code = `${byteText(status >> 8)}/${byteText(status & 0xff)}`;
  switch (status) {
    case 0:
      return { error: IscsiError.fatalLogin, text: `login failed: ${why}` };
    case LoginStatus.authenticationFailure:
      return {
        error: IscsiError.loginAuthFailed,
        text: 'login rejected: Initiator failed authentication with target',
      };
    case LoginStatus.notAuthorized:
      return { error: IscsiError.loginAuthFailed, text: 'login rejected: initiator failed authorization with target' };
    case LoginStatus.notFound:
      return {
        error: IscsiError.fatalLogin,
        text: `login rejected: initiator error - target not found (${code})`,
      };
    default: {
      const isOfTarget = status >> 8 === TARGET_ERROR;
      const text = `login rejected: ${isOfTarget ? 'target' : 'initiator'} error (${code})`;
      return { error: isOfTarget ? IscsiError.login : IscsiError.fatalLogin, text };
    }
  }
}

/** Status class of a target that cannot let anybody in now. */
const TARGET_ERROR = 3;

function byteText(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
