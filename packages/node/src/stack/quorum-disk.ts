import { type Errno, type Nanos, type Observe, utf8Bytes } from '@quorate/kernel';
import { type QdiskConfig, Qdiskd, type QdiskFact, type QdiskInput, type QdiskOutput } from '@quorate/qdisk';
import type { CmanInput } from '@quorate/quorum';
import { Child } from '../child.js';
import type { BlockDevice } from '../os/disks.js';
import { normalizePath } from '../os/files.js';
import type { TransferOwner } from '../os/transfer-owner.js';
import type { StackConfig } from '../stack-config.js';
import type { NodeServices } from './services.js';

/** cman port of qdiskd. */
export const QDISK_PORT = 178;

/** qdiskd on a node: its sectors go to the disk, its votes to cman, its heuristics to the shell. */
export class QuorumDisk implements TransferOwner {
  readonly #services: NodeServices;
  readonly #device: BlockDevice;
  readonly #sectorBlocks: number;
  readonly #statusFile: string;
  readonly #toCman: (input: CmanInput) => void;
  readonly #onStopped: () => void;
  readonly #qdiskd: Child<QdiskInput, QdiskOutput>;
  readonly #machine: Qdiskd;

  constructor(
    services: NodeServices,
    config: Omit<QdiskConfig, 'observe'>,
    device: BlockDevice,
    toCman: (input: CmanInput) => void,
    onStopped: () => void,
  ) {
    this.#services = services;
    this.#device = device;
    this.#sectorBlocks = (config.sectorSize ?? 512) / 512;
    const { statusFile = '-' } = config.quorumd;
    this.#statusFile = statusFile === '-' ? '-' : normalizePath(statusFile);
    this.#toCman = toCman;
    this.#onStopped = onStopped;
    const observe = services.observe;
    this.#machine = new Qdiskd({ ...config, ...(observe && { observe: observe as Observe<QdiskFact> }) });
    this.#qdiskd = new Child(this.#machine, () => services.now(), this.#onOutput);
  }

  start(): void {
    const { sec, nsec } = this.#services.system.wall();
    this.#toCman({ kind: 'open-port', port: QDISK_PORT });
    this.#qdiskd.send({ kind: 'start', wall: sec + nsec / 1e9 });
  }

  stop(): void {
    this.#qdiskd.send({ kind: 'stop' });
  }

  /** The process is killed: it writes nothing more, and no answer reaches it. */
  kill(): void {
    this.#qdiskd.end();
  }

  clockStep(offset: Nanos): void {
    this.#qdiskd.send({ kind: 'clock-step', offset });
  }

  /** The configuration changed. */
  configure({ quorumd, conf }: StackConfig): void {
    this.#qdiskd.send({ kind: 'reconfigure', clusterNodes: conf.nodes, ...(quorumd && { quorumd }) });
  }

  /** Members that qdiskd will find when it asks cman for them. */
  members(nodes: readonly number[], listening: readonly number[]): void {
    this.#qdiskd.send({ kind: 'members', nodes, listening });
  }

  /** cman tells those who listen that something has changed. */
  cmanEvent(): void {
    this.#qdiskd.send({ kind: 'cman-event' });
  }

  registerRefused(errno: string): void {
    this.#qdiskd.send({ kind: 'register-refused', errno });
  }

  data(from: number, payload: Uint8Array): void {
    this.#qdiskd.send({ kind: 'data', from, payload });
  }

  deadline(): Nanos {
    return this.#qdiskd.deadline();
  }

  wakeIfDue(now: Nanos): void {
    this.#qdiskd.wakeIfDue(now);
  }

  transferDone(id: number, data: Uint8Array, error: Errno | undefined): void {
    this.#qdiskd.send(error === undefined ? { kind: 'io-done', id, data } : { kind: 'io-done', id, error });
  }

  inspect(): unknown {
    return this.#machine.inspect();
  }

  readonly #onOutput = (output: QdiskOutput): void => {
    const { system } = this.#services;
    switch (output.kind) {
      case 'read':
        system.disks.read(this.#device, output.sector * this.#sectorBlocks, this.#sectorBlocks, this, output.id);
        break;
      case 'write':
        system.disks.write(this.#device, output.sector * this.#sectorBlocks, output.data, this, output.id);
        break;
      case 'run-heuristic': {
        const { run } = output;
        system.run(['/bin/sh', '-c', output.program], {}, 0, ({ status }) => {
          this.#qdiskd.send({ kind: 'heuristic-ended', run, status });
        });
        break;
      }
      case 'register': {
        const { name, votes, isUpdate } = output;
        this.#toCman({ kind: isUpdate ? 'update-device' : 'register-device', name, votes });
        break;
      }
      case 'poll':
        this.#toCman({ kind: 'poll-device', isUp: output.isUp });
        break;
      case 'unregister':
        this.#toCman({ kind: 'unregister-device' });
        break;
      case 'kill':
        this.#toCman({ kind: 'kill', node: output.node, reason: 'cmantool' });
        break;
      case 'send':
        this.#toCman({ kind: 'send', port: QDISK_PORT, to: 0, payload: output.payload });
        break;
      case 'reboot':
        this.#services.halt('reboot');
        break;
      case 'leave-cluster':
        this.#toCman({ kind: 'leave', isRemoved: false, isForced: true });
        break;
      case 'status-file':
        // `-` is a daemon's standard output, which goes nowhere.
        if (this.#statusFile === '-') break;
        system.files.write(this.#statusFile, utf8Bytes(output.text), false, system.wall().sec);
        break;
      case 'stopped':
        this.#toCman({ kind: 'close-port', port: QDISK_PORT });
        this.#onStopped();
        break;
      case 'log':
        this.#services.log(output.priority, 'qdiskd', output.text);
        break;
      case 'reject':
        break;
    }
  };
}
