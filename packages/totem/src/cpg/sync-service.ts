import { ByteWriter } from '@quorate/kernel';
import { isSameRing, NO_RING, type NodeId, type RingId } from '../ring-id.js';
import { encodeBarrier, encodeServiceBuild, type SyncMessage } from './sync-message.js';

/** What synchronisation asks of the services. */
export interface SyncPorts {
  /** Casts to group `sync`; lent for the call. */
  send(payload: Uint8Array): void;
  /** The service's turn: it casts what the others need. The barrier follows. */
  process(service: number): void;
  /** Everybody has sent and received what this service needs. */
  activate(service: number): void;
  completed(): void;
}

/** How far synchronisation is: a round that does not end waits for the nodes in `missing`. */
export interface SyncView {
  readonly phase: 'idle' | 'build' | 'process';
  readonly agenda: readonly number[];
  /** The service whose barrier is awaited. */
  readonly service: number | null;
  readonly missing: readonly NodeId[];
}

/**
 * Agreement of the services after a regular configuration: who takes part, then one service after the other, each ended
 * by a barrier of all members.
 *
 * Barriers do not name their service: the n-th barrier of a member is for the n-th service. A configuration in the middle
 * ends the round in any phase; its messages, which may still come, name a ring that is over.
 *
 * Source: corosync exec/sync.c.
 */
export class SyncService {
  readonly #services: readonly number[];
  readonly #ports: SyncPorts;
  readonly #writer = new ByteWriter(true, 1024);
  #phase: SyncView['phase'] = 'idle';
  #ring: RingId = NO_RING;
  #members: readonly NodeId[] = [];
  readonly #received = new Set<NodeId>();
  #agenda: number[] = [];
  #index = 0;

  /** `services` are the ids of those that take part on this node. */
  constructor(services: readonly number[], ports: SyncPorts) {
    this.#services = [...services].sort((a, b) => a - b);
    this.#ports = ports;
  }

  /** The service whose turn it is; undefined outside of a round and before its agenda is agreed. */
  get current(): number | undefined {
    return this.#phase === 'process' ? this.#agenda[this.#index] : undefined;
  }

  start(ring: RingId, members: readonly NodeId[]): void {
    this.#phase = 'build';
    this.#ring = ring;
    this.#members = members;
    this.#received.clear();
    this.#agenda = [...this.#services];
    this.#index = 0;
    this.#ports.send(encodeServiceBuild(this.#writer, ring, this.#services));
  }

  abort(): void {
    this.#phase = 'idle';
    this.#ring = NO_RING;
  }

  take(from: NodeId, message: SyncMessage): void {
    if (this.#phase === 'idle' || !isSameRing(message.ring, this.#ring)) return;
    if (message.kind === 'service-build') this.#onServiceBuild(from, message.services);
    else this.#onBarrier(from);
  }

  inspect(): SyncView {
    const missing = this.#phase === 'idle' ? [] : this.#members.filter((node) => !this.#received.has(node));
    return { phase: this.#phase, agenda: [...this.#agenda], service: this.current ?? null, missing };
  }

  #onServiceBuild(from: NodeId, services: readonly number[]): void {
    if (this.#phase !== 'build') return;
    // Services unknown here stay on the agenda: the others wait for this node's barrier all the same.
    for (const service of services) if (!this.#agenda.includes(service)) this.#agenda.push(service);
    this.#agenda.sort((a, b) => a - b);
    if (!this.#isReceivedByAll(from)) return;
    this.#phase = 'process';
    this.#enterService();
  }

  #onBarrier(from: NodeId): void {
    const service = this.current;
    if (service === undefined || !this.#isReceivedByAll(from)) return;
    this.#ports.activate(service);
    this.#index += 1;
    this.#enterService();
  }

  #isReceivedByAll(from: NodeId): boolean {
    this.#received.add(from);
    return this.#members.every((node) => this.#received.has(node));
  }

  #enterService(): void {
    this.#received.clear();
    const service = this.current;
    if (service === undefined) {
      this.#phase = 'idle';
      return this.#ports.completed();
    }
    this.#ports.process(service);
    this.#ports.send(encodeBarrier(this.#writer, this.#ring));
  }
}
