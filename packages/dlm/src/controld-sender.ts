import { ByteWriter } from '@quorate/kernel';
import { ControldType, type Protocol, writeHeader, writeProtocol, writeStartInfo } from './controld-message.js';
import type { ControlledLockspace } from './controlled-lockspace.js';
import { type LocksSection, writeSection } from './deadlock/pack-lock.js';
import { lockspaceGlobalId } from './hash.js';
import { type Change, startInfoOf } from './lockspace-change.js';
import { type PlockData, type PlockRecord, writePlockData, writePlockRecord } from './plocks/plock-message.js';
import type { ProtocolGroup } from './protocol-group.js';
import { type ViewsAsked, writeViewsAsked, writeViewsTold } from './view-query.js';
import type { NodeViews } from './why-not.js';

/** CPG group of all daemons. */
export const DAEMON_GROUP = 'dlm:controld';

/** CPG group of a lockspace. */
export function lockspaceGroup(lockspace: string): string {
  return `dlm:ls:${lockspace}`;
}

/** Fields of a header that are not the same in all messages; 0 where absent. */
interface HeaderFields {
  readonly to?: number;
  readonly flags?: number;
  readonly msgdata?: number;
  readonly msgdata2?: number;
}

type Addressed = Pick<ControlledLockspace, 'globalId' | 'group'>;

/** What a daemon says to the group of all daemons and to those of its lockspaces. One buffer serves all messages: they are lent. */
export class ControldSender {
  readonly #group: ProtocolGroup;
  readonly #me: number;
  readonly #multicast: (group: string, payload: Uint8Array) => void;
  readonly #writer = new ByteWriter(true, 512);

  constructor(group: ProtocolGroup, me: number, multicast: (group: string, payload: Uint8Array) => void) {
    this.#group = group;
    this.#me = me;
    this.#multicast = multicast;
  }

  /** The version is not agreed on before. */
  protocol(protocol: Protocol): void {
    const version = [0, 0, 0] as const;
    const type = ControldType.PROTOCOL;
    writeHeader(this.#writer.reset(), { version, type, nodeid: this.#me, globalId: 0, flags: 0, msgdata: 0 });
    writeProtocol(this.#writer, protocol);
    this.#multicast(DAEMON_GROUP, this.#writer.bytes());
  }

  /** START or PLOCKS_DONE: what its receivers know a change by (`send_info`). */
  change(
    { globalId, group, startedCount }: ControlledLockspace,
    change: Change,
    type: number,
    flags: number,
    msgdata2 = 0,
  ): void {
    this.#header(type, globalId, { flags, msgdata: change.seq, msgdata2 });
    writeStartInfo(this.#writer, startInfoOf(change, startedCount));
    this.#multicast(group, this.#writer.bytes());
  }

  plock({ globalId, group }: Addressed, type: number, record: PlockRecord): void {
    this.#header(type, globalId, {});
    writePlockRecord(this.#writer, record);
    this.#multicast(group, this.#writer.bytes());
  }

  plocksData({ globalId, group }: Addressed, change: Change, data: PlockData): void {
    this.#header(ControldType.PLOCKS_DATA, globalId, { msgdata: change.seq });
    writePlockData(this.#writer, data);
    this.#multicast(group, this.#writer.bytes());
  }

  /** About deadlocks over several resources. */
  cycle({ globalId, group }: Addressed, type: number, to = 0, msgdata = 0, section?: LocksSection): void {
    this.#header(type, globalId, { to, msgdata });
    if (section !== undefined) writeSection(this.#writer, section);
    this.#multicast(group, this.#writer.bytes());
  }

  viewsAsked(query: number, asked: ViewsAsked): void {
    this.#header(ControldType.VIEWS_ASKED, lockspaceGlobalId(asked.lockspace), { msgdata: query });
    writeViewsAsked(this.#writer, asked);
    this.#multicast(DAEMON_GROUP, this.#writer.bytes());
  }

  viewsTold(to: number, query: number, lockspace: string, views: NodeViews): void {
    this.#header(ControldType.VIEWS_TOLD, lockspaceGlobalId(lockspace), { to, msgdata: query });
    writeViewsTold(this.#writer, views);
    this.#multicast(DAEMON_GROUP, this.#writer.bytes());
  }

  #header(type: number, globalId: number, { to = 0, flags = 0, msgdata = 0, msgdata2 = 0 }: HeaderFields): void {
    const { version } = this.#group;
    const fields = { version, type, nodeid: this.#me, to, globalId, flags, msgdata, msgdata2 };
    writeHeader(this.#writer.reset(), fields);
  }
}
