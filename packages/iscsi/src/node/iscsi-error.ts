import type { IscsiInitiatorOutput } from '../initiator/initiator-io.js';

type Close = IscsiInitiatorOutput & { kind: 'close' };

/** An initiator that cannot go on: the login was refused, the target is gone. */
export class IscsiError extends Error {
  override readonly name = 'IscsiError';
  /** Why the connection ended. */
  readonly reason: Close['reason'];
  /** Class and detail of a login that was refused, 0 otherwise. */
  readonly status: number;

  constructor(end: Pick<Close, 'reason' | 'why' | 'status'>) {
    super(end.why === '' ? end.reason : `${end.reason}: ${end.why}`);
    this.reason = end.reason;
    this.status = end.status;
  }
}
