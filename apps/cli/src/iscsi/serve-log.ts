import type { IscsiFact } from '@quorate/iscsi';
import type { ScsiFact } from '@quorate/scsi';

/** Turns what a target tells into lines for whoever runs it: logins, reservations and errors. */
export class ServeLog {
  readonly #write: (line: string) => void;
  /** Initiators by the nexus that they have. */
  readonly #initiators = new Map<number, string>();

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  readonly onIscsi = (fact: IscsiFact): void => {
    switch (fact.kind) {
      case 'iscsi.logged-in': {
        const { initiator, remote, target, nexus } = fact;
        if (nexus > 0) this.#initiators.set(nexus, initiator);
        return this.#write(
          `${initiator} from ${remote} logged in${target === '' ? ' for discovery' : ` to ${target}`}`,
        );
      }
      case 'iscsi.login-refused':
        return this.#write(
          `login of ${fact.initiator || 'somebody'} from ${fact.remote} refused, ${fact.status}: ${fact.why}`,
        );
      case 'iscsi.rejected':
        return this.#write(`rejected a PDU of connection ${fact.connection}: ${JSON.stringify(fact)}`);
      case 'iscsi.connection-ended':
        if (fact.reason === 'logout' || fact.reason === 'peer-closed') return;
        return this.#write(`dropped the connection from ${fact.remote}: ${fact.reason}`);
      case 'iscsi.session-ended':
        return this.#write(`${fact.initiator || 'somebody'} is gone: ${fact.reason}`);
    }
  };

  readonly onScsi = (fact: ScsiFact): void => {
    switch (fact.kind) {
      case 'scsi.reservation-changed': {
        const { lun, action, generation, type, holder, registered } = fact;
        const keys = registered.map(({ key }) => `0x${key}`).join(' ') || 'none';
        const held =
          type === 0
            ? 'not reserved'
            : `type ${type}, ${holder === undefined ? 'all hold it' : `held by ${this.#nameOf(holder)}`}`;
        return this.#write(
          `LUN ${lun}: ${action} by ${this.#nameOf(fact.nexus)}, generation ${generation}, keys ${keys}, ${held}`,
        );
      }
      case 'scsi.capacity-changed':
        return this.#write(`LUN ${fact.lun}: ${fact.blocks} blocks now`);
      case 'scsi.command-ended':
        // Medium and hardware errors: the host's file could not be read or written.
        if (fact.sense === undefined || !/^[34]\//.test(fact.sense)) return;
        return this.#write(
          `LUN ${fact.lun}: command ${fact.opcode.toString(16)}h of ${this.#nameOf(fact.nexus)} failed, sense ${fact.sense}`,
        );
      default:
        return;
    }
  };

  #nameOf(nexus: number): string {
    return this.#initiators.get(nexus) ?? `nexus ${nexus}`;
  }
}
