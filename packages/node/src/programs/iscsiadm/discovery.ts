import {
  type DiscoveredTarget,
  IscsiInitiator,
  type IscsiInitiatorInput,
  type IscsiInitiatorOutput,
} from '@quorate/iscsi';
import { type Errno, fork, isErrno, type Os, SECOND, type Socket, TAME_WORLD, type Task } from '@quorate/kernel';
import { IscsiError } from '../../os/iscsi/iscsi-error.js';

/** `discovery.sendtargets.reopen_max`. */
const REOPEN_MAX = 5;
/** `discovery.sendtargets.timeo.login_timeout`, also for the whole conversation. */
const TIMEOUT = 15 * SECOND;
/** An ISID that no session has: its number of a session is 0. */
const DISCOVERY_ISID = '00023d000000';

const REASONS: Partial<Record<Errno, string>> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  ENETUNREACH: 'Network is unreachable',
};

/**
 * Asks a portal for its targets, in a session of their own that is over when they are told; an `IscsiError` when it cannot be.
 *
 * A portal that cannot be reached is tried six times, a second apart. Source: open-iscsi 2.1 usr/discovery.c.
 */
export function* sendTargets(
  os: Os,
  initiator: string,
  address: string,
  port: number,
): Task<readonly DiscoveredTarget[] | number> {
  for (let failures = 0; failures <= REOPEN_MAX; failures++) {
    if (failures > 0) yield* os.sleep(SECOND);
    const socket = yield* os.connect(address, port, TIMEOUT);
    if (!isErrno(socket)) return yield* ask(os, socket, address, initiator);
    const why = REASONS[socket];
    const complaint =
      why === undefined ? `connect to ${address} timed out` : `cannot make connection to ${address}: ${why}`;
    os.printError(`iscsiadm: ${complaint}\n`);
  }
  os.printError(`iscsiadm: connection login retries (reopen_max) ${REOPEN_MAX} exceeded\n`);
  return IscsiError.pduTimeout;
}

function* ask(os: Os, socket: Socket, address: string, initiator: string): Task<readonly DiscoveredTarget[] | number> {
  // Nothing is drawn: only an initiator that wants proof of the target draws a challenge.
  const machine = new IscsiInitiator({ initiator, isid: DISCOVERY_ISID, world: TAME_WORLD });
  const outputs: IscsiInitiatorOutput[] = [];
  const step = (input: IscsiInitiatorInput): void =>
    machine.step(os.now(), input, (output) =>
      outputs.push(output.kind === 'send' ? { kind: 'send', bytes: output.bytes.slice() } : output),
    );
  // A portal that falls silent: to wait for a socket that is closed ends at once.
  yield* fork(closeLater(os, socket));
  let targets: readonly DiscoveredTarget[] | undefined;
  step({ kind: 'connected' });
  for (;;) {
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) {
      switch (output.kind) {
        case 'send':
          yield* os.send(socket, output.bytes);
          break;
        case 'logged-in':
          step({ kind: 'send-targets' });
          break;
        case 'targets':
          ({ targets } = output);
          step({ kind: 'logout' });
          break;
        case 'close':
          os.close(socket);
          return targets ?? failed(os, address, output);
      }
    }
    const bytes = yield* os.receive(socket);
    step(isErrno(bytes) || bytes.length === 0 ? { kind: 'closed' } : { kind: 'received', bytes });
  }
}

function* closeLater(os: Os, socket: Socket): Task {
  yield* os.sleep(TIMEOUT);
  os.close(socket);
}

function failed(os: Os, address: string, { status, reason }: IscsiInitiatorOutput & { kind: 'close' }): number {
  const code = `${(status >> 8).toString(16).padStart(2, '0')}/${(status & 0xff).toString(16).padStart(2, '0')}`;
  if (reason !== 'login-failed') {
    os.printError(`iscsiadm: Connection to Discovery Address ${address} closed\n`);
    return IscsiError.transport;
  }
  if (status === 0x0201 || status === 0x0202) {
    os.printError(`iscsiadm: discovery login to ${address} rejected: initiator failed authorization\n`);
    return IscsiError.loginAuthFailed;
  }
  const why = `rejected: initiator error (${code}), non-retryable, giving up`;
  os.printError(`iscsiadm: discovery login to ${address} ${why}\n`);
  return IscsiError.fatalLogin;
}
