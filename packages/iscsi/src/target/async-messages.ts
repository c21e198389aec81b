import { type Nanos, SECOND } from '@quorate/kernel';
import type { UnitEvent } from '@quorate/scsi';
import { AsyncEvent, FINAL, NO_TAG, PduOpcode } from '../pdu/opcode.js';
import { senseSegment } from '../pdu/sense-segment.js';
import type { TargetConnection } from './connection.js';
import type { Outlet } from './outlet.js';
import type { TargetNode } from './target-node.js';

/** What the target says unasked: Asynchronous Messages. Source: RFC 7143, 11.9. */
export class AsyncMessages {
  readonly #outlet: Outlet;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  /** Asks for a logout within that time. */
  askForLogout(connection: TargetConnection, within: Nanos): void {
    const writer = this.#outlet.begin(connection, PduOpcode.asyncMessage, FINAL);
    writer.u32(16, NO_TAG).u8(36, AsyncEvent.logoutRequest);
    // Parameter 3: seconds in which the logout is expected.
    writer.u16(42, Math.ceil(within / SECOND));
    this.#outlet.end(connection, 'status');
  }

  /** Tells each session of the target that it concerns what happened to one of its units. */
  report(node: TargetNode, { lun, nexus, sense }: UnitEvent): void {
    const segment = senseSegment(sense);
    for (const session of node.sessions.values()) {
      if (nexus !== undefined && session.nexus !== nexus) continue;
      const [connection] = session.connections.values();
      if (connection === undefined) continue;
      const writer = this.#outlet.begin(connection, PduOpcode.asyncMessage, FINAL);
      writer.lun(lun).u32(16, NO_TAG).u8(36, AsyncEvent.scsi);
      this.#outlet.end(connection, 'status', segment);
    }
  }
}
