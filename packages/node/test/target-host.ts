// What listens on a port of the other host: an iSCSI target on its stack.
import { IscsiTarget, type IscsiTargetConfig, type IscsiTargetInput, type IscsiTargetOutput } from '@quorate/iscsi';
import type { Nanos } from '@quorate/kernel';
import type { IpInput, IpOutput } from '@quorate/network';
import { Child } from '../src/index.js';

const ISCSI_PORT = 3260;

export class TargetHost {
  readonly target: Child<IscsiTargetInput, IscsiTargetOutput>;
  readonly #address: string;
  readonly #toStack: (input: IpInput) => void;

  constructor(address: string, config: IscsiTargetConfig, clock: () => Nanos, toStack: (input: IpInput) => void) {
    this.#address = address;
    this.#toStack = toStack;
    const machine = new IscsiTarget(config);
    this.target = new Child(machine, clock, (output) => {
      if (output.kind === 'send') {
        const { connection, bytes } = output;
        toStack({ kind: 'tcp-send', id: connection, bytes });
        this.target.send({ kind: 'sent', connection, bytes: bytes.length });
      } else if (output.kind === 'close') toStack({ kind: 'tcp-close', id: output.connection });
    });
  }

  listen(): void {
    this.#toStack({ kind: 'tcp-listen', port: ISCSI_PORT });
  }

  hear(output: IpOutput): void {
    switch (output.kind) {
      case 'tcp-accepted': {
        const remote = `${output.from}:${output.fromPort}`;
        const local = `${this.#address}:${ISCSI_PORT}`;
        return this.target.send({ kind: 'connected', connection: output.id, remote, local });
      }
      case 'tcp-received':
        return this.target.send({ kind: 'received', connection: output.id, bytes: output.bytes });
      case 'tcp-closed':
        this.#toStack({ kind: 'tcp-close', id: output.id });
        return this.target.send({ kind: 'closed', connection: output.id });
      case 'tcp-failed':
        return this.target.send({ kind: 'closed', connection: output.id });
      default:
    }
  }
}
