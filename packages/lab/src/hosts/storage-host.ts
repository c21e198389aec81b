import { IscsiTarget, type IscsiTargetInput, type IscsiTargetOutput } from '@quorate/iscsi';
import type { Fact, Nanos, World } from '@quorate/kernel';
import { type IpConfig, type IpInput, type IpOutput, IpStack } from '@quorate/network';
import { Child } from '@quorate/node';
import type { LogicalUnitConfig } from '@quorate/scsi';
import { type Host, type HostInput, type HostOutput, toStack } from './host.js';
import { NexusNames } from './nexus-names.js';

export interface StorageHostConfig {
  readonly stack: IpConfig;
  /** Without prefix length: where initiators find it. */
  readonly address: string;
  /** iSCSI name of its one target. */
  readonly target: string;
  readonly logicalUnits: readonly LogicalUnitConfig[];
  /** Ids of the nodes by the iSCSI names of their initiators: who is not among them may not log in. */
  readonly initiators: ReadonlyMap<string, number>;
  readonly world: World;
  /** Hears the facts of the target, the nexus of a node under its id, and every PDU. */
  readonly observe?: (fact: Fact) => void;
}

export const ISCSI_PORT = 3260;

/** A machine whose disks are for others: our iSCSI target at its address, port 3260. */
export class StorageHost implements Host {
  readonly #stack: Child<IpInput, IpOutput>;
  readonly #target: Child<IscsiTargetInput, IscsiTargetOutput>;
  readonly #local: string;
  readonly #initiators: ReadonlyMap<string, number>;
  #isListening = false;
  #now: Nanos = 0;
  #emit: (output: HostOutput) => void = () => {};

  /** @throws {ConfigError} as `IscsiTarget` does. */
  constructor({ stack, address, target, logicalUnits, initiators, world, observe }: StorageHostConfig) {
    const clock = (): Nanos => this.#now;
    const names = observe && new NexusNames(initiators, observe);
    this.#initiators = initiators;
    this.#local = `${address}:${ISCSI_PORT}`;
    this.#stack = new Child(new IpStack(stack), clock, this.#onStack);
    const machine = new IscsiTarget({
      targets: [
        {
          name: target,
          logicalUnits,
          initiators: [...initiators.keys()],
          ...(names && { observe: (fact) => names.onScsi(fact) }),
        },
      ],
      world,
      ...(names && { observe: (fact) => names.onIscsi(fact), observePdus: observe }),
    });
    this.#target = new Child(machine, clock, this.#onTarget);
  }

  step(now: Nanos, input: HostInput, emit: (output: HostOutput) => void): void {
    this.#now = now;
    this.#emit = emit;
    switch (input.kind) {
      case 'fetch':
        return;
      case 'impair':
        for (const [initiator, node] of this.#initiators) {
          if (node === input.node) this.#target.send({ kind: 'impair', initiator, impairment: input.impairment });
        }
        return;
      case 'wake':
        this.#stack.wakeIfDue(now);
        this.#target.wakeIfDue(now);
        return;
      default:
        this.#stack.send(toStack(input));
        if (!this.#isListening) this.#stack.send({ kind: 'tcp-listen', port: ISCSI_PORT });
        this.#isListening = true;
    }
  }

  deadline(): Nanos {
    return Math.min(this.#stack.deadline(), this.#target.deadline());
  }

  readonly #onStack = (output: IpOutput): void => {
    switch (output.kind) {
      case 'frame':
        this.#emit({ kind: 'frame', bytes: output.bytes });
        break;
      case 'tcp-accepted': {
        const { id, from, fromPort } = output;
        const remote = `${from}:${fromPort}`;
        this.#target.send({ kind: 'connected', connection: id, remote, local: this.#local });
        break;
      }
      case 'tcp-received':
        this.#target.send({ kind: 'received', connection: output.id, bytes: output.bytes });
        break;
      case 'tcp-closed':
        this.#stack.send({ kind: 'tcp-close', id: output.id });
        this.#target.send({ kind: 'closed', connection: output.id });
        break;
      case 'tcp-failed':
        this.#target.send({ kind: 'closed', connection: output.id });
        break;
    }
  };

  readonly #onTarget = (output: IscsiTargetOutput): void => {
    const { connection } = output;
    switch (output.kind) {
      case 'send':
        this.#stack.send({ kind: 'tcp-send', id: connection, bytes: output.bytes });
        // The stack has taken them, however long its peer lets them wait there.
        this.#target.send({ kind: 'sent', connection, bytes: output.bytes.length });
        break;
      case 'close':
        this.#stack.send({ kind: 'tcp-close', id: connection });
        break;
      case 'pause':
      case 'resume':
        break;
    }
  };
}
