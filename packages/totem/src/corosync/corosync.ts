import { ByteWriter, type Machine, type Nanos, type Observe } from '@quorate/kernel';
import type { Configuration } from '../configuration.js';
import { Cpg, type CpgInput, type CpgOutput, type CpgView } from '../cpg/cpg.js';
import type { CpgFact } from '../cpg/fact.js';
import { Service } from '../cpg/service-message.js';
import type { TotemFact } from '../fact.js';
import { SERVICE_GROUP } from '../group-message.js';
import type { TotemNode } from '../node-order.js';
import type { NodeId, RingId } from '../ring-id.js';
import type { TotemTimings } from '../timings.js';
import { Totem, type TotemInput, type TotemOutput, type TotemView } from '../totem.js';
import { decodeConfigVersion, encodeConfigVersion } from './config-version.js';
import { MachineInbox } from './machine-inbox.js';

/** What a service beside process groups hears. */
export type ServiceInput =
  | ({ readonly kind: 'configuration' } & Configuration)
  | { readonly kind: 'sync-process' }
  | { readonly kind: 'sync-activate' }
  /** Every message of group `a`, whoever it is for. */
  | { readonly kind: 'deliver'; readonly from: NodeId; readonly payload: Uint8Array };

/** What it says: a message to group `a`; anything else goes to whoever drives the node. */
export type ServiceOutput = { readonly kind: 'cast'; readonly payload: Uint8Array } | { readonly kind: string };

/** A service of corosync that synchronises its state with its peers. */
export interface CorosyncService<Output extends ServiceOutput = ServiceOutput> {
  /** 3 quorum, 5 votequorum, … */
  readonly id: number;
  /** Undefined for one that only takes part in the barriers. It has no timers. */
  readonly machine?: Machine<ServiceInput, Output>;
}

export type CorosyncInput =
  | Extract<TotemInput, { readonly kind: 'network-up' | 'network-down' | 'datagram' | 'wake' }>
  | Extract<CpgInput, { readonly kind: 'join' | 'leave' | 'mcast' | 'exit' }>
  /** A service of this node casts, outside of a synchronisation. */
  | { readonly kind: 'cast'; readonly payload: Uint8Array }
  /** Says goodbye to the others; nothing happens after it. */
  | { readonly kind: 'depart' };

export type CorosyncOutput<Output extends ServiceOutput = ServiceOutput> =
  | Exclude<TotemOutput, { readonly kind: 'deliver' }>
  | Extract<CpgOutput, { readonly kind: 'confchg' | 'message' | 'ring-confchg' | 'reject' }>
  | { readonly kind: 'cpg-refused'; readonly refused: Extract<CpgOutput, { readonly kind: 'refused' }> }
  | { readonly kind: 'service'; readonly service: number; readonly output: Exclude<Output, { readonly kind: 'cast' }> }
  /** All services of all members agree: groups may speak. */
  | { readonly kind: 'synced'; readonly ring: RingId }
  /** Another member has another version of the configuration; this node cannot stay. Only at its first ring of more than itself. */
  | { readonly kind: 'other-configuration'; readonly mine: number; readonly highest: number };

export interface CorosyncConfig<Output extends ServiceOutput = ServiceOutput> {
  readonly nodeId: NodeId;
  readonly nodes: readonly TotemNode[];
  readonly timings: TotemTimings;
  /** See `TotemConfig.ringSeq`. */
  readonly ringSeq: number;
  readonly netMtu?: number;
  /** `totem.config_version`; 0, or absent: the configuration has none. */
  readonly configVersion?: number;
  /** Beside cmap and process groups, which are always there. */
  readonly services?: readonly CorosyncService<Output>[];
  readonly observe?: Observe<TotemFact | CpgFact>;
}

export interface CorosyncView {
  readonly totem: TotemView;
  readonly cpg: CpgView;
}

/**
 * A node of corosync 3.1: the ring, the synchronisation of its services, and process groups.
 *
 * Source: corosync exec/main.c, which joins them, and exec/cmap.c for the version of the configuration.
 */
