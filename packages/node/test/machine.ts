// One node with a disk and a network, driven through their deadlines; on the network is one other host.
import type { TargetNodeConfig } from '@quorate/iscsi';
import {
  type Fact,
  guarded,
  latin1,
  type Machine,
  type Nanos,
  Prng,
  type Program,
  type ProgramResult,
  SECOND,
  type Stamped,
  TAME_WORLD,
  utf8Bytes,
} from '@quorate/kernel';
import { type IpInput, type IpOutput, IpStack, Network, type NetworkInput } from '@quorate/network';
import { type BlockStore, ScsiTarget, SparseStore, type TargetInput } from '@quorate/scsi';
import {
  type BlockDevice,
  Child,
  ClusterNode,
  type FileChange,
  type NodeInput,
  type NodeOutput,
} from '../src/index.js';
import { TargetHost } from './target-host.js';

export const NODE_ADDRESS = '10.0.0.1';
export const HOST_ADDRESS = '10.0.0.9';

/** 2015-10-29 21:30:00 UTC. */
const WALL_SEC = 1_446_154_200;
const NODE_ID = 1;
const [NODE_NIC, HOST_NIC] = [0, 1];
const DISK_BLOCKS = 131_072;
const NO_BYTES = new Uint8Array(0);

/** The disk as one device, and its second half as another. */
export const DEVICES: readonly BlockDevice[] = [
  { path: '/dev/sda', aliases: ['/dev/block/8:0'], lun: 0, start: 0, blocks: DISK_BLOCKS },
  { path: '/dev/sda2', lun: 0, start: DISK_BLOCKS / 2, blocks: DISK_BLOCKS / 2 },
];

/** A cluster of this node alone. `body` goes into its `cluster` element. */
export function loneCluster(body = ''): string {
  return `<cluster name="solo" config_version="1">
  <cman expected_votes="1"/>
  <clusternodes>
    <clusternode name="alpha" nodeid="1"/>
  </clusternodes>
${body}</cluster>
`;
}

export interface TestMachineOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly programs?: Readonly<Record<string, Program>>;
  readonly store?: BlockStore;
  /** Whether the disk takes UNMAP. */
  readonly isThin?: boolean;
  /** `DEVICES` unless told. */
  readonly devices?: readonly BlockDevice[];
  /** Served over iSCSI by the other host. */
  readonly targets?: readonly TargetNodeConfig[];
  /** Where it says that they are. */
  readonly portals?: readonly string[];
}

