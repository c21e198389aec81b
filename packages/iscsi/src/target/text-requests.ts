import { NO_TAG, PduOpcode, RejectReason, TextFlag } from '../pdu/opcode.js';
import type { Pdu } from '../pdu/pdu.js';
import { decodeText, encodeText, type KeyValues } from '../text/key-value.js';
import type { TargetConnection } from './connection.js';
import type { Outlet } from './outlet.js';
import type { Reject } from './scsi-commands.js';
import type { TargetNode } from './target-node.js';

/** Target transfer tag of a Text Response that goes on. */
const MORE_TAG = 1;

/** Text requests in full feature phase: SendTargets. Source: RFC 7143, 11.10, 11.11 and appendix C. */
export class TextRequests {
  readonly #outlet: Outlet;
  readonly #nodes: ReadonlyMap<string, TargetNode>;
  readonly #portals: readonly string[] | undefined;
  readonly #reject: Reject;

  /** `portals` are the addresses that discovery tells; by default the one at which the asking initiator came in. */
  constructor(
    outlet: Outlet,
    nodes: ReadonlyMap<string, TargetNode>,
    portals: readonly string[] | undefined,
    reject: Reject,
  ) {
    this.#outlet = outlet;
    this.#nodes = nodes;
    this.#portals = portals;
    this.#reject = reject;
  }

  onRequest(connection: TargetConnection, pdu: Pdu): void {
    const left = connection.textLeft;
    if (pdu.u32(20) !== NO_TAG && left !== undefined) return this.#respond(connection, pdu, left);
    if (!connection.text.add(pdu.data)) {
      connection.text.take();
      return this.#reject(connection, pdu, RejectReason.protocolError, 'more text than a request has');
    }
    if ((pdu.flags & TextFlag.continue) !== 0) return this.#respond(connection, pdu, new Uint8Array(0));
    const pairs = decodeText(connection.text.take());
    if (pairs === undefined) {
      return this.#reject(connection, pdu, RejectReason.protocolError, 'text that is not key=value');
    }
    const answers = pairs.flatMap(([key, value]) => this.#answer(connection, key, value));
    this.#respond(connection, pdu, encodeText(answers));
  }

  /** Sends what fits into one data segment of the initiator, and keeps the rest for its next request. */
  #respond(connection: TargetConnection, pdu: Pdu, text: Uint8Array): void {
    const most = connection.parameters.peerMaxRecvDataSegmentLength;
    const isWhole = text.length <= most;
    connection.textLeft = isWhole ? undefined : text.slice(most);
    const isLast = isWhole && (pdu.flags & TextFlag.final) !== 0;
    const flags = (isLast ? TextFlag.final : 0) | (isWhole ? 0 : TextFlag.continue);
    const writer = this.#outlet.begin(connection, PduOpcode.textResponse, flags);
    writer
      .raw(8, pdu.slice(8, 16))
      .u32(16, pdu.initiatorTaskTag)
      .u32(20, isLast ? NO_TAG : MORE_TAG);
    this.#outlet.end(connection, 'status', isWhole ? text : text.subarray(0, most));
  }

  #answer(connection: TargetConnection, key: string, value: string): KeyValues {
    if (key !== 'SendTargets') return [[key, 'NotUnderstood']];
    const session = connection.session!;
    const isDiscovery = session.node === undefined;
    if (value === 'All') return isDiscovery ? this.#list(connection, [...this.#nodes.values()]) : [[key, 'Reject']];
    const node = value === '' ? session.node : this.#nodes.get(value);
    if (node === undefined || (!isDiscovery && node !== session.node)) return value === '' ? [[key, 'Reject']] : [];
    return this.#list(connection, [node]);
  }

  /** What the initiator may log in to. */
  #list(connection: TargetConnection, nodes: readonly TargetNode[]): KeyValues {
    const { initiator } = connection.session!;
    return nodes
      .filter((node) => node.isAllowed(initiator))
      .flatMap(({ name, portalGroupTag }) => [
        ['TargetName', name] as const,
        ...(this.#portals ?? [connection.local]).map(
          (portal) => ['TargetAddress', `${portal},${portalGroupTag}`] as const,
        ),
      ]);
  }
}