export class Corosync<Output extends ServiceOutput = ServiceOutput>
  implements Machine<CorosyncInput, CorosyncOutput<Output>>
{
  readonly #nodeId: NodeId;
  readonly #totemMachine: Totem;
  readonly #cpgMachine: Cpg;
  readonly #totem: MachineInbox<TotemInput, TotemOutput>;
  readonly #cpg: MachineInbox<CpgInput, CpgOutput>;
  readonly #services = new Map<number, MachineInbox<ServiceInput, Output>>();
  readonly #writer = new ByteWriter(true, 512);
  readonly #configVersion: number;
  #highestVersion: number;
  #hasMetOthers = false;
  #members: readonly NodeId[] = [];
  #isSynced = false;
  #isInTurn = false;
  #now: Nanos = 0;
  #emit: (output: CorosyncOutput<Output>) => void = nobody;

  /** @throws {ConfigError} for nodes that cannot form a ring. */
  constructor(config: CorosyncConfig<Output>) {
    const { nodeId, nodes, timings, ringSeq, netMtu, observe, services = [] } = config;
    this.#nodeId = nodeId;
    this.#configVersion = config.configVersion ?? 0;
    this.#highestVersion = this.#configVersion;
    const watched = observe && { observe };
    const mtu = netMtu === undefined ? {} : { netMtu };
    this.#totemMachine = new Totem({ nodeId, nodes, era: 'modern', timings, ringSeq, ...mtu, ...watched });
    const ids = [Service.cmap, Service.cpg, ...services.map(({ id }) => id)];
    this.#cpgMachine = new Cpg({ nodeId, services: ids, duringSync: 'refuse', ...watched });
    this.#totem = new MachineInbox(this.#totemMachine, this.#onTotem);
    this.#cpg = new MachineInbox(this.#cpgMachine, this.#onCpg);
    for (const { id, machine } of services) {
      if (machine !== undefined) this.#services.set(id, new MachineInbox(machine, this.#onServiceOf(id)));
    }
  }

  step(now: Nanos, input: CorosyncInput, emit: (output: CorosyncOutput<Output>) => void): void {
    this.#now = now;
    this.#emit = emit;
    this.#on(input);
    this.#emit = nobody;
  }

  deadline(): Nanos {
    return this.#totem.deadline();
  }

  inspect(): CorosyncView {
    return { totem: this.#totemMachine.inspect(), cpg: this.#cpgMachine.inspect() };
  }

  #on(input: CorosyncInput): void {
    switch (input.kind) {
      case 'network-up':
      case 'datagram':
      case 'wake':
        return this.#totem.step(this.#now, input);
      case 'join':
      case 'leave':
      case 'mcast':
      case 'exit':
        return this.#cpg.step(this.#now, input);
      case 'cast':
        return this.#cast(input.payload);
      case 'depart':
        return this.#totem.step(this.#now, { kind: 'leave' });
    }
  }

  readonly #onTotem = (output: TotemOutput): void => {
    switch (output.kind) {
      case 'deliver':
        return this.#onDeliver(output);
      case 'configuration':
        return this.#onConfiguration(output);
      default:
        this.#emit(output);
    }
  };

  #onDeliver(output: Extract<TotemOutput, { kind: 'deliver' }>): void {
    const { group, from, payload } = output;
    if (group === SERVICE_GROUP) {
      if (!this.#isSynced) this.#noteConfigVersion(from, payload);
      for (const service of this.#services.values()) service.step(this.#now, { kind: 'deliver', from, payload });
    }
    this.#cpg.step(this.#now, output);
  }

  #onConfiguration(output: Extract<TotemOutput, { kind: 'configuration' }>): void {
    this.#emit(output);
    if (output.type === 'regular') {
      this.#isSynced = false;
      this.#members = output.members;
      this.#highestVersion = this.#configVersion;
    }
    for (const service of this.#services.values()) service.step(this.#now, output);
    this.#cpg.step(this.#now, output);
  }

  readonly #onCpg = (output: CpgOutput): void => {
    switch (output.kind) {
      case 'cast':
        return this.#totem.step(this.#now, output);
      case 'sync-process':
        return this.#onTurn(output.service);
      case 'sync-activate':
        return this.#onActivate(output.service);
      case 'sync-done':
        this.#isSynced = true;
        this.#emit({ kind: 'synced', ring: output.ring });
        return this.#totem.step(this.#now, output);
      case 'refused':
        return this.#emit({ kind: 'cpg-refused', refused: output });
      default:
        this.#emit(output);
    }
  };

  #onTurn(service: number): void {
    this.#isInTurn = true;
    if (service === Service.cmap) this.#cast(encodeConfigVersion(this.#writer, this.#configVersion));
    else this.#services.get(service)?.step(this.#now, { kind: 'sync-process' });
    this.#isInTurn = false;
  }

  #onActivate(service: number): void {
    if (service === Service.cmap) this.#compareConfigVersions();
    else this.#services.get(service)?.step(this.#now, { kind: 'sync-activate' });
  }

  #noteConfigVersion(from: NodeId, payload: Uint8Array): void {
    const version = decodeConfigVersion(payload);
    if (version !== undefined && from !== this.#nodeId) this.#highestVersion = Math.max(this.#highestVersion, version);
  }

  #compareConfigVersions(): void {
    if (this.#members.length === 1 || this.#hasMetOthers) return;
    this.#hasMetOthers = true;
    const [mine, highest] = [this.#configVersion, this.#highestVersion];
    if (mine !== 0 && highest !== mine) this.#emit({ kind: 'other-configuration', mine, highest });
  }

  #onServiceOf(service: number): (output: Output) => void {
    return (output) => {
      if (isCast(output)) this.#cast(output.payload);
      else this.#emit({ kind: 'service', service, output: output as Exclude<Output, { readonly kind: 'cast' }> });
    };
  }

  #cast(payload: Uint8Array): void {
    this.#totem.step(this.#now, { kind: 'cast', group: SERVICE_GROUP, payload, afterSync: !this.#isInTurn });
  }
}

function isCast(output: ServiceOutput): output is { readonly kind: 'cast'; readonly payload: Uint8Array } {
  return output.kind === 'cast';
}

function nobody(): void {}