/** Each character is one byte. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export class TestMachine {
  /** What the disk has on it. */
  readonly store: BlockStore;
  /** What syslog got: `tag: text`. */
  readonly log: string[] = [];
  readonly facts: Stamped[] = [];
  readonly changes: FileChange[] = [];
  /** Commands that were typed and not waited for, by their numbers. */
  readonly underWay = new Map<number, string>();
  /** Requests to the switch that power agents ask. */
  readonly powerRequests: unknown[] = [];
  now: Nanos = 0;
  halted: 'poweroff' | 'reboot' | undefined;
  /** Without a cable every command ends with status -1. */
  hasDiskCable = true;
  readonly #files: Readonly<Record<string, string>>;
  readonly #node: Machine<NodeInput, NodeOutput>;
  readonly #host: Child<IpInput, IpOutput>;
  readonly #targets: TargetHost | undefined;
  readonly #network: Network;
  readonly #target: ScsiTarget;
  /** What one part has for another, in the order in which it was said. */
  readonly #mail: (() => void)[] = [];
  readonly #replies = new Map<number, ProgramResult>();
  #lastCommand = 0;
  #lastConnection = 0;
  #heard: IpOutput[] = [];

  constructor({
    files = {},
    programs = {},
    store = new SparseStore({ blocks: DISK_BLOCKS }),
    isThin = false,
    devices = DEVICES,
    targets,
    portals = [`${HOST_ADDRESS}:3260`],
  }: TestMachineOptions = {}) {
    const seed = { hi: 1, lo: 2 };
    const interfaces = [{ name: 'eth0', mac: '02:00:00:00:00:01', addresses: [`${NODE_ADDRESS}/24`] }];
    const root = { '/etc/hosts': `${NODE_ADDRESS} alpha\n${HOST_ADDRESS} beta\n`, ...files };
    this.store = store;
    this.#files = root;
    this.#node = guarded(
      new ClusterNode({
        id: NODE_ID,
        name: 'alpha',
        life: 1,
        seed,
        interfaces,
        devices,
        files: new Map(Object.entries(root).map(([path, text]) => [path, bytesOf(text)])),
        programs: new Map(Object.entries(programs)),
        observe: (fact) => this.#tell(fact),
      }),
    );
    const host = { name: 'eth0', mac: '02:00:00:00:00:09', addresses: [`${HOST_ADDRESS}/24`] };
    const stack = new IpStack({ interfaces: [host], prng: Prng.derive(seed, 'host') });
    this.#host = new Child(guarded(stack), () => this.now, this.#onHost);
    this.#targets =
      targets &&
      new TargetHost(
        HOST_ADDRESS,
        { targets, portals, world: TAME_WORLD },
        () => this.now,
        (input) => this.#host.send(input),
      );
    const nics = [
      { nic: NODE_NIC, mac: interfaces[0]!.mac },
      { nic: HOST_NIC, mac: host.mac },
    ];
    this.#network = new Network({ nics, world: TAME_WORLD });
    this.#target = new ScsiTarget({
      name: 'iqn.2016-02.example.quorate:disk',
      logicalUnits: [{ lun: 0, serial: '60022480a1b2c3d4e5f60001', store, isThin }],
      world: TAME_WORLD,
    });
    const port = { name: 'iqn.2016-02.example.quorate:alpha', isid: '000000000001' };
    this.#toDisk({ kind: 'login', nexus: NODE_ID, port });
  }

  /** Gives the machine power. Its first process runs, time does not pass. */
  boot(): void {
    this.#tell({ kind: 'node.state', now: this.now, state: 'up' } as Fact);
    this.#toHost({ kind: 'carrier', interface: 0, isUp: true });
    this.#targets?.listen();
    this.#toNode({ kind: 'boot', wall: { sec: WALL_SEC, nsec: 0 }, carrier: [true] });
    this.#deliver();
  }

  /** Lets time pass in which the machine does not run: at the end its timers are late. */
  pause(duration: Nanos): void {
    this.now += duration;
  }

  /** The root disk as the changes have left it, for the next life. */
  files(): Record<string, string> {
    const files = { ...this.#files };
    for (const change of this.changes) {
      if (change.change === 'removed') delete files[change.path];
      else {
        const before = change.change === 'appended' ? (files[change.path] ?? '') : '';
        files[change.path] = before + latin1(change.bytes);
      }
    }
    return files;
  }

  /** Lets that much time pass. */
  run(duration: Nanos): void {
    const end = this.now + duration;
    while (this.#nextDeadline() <= end) this.#advance();
    this.now = end;
  }

  /** Runs until the log has a line that contains `text`. */
  runUntilLogged(text: string): void {
    const limit = this.now + 300 * SECOND;
    while (!this.log.some((line) => line.includes(text))) {
      if (this.#nextDeadline() > limit) throw new Error(`nobody logged "${text}"`);
      this.#advance();
    }
  }

  /** Types a command and does not wait for its end; returns its number. */
  typeOnly(command: string): number {
    this.#lastCommand += 1;
    this.#toNode({ kind: 'command', id: this.#lastCommand, command });
    this.#deliver();
    return this.#lastCommand;
  }

  /** Types a command and lets time pass until it has ended, at most ten minutes; undefined if the machine halted. */
  type(command: string): ProgramResult | undefined {
    const limit = this.now + 600 * SECOND;
    const id = this.typeOnly(command);
    while (!this.#replies.has(id) && this.halted === undefined) {
      if (this.#nextDeadline() > limit) throw new Error(`${command} does not end`);
      this.#advance();
    }
    return this.#replies.get(id);
  }

  /** How a command that was typed has ended; undefined before it has. */
  resultOf(id: number): ProgramResult | undefined {
    return this.#replies.get(id);
  }

  /** Pulls the network cable, or puts it back. */
  /** From now on the other host's disks do not answer what comes within `span`, and then all of it. */
  hangTargets(initiator: string, span: Nanos): void {
    this.#targets!.target.send({ kind: 'impair', initiator, impairment: { hungUntil: this.now + span } });
  }

  setCable(isUp: boolean): void {
    this.#network.step(this.now, { kind: 'nic', nic: NODE_NIC, isUp }, () => {});
    this.#toNode({ kind: 'carrier', nic: 0, isUp });
    this.#deliver();
  }

  /** Connects from the other host, asks for something if told, and does not wait for the answer. */
  connect(address: string, request = ''): void {
    this.#lastConnection += 1;
    this.#toHost({ kind: 'tcp-connect', id: this.#lastConnection, to: address, port: 80 });
    if (request !== '') this.#toHost({ kind: 'tcp-send', id: this.#lastConnection, bytes: utf8Bytes(request) });
    this.#deliver();
  }

  /** Asks for a page from the other host: the whole answer, or why there was none. */
  fetch(address: string, request: string): string {
    this.#lastConnection += 1;
    const id = this.#lastConnection;
    this.#heard = [];
    const heard = (): IpOutput[] => this.#heard.filter((output) => 'id' in output && output.id === id);
    this.#toHost({ kind: 'tcp-connect', id, to: address, port: 80 });
    this.#toHost({ kind: 'tcp-send', id, bytes: utf8Bytes(request) });
    const limit = this.now + 60 * SECOND;
    while (this.#nextDeadline() <= limit) {
      this.#deliver();
      const failed = heard().find((output) => output.kind === 'tcp-failed');
      if (failed?.kind === 'tcp-failed') return failed.errno;
      if (heard().some(({ kind }) => kind === 'tcp-closed')) break;
      this.#advance();
    }
    this.#toHost({ kind: 'tcp-close', id });
    this.#deliver();
    const received = heard().flatMap((output) => (output.kind === 'tcp-received' ? [...output.bytes] : []));
    return String.fromCharCode(...received);
  }

  /** The driver's part of the disk: what another initiator does to it. */
  disk(input: TargetInput): void {
    this.#toDisk(input);
    this.#deliver();
  }

  #nextDeadline(): Nanos {
    const node = this.halted === undefined ? this.#node.deadline() : Infinity;
    const targets = this.#targets?.target.deadline() ?? Infinity;
    return Math.min(node, this.#host.deadline(), targets, this.#network.deadline(), this.#target.deadline());
  }

  #advance(): void {
    this.now = Math.max(this.now, this.#nextDeadline());
    const isDue = (machine: { deadline(): Nanos }): boolean => machine.deadline() <= this.now;
    if (isDue(this.#target)) this.#toDisk({ kind: 'wake' });
    if (isDue(this.#network)) this.#toNetwork({ kind: 'wake' });
    if (isDue(this.#host)) this.#toHost({ kind: 'wake' });
    this.#targets?.target.wakeIfDue(this.now);
    if (isDue(this.#node)) this.#toNode({ kind: 'wake' });
    this.#deliver();
  }

  #deliver(): void {
    for (let next = this.#mail.shift(); next !== undefined; next = this.#mail.shift()) next();
  }

  #toNode(input: NodeInput): void {
    this.#node.step(this.now, input, this.#onNode);
  }

  readonly #onNode = (output: NodeOutput): void => {
    switch (output.kind) {
      case 'frame': {
        const bytes = output.bytes.slice();
        this.#mail.push(() => this.#toNetwork({ kind: 'send', nic: NODE_NIC, bytes }));
        break;
      }
      case 'io': {
        const command = { ...output, cdb: output.cdb.slice(), data: output.data.slice() };
        this.#mail.push(() => this.#onCommand(command));
        break;
      }
      case 'persist':
        this.changes.push(
          output.change.change === 'removed' ? output.change : { ...output.change, bytes: output.change.bytes.slice() },
        );
        break;
      case 'reply':
        this.#replies.set(output.id, output.result);
        break;
      case 'switch-power': {
        const { id, request } = output;
        this.powerRequests.push(request);
        this.#mail.push(() => this.#toNode({ kind: 'power-switched', id, reply: { isOk: true, state: 'on' } }));
        break;
      }
      case 'halt':
        this.halted = output.how;
        break;
      case 'log':
        this.log.push(`${output.tag}: ${output.text}`);
        break;
    }
  };

  #onCommand({ tag, lun, cdb, data }: Extract<NodeOutput, { kind: 'io' }>): void {
    if (this.hasDiskCable) this.#toDisk({ kind: 'command', nexus: NODE_ID, lun, tag, cdb, data });
    else this.#toNode({ kind: 'io-done', tag, status: -1, sense: NO_BYTES, data: NO_BYTES });
  }

  #toDisk(input: TargetInput): void {
    this.#target.step(this.now, input, (output) => {
      if (output.kind !== 'response' || output.nexus !== NODE_ID) return;
      const { tag, status } = output;
      const [sense, data] = [output.sense.slice(), output.data.slice()];
      this.#mail.push(() => this.#toNode({ kind: 'io-done', tag, status, sense, data }));
    });
  }

  #toNetwork(input: NetworkInput): void {
    this.#network.step(this.now, input, (output) => {
      if (output.kind !== 'deliver') return;
      const { nic } = output;
      const bytes = output.bytes.slice();
      if (nic === NODE_NIC) this.#mail.push(() => this.#toNode({ kind: 'frame', nic: 0, bytes }));
      else this.#mail.push(() => this.#toHost({ kind: 'frame', interface: 0, bytes }));
    });
  }

  #toHost(input: IpInput): void {
    this.#host.send(input);
  }

  readonly #onHost = (output: IpOutput): void => {
    if (output.kind === 'frame') {
      const bytes = output.bytes.slice();
      this.#mail.push(() => this.#toNetwork({ kind: 'send', nic: HOST_NIC, bytes }));
      return;
    }
    this.#heard.push('bytes' in output ? { ...output, bytes: output.bytes.slice() } : output);
    this.#targets?.hear(output);
  };

  #tell(fact: Fact): void {
    this.facts.push({ ...fact, node: NODE_ID, life: 1, seq: this.facts.length + 1, at: this.now });
  }
}
