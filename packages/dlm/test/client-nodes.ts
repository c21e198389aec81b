import { Dlm, type DlmInput, type DlmOutput } from '@quorate/dlm';
import { type DlmNews, DlmNode, type LockspaceClient, type OpenOptions } from '@quorate/dlm/client';
import { guarded, type Machine, type Nanos } from '@quorate/kernel';
import { Command } from '../src/packet-header.js';

const LOCKSPACE = 'accounts';

/** Lock managers in one heap whose packets arrive when the test says so. */
export class ClientNodes {
  now: Nanos = 0;
  readonly nodes: ReadonlyMap<number, DlmNode>;
  readonly news: (readonly [node: number, news: DlmNews])[] = [];
  /** Types of the messages of locking so far (protocol 3.1: each packet is one). */
  readonly messageTypes: number[] = [];
  readonly #packets: (readonly [from: number, to: number, bytes: Uint8Array])[] = [];
  readonly #wakeAt = new Map<number, Nanos>();

  constructor(ids: readonly number[]) {
    this.nodes = new Map(ids.map((id) => [id, this.#newNode(id)]));
    for (const [id, node] of this.nodes) {
      for (const other of ids) if (other !== id) node.step({ kind: 'connected', node: other });
    }
  }

  #newNode(id: number): DlmNode {
    const machine: Machine<DlmInput, DlmOutput> = guarded(new Dlm({ nodeId: id, protocol: '3.1' }));
    return new DlmNode(machine, {
      now: () => this.now,
      send: (to, bytes) => {
        if (bytes[14] === Command.MSG) this.messageTypes.push(bytes[16]!);
        this.#packets.push([id, to, bytes.slice()]);
      },
      wakeAt: (at) => this.#wakeAt.set(id, Math.min(at, this.#wakeAt.get(id) ?? Infinity)),
      onNews: (news) => this.news.push([id, news]),
    });
  }

  /** Opens the lockspace on all nodes. */
  async open(options: OpenOptions = {}): Promise<readonly LockspaceClient[]> {
    const members = [...this.nodes.keys()].map((node) => ({ node }));
    const opened = [...this.nodes.values()].map((node) => node.open(LOCKSPACE, { members, ...options }));
    this.run();
    return await Promise.all(opened);
  }

  /** Delivers packets and wakes nodes until nothing is left to do but to look through unused resources. */
  run(): void {
    do this.deliver();
    while (this.#wakeNext());
  }

  /** Delivers what is under way and what follows from it. */
  deliver(): void {
    for (let packet = this.#packets.shift(); packet !== undefined; packet = this.#packets.shift()) {
      const [from, to, bytes] = packet;
      this.nodes.get(to)?.receive(from, bytes);
    }
  }

  #wakeNext(): boolean {
    const [id, at] = [...this.#wakeAt].sort(([, a], [, b]) => a - b)[0] ?? [0, Infinity];
    if (at > this.now + 100_000_000) return false;
    this.#wakeAt.delete(id);
    this.now = Math.max(this.now, at);
    this.nodes.get(id)?.wake();
    return true;
  }
}
