import { createInterface, type Interface } from 'node:readline';
import { utf8Bytes, utf8Text } from '@quorate/kernel';
import { type QuorumOutput, Votequorum, type VotequorumOutput } from '@quorate/quorum/votequorum';
import { type CorosyncConf, type CorosyncService, MAX_PAYLOAD_BYTES, Service } from '@quorate/totem/corosync';
import { CorosyncNode, type NodeOutput } from '@quorate/totem/node';
import type { CommandIo } from '../command-io.js';
import { describeConfchg, describeQuorum, describeRing, visible } from './ring-lines.js';

export interface RingSessionOptions {
  readonly conf: CorosyncConf;
  readonly nodeId: number;
  readonly group?: string;
  readonly stateDirectory: string;
  readonly io: CommandIo;
}

/** How long others are given to see this process leave its group before the node leaves the ring. */
const LEAVE_GROUP_MS = 500;

/** How soon a line that the ring had no room for is offered again. */
const TRY_AGAIN_MS = 5;

/** Lines that wait for room in the ring, from which on stdin is not read. */
const MAX_WAITING_LINES = 1000;

type Output = NodeOutput<VotequorumOutput>;

/** A node of a ring, from its start to its end, and a process in one of its groups that speaks from stdin. */
export class RingSession {
  /** Whether it ended as somebody wanted it to; false: the ring runs by another configuration. */
  readonly ended: Promise<boolean>;
  readonly #options: RingSessionOptions;
  readonly #node: CorosyncNode<VotequorumOutput>;
  readonly #lines: string[] = [];
  #input: Interface | undefined;
  #isJoined = false;
  #isAsked = false;
  #isRefused = false;
  #isLeaving = false;
  #end: (asWanted: boolean) => void = () => {};

  /** @throws {ConfigError} when the node is not in the `nodelist`; the system's error for the state directory. */
  constructor(options: RingSessionOptions) {
    const { conf, nodeId, stateDirectory } = options;
    this.#options = options;
    this.#node = new CorosyncNode<VotequorumOutput>({
      conf,
      nodeId,
      stateDirectory,
      services: servicesOf(conf, nodeId),
      onOutput: (output) => this.#onOutput(output),
    });
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async start(): Promise<void> {
    await this.#node.start();
    if (this.#options.group !== undefined) this.#listen();
  }

  /** Leaves the group, so that the others see the process go, and then the ring. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#input?.close();
    if (!this.#isJoined) return this.#node.step({ kind: 'depart' });
    this.#node.step({ kind: 'leave', group: this.#options.group!, pid: process.pid });
    setTimeout(() => this.#node.step({ kind: 'depart' }), LEAVE_GROUP_MS);
  }

  #listen(): void {
    this.#input = createInterface({ input: this.#options.io.stdin });
    this.#input.on('line', (line) => {
      this.#lines.push(line);
      if (this.#lines.length > MAX_WAITING_LINES) this.#input?.pause();
      this.#send();
    });
  }

  #onOutput(output: Output): void {
    const { stdout, stderr } = this.#options.io;
    switch (output.kind) {
      case 'configuration':
        if (output.type === 'regular') stdout.write(`${describeRing(output)}\n`);
        return;
      case 'service':
        if (output.output.kind === 'quorum') stdout.write(`${describeQuorum(output.output as QuorumOutput)}\n`);
        return;
      case 'synced':
        return this.#onSynced();
      case 'confchg':
        return this.#onConfchg(output);
      case 'message':
        stdout.write(`${output.from.node}/${output.from.pid}: ${visible(utf8Text(output.payload))}\n`);
        return;
      case 'cpg-refused':
        this.#isRefused = true;
        return;
      case 'log':
        if (output.priority !== 'debug') stderr.write(`${output.priority}: ${output.text}\n`);
        return;
      case 'interface':
        stderr.write(`notice: the address of this node is ${output.isUp ? 'back' : 'gone'}\n`);
        return;
      case 'other-configuration':
        stderr.write(`quorate: the ring has config_version ${output.highest}, this node ${output.mine}\n`);
        this.#isLeaving = true;
        this.#node.step({ kind: 'depart' });
        return this.#end(false);
      case 'left':
        return this.#end(true);
      case 'refused':
      case 'reject':
      case 'ring-confchg':
    }
  }

  #onSynced(): void {
    const { group } = this.#options;
    if (group === undefined || this.#isAsked || this.#isLeaving) return;
    this.#isAsked = true;
    this.#node.step({ kind: 'join', group, pid: process.pid });
  }

  #onConfchg(change: Extract<Output, { kind: 'confchg' }>): void {
    this.#options.io.stdout.write(`${describeConfchg(change)}\n`);
    const isMe = (member: { node: number; pid: number }): boolean =>
      member.node === this.#options.nodeId && member.pid === process.pid;
    if (change.left.some(isMe)) return this.#node.step({ kind: 'depart' });
    if (!change.joined.some(isMe)) return;
    this.#isJoined = true;
    setImmediate(() => this.#send());
  }

  /** Sends what waits, as long as there is room. */
  #send(): void {
    while (this.#isJoined && !this.#isLeaving && this.#lines.length > 0) {
      const payload = utf8Bytes(this.#lines[0]!);
      if (payload.length > MAX_PAYLOAD_BYTES) {
        this.#options.io.stderr.write(`quorate: a line of ${payload.length} bytes, at most ${MAX_PAYLOAD_BYTES}\n`);
      } else if (!this.#isTaken(payload)) {
        setTimeout(() => this.#send(), TRY_AGAIN_MS);
        return;
      }
      this.#lines.shift();
    }
    this.#input?.resume();
  }

  #isTaken(payload: Uint8Array): boolean {
    this.#isRefused = false;
    this.#node.step({ kind: 'mcast', group: this.#options.group!, pid: process.pid, payload });
    return !this.#isRefused;
  }
}

/** What takes part in synchronisation beside cmap and cpg, as in corosync: quorum has nothing to say there. */
function servicesOf(conf: CorosyncConf, nodeId: number): readonly CorosyncService<VotequorumOutput>[] {
  if (conf.quorum === undefined) return [{ id: Service.quorum }];
  const { votes } = conf.nodes.find(({ id }) => id === nodeId) ?? { votes: 1 };
  const machine = new Votequorum({ nodeId, votes, ...conf.quorum });
  return [{ id: Service.quorum }, { id: Service.votequorum, machine }];
}
