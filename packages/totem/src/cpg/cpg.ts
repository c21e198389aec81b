import { ByteWriter, ConfigError, type LogPriority, type Machine, type Nanos, type Observe } from '@quorate/kernel';
import type { Configuration } from '../configuration.js';
import { SERVICE_GROUP, SYNC_GROUP } from '../group-message.js';
import type { QueueLevel } from '../queue-level.js';
import { formatRing, NO_RING, type NodeId, type RingId } from '../ring-id.js';
import { type ConnectionState, Connections } from './connections.js';
import {
  type CpgMessage,
  CpgReason,
  decodeCpgMessage,
  encodeDownList,
  encodeJoinList,
  encodeMcast,
  encodePartialMcast,
  encodeProcJoin,
  encodeProcLeave,
  isCpgMessage,
  MAX_GROUP_NAME_BYTES,
  MCAST_BYTES,
  PARTIAL_MCAST_BYTES,
} from './cpg-message.js';
import type { CpgFact, Place } from './fact.js';
import { LargeMessage, LargeMessageAssembly, MAX_LARGE_PAYLOAD_BYTES } from './large-message.js';
import { ListExchange } from './list-exchange.js';
import { byNodeAndPid, type ProcessInfo, ProcessTable } from './process-table.js';
import { decodeServiceMessage, Service } from './service-message.js';
import { decodeSyncMessage } from './sync-message.js';
import { SyncService, type SyncView } from './sync-service.js';

/** Results of the library's calls, `cs_error_t`. */
export const CpgError = { tryAgain: 6, busy: 10, notExist: 12, nameTooLong: 13, exist: 14, interrupt: 16 } as const;

export type CpgErrorCode = (typeof CpgError)[keyof typeof CpgError];

export type CpgInput =
  | ({ readonly kind: 'configuration' } & Configuration)
  /** A message of the total order; groups other than `a` and `sync` are not for this machine. */
  | { readonly kind: 'deliver'; readonly group: string; readonly from: NodeId; readonly payload: Uint8Array }
  | { readonly kind: 'join'; readonly group: string; readonly pid: number }
  | { readonly kind: 'leave'; readonly group: string; readonly pid: number }
  /**
   * Allowed as soon as the join was taken; at most `MAX_LARGE_PAYLOAD_BYTES`. What is longer than `MAX_PAYLOAD_BYTES` goes in
   * fragments, which a configuration change of the group in between ends with INTERRUPT. With `safe` it is delivered
   * only when every node has it, where totem offers that.
   */
  | {
      readonly kind: 'mcast';
      readonly group: string;
      readonly pid: number;
      readonly payload: Uint8Array;
      readonly safe?: boolean;
    }
  /** How full totem's queue is: while it is critical, `mcast` is refused with TRY_AGAIN. */
  | { readonly kind: 'queue-level'; readonly level: QueueLevel }
  /** The process died: it leaves its groups and hears nothing more. */
  | { readonly kind: 'exit'; readonly pid: number }
  | { readonly kind: 'wake' };

/** A process in a configuration change; in `members` the reason is 0. */
export interface CpgMember {
  readonly node: NodeId;
  readonly pid: number;
  /** `CpgReason`: 1 join, 2 leave, 3 node down, 4 node up, 5 process down. */
  readonly reason: number;
}

export type CpgOutput =
  /** With `afterSync` it must not be part of a synchronisation, should a new one have begun before it reaches totem. */
  | {
      readonly kind: 'cast';
      readonly group: 'a' | 'sync';
      readonly payload: Uint8Array;
      readonly afterSync: boolean;
      readonly safe: boolean;
    }
  /** Synchronisation of this ring is through. Comes before the casts that waited for it. */
  | { readonly kind: 'sync-done'; readonly ring: RingId }
  /** Another service of this node has its turn in the synchronisation: what it casts now comes before its barrier. */
  | { readonly kind: 'sync-process'; readonly service: number }
  /** Everybody's part of that service is here. */
  | { readonly kind: 'sync-activate'; readonly service: number }
  /** To each local process of the group. Members ascend by node and pid. */
  | {
      readonly kind: 'confchg';
      readonly group: string;
      readonly pid: number;
      readonly members: readonly CpgMember[];
      readonly left: readonly CpgMember[];
      readonly joined: readonly CpgMember[];
    }
  | {
      readonly kind: 'message';
      readonly group: string;
      readonly pid: number;
      readonly from: { readonly node: NodeId; readonly pid: number };
      readonly payload: Uint8Array;
    }
  /** The ring as it is synchronised: to each local process after its first join, and after every synchronisation. */
  | { readonly kind: 'ring-confchg'; readonly pid: number; readonly ring: RingId; readonly members: readonly NodeId[] }
  | {
      readonly kind: 'refused';
      readonly group: string;
      readonly pid: number;
      readonly operation: 'join' | 'leave' | 'mcast';
      readonly code: CpgErrorCode;
    }
  | { readonly kind: 'reject'; readonly reason: 'bad-service-message' | 'bad-sync-message' | 'bad-cpg-message' }
  | { readonly kind: 'log'; readonly priority: LogPriority; readonly text: string };

export interface CpgConfig {
  readonly nodeId: NodeId;
  /** Services of this node that take part in synchronisation; [2], process groups alone, unless told. */
  readonly services?: readonly number[];
  /**
   * What happens to `join`, `leave` and `mcast` while no synchronised ring is there. `queue` (default): they are done
   * after it, in their order. `refuse`: TRY_AGAIN, as corosync's library has it.
   */
  readonly duringSync?: 'queue' | 'refuse';
  readonly observe?: Observe<CpgFact>;
}

export interface CpgView {
  readonly isSynced: boolean;
  readonly ring: string;
  readonly sync: SyncView;
  readonly processes: readonly string[];
  readonly connections: readonly { readonly group: string; readonly pid: number; readonly state: ConnectionState }[];
  readonly pending: number;
  readonly inFlightBytes: number;
}

/** What waits for the end of synchronisation. */
type Operation =
  | { readonly kind: 'join' | 'leave'; readonly group: string; readonly pid: number }
  | Extract<CpgInput, { kind: 'mcast' }>
  | { readonly kind: 'gone'; readonly group: string; readonly pid: number };

/** Longest payload of one message: what totempg takes, less the headers. */
export const MAX_PAYLOAD_BYTES: number = 1024 * 1024 - 256;

/** A fragment of a longer one. */
const FRAGMENT_BYTES = MAX_PAYLOAD_BYTES / 2;

/** Casts that are not delivered yet, in bytes, from which on `mcast` is refused: half of totempg's queue. */
const MAX_IN_FLIGHT_BYTES = 2 * 1024 * 1024;

/**
 * Closed process groups over Totem, and the synchronisation that goes before them in every new ring.
 *
 * Source: corosync exec/cpg.c, exec/sync.c and the part of exec/main.c that joins them.
 */
export class Cpg implements Machine<CpgInput, CpgOutput> {
  readonly #nodeId: NodeId;
  readonly #duringSync: 'queue' | 'refuse';
  readonly #observe: Observe<CpgFact> | undefined;
  readonly #sync: SyncService;
  readonly #writer = new ByteWriter(true, 2048);

  #isSynced = false;
  #ring: RingId = NO_RING;
  readonly #exchange = new ListExchange();

  readonly #processes = new ProcessTable();
  readonly #connections = new Connections();
  /** Groups of local processes that died, by `keyOf`, as long as the others have not been told. */
  readonly #departing = new Set<string>();
  /** Local processes that know the ring. */
  readonly #knowRing = new Set<number>();
  #pending: Operation[] = [];
  /** Messages that came while synchronisation ran. */
  #deferred: { readonly from: NodeId; readonly payload: Uint8Array }[] = [];
  /** Messages too long for totempg: those of local processes that are on their way, one of each, and those that come in. */
  #large: LargeMessage[] = [];
  readonly #assembly = new LargeMessageAssembly();
  #inFlightBytes = 0;
  #queueLevel: QueueLevel = 'low';
  /** Where in the total order this node is, for facts. */
  #placeRing = '';
  #place = 0;

  #now: Nanos = 0;
  #emit: (output: CpgOutput) => void = nobody;

  /** @throws {ConfigError} when `services` lacks 2, the process groups themselves. */
  constructor(config: CpgConfig) {
    const services = config.services ?? [Service.cpg];
    if (!services.includes(Service.cpg)) throw new ConfigError('services', services.join(' '), 'a list with 2 in it');
    this.#nodeId = config.nodeId;
    this.#duringSync = config.duringSync ?? 'queue';
    this.#observe = config.observe;
    this.#sync = new SyncService(services, {
      send: (payload) => this.#emit({ kind: 'cast', group: SYNC_GROUP, payload, afterSync: false, safe: false }),
      process: (service) => {
        if (service === Service.cpg) this.#sendLists();
        else if (services.includes(service)) this.#emit({ kind: 'sync-process', service });
      },
      activate: (service) => {
        if (service === Service.cpg) this.#activate();
        else if (services.includes(service)) this.#emit({ kind: 'sync-activate', service });
      },
      completed: () => this.#onSyncCompleted(),
    });
  }

  step(now: Nanos, input: CpgInput, emit: (output: CpgOutput) => void): void {
    this.#now = now;
    this.#emit = emit;
    this.#on(input);
    this.#emit = nobody;
  }

  deadline(): Nanos {
    return Infinity;
  }

  /** All processes in groups that this node knows, by group, in the order of `cpg_iteration_next`. */
  iterate(): readonly ProcessInfo[] {
    return this.#processes.grouped();
  }

  inspect(): CpgView {
    return {
      isSynced: this.#isSynced,
      ring: formatRing(this.#ring),
      sync: this.#sync.inspect(),
      processes: this.#processes.all.map(keyOf),
      connections: this.#connections.all.map(({ group, pid, state }) => ({ group, pid, state })),
      pending: this.#pending.length,
      inFlightBytes: this.#inFlightBytes,
    };
  }

  #on(input: CpgInput): void {
    switch (input.kind) {
      case 'configuration':
        return input.type === 'transitional' ? this.#onTransitional(input) : this.#onRegular(input);
      case 'deliver':
        return this.#onDeliver(input.group, input.from, input.payload);
      case 'join':
      case 'leave':
      case 'mcast':
        return this.#isSynced ? this.#perform(input) : this.#postpone(input);
      case 'exit':
        return this.#onExit(input.pid);
      case 'queue-level':
        this.#queueLevel = input.level;
        return this.#sendFragments();
      case 'wake':
    }
  }

  // Configurations and synchronisation.

  #onTransitional({ ring, members }: Configuration): void {
    this.#placeRing += `>${formatRing(ring)}`;
    this.#sync.abort();
    this.#exchange.abort(members);
  }

  #onRegular({ ring, members }: Configuration): void {
    this.#isSynced = false;
    this.#ring = ring;
    this.#exchange.begin(members);
    this.#placeRing = formatRing(ring);
    this.#observe?.({ kind: 'cpg.sync', now: this.#now, ring: this.#placeRing });
    this.#sync.start(ring, members);
  }

  #sendLists(): void {
    const { oldMembers } = this.#exchange;
    this.#cast(encodeDownList(this.#writer, oldMembers.length, this.#exchange.downList()), false);
    const local = this.#processes.all.filter((process) => process.node === this.#nodeId);
    if (local.length > 0) this.#cast(encodeJoinList(this.#writer, local), false);
  }

  #activate(): void {
    this.#place = 0;
    const { gone, listed } = this.#exchange.activate();
    this.#tellNodesDown(gone);
    this.#tellNodesUp(listed);
    this.#removeZombies(listed);
    for (const group of this.#processes.groups()) this.#observeMembers(group);
    for (const pid of this.#connections.pids) this.#tellRing(pid);
  }

  /** The local list decides; the lists of the others are for their logs. */
  #tellNodesDown(nodes: readonly NodeId[]): void {
    const gone = this.#processes.removeNodes(nodes);
    for (const process of gone) this.#assembly.forget(keyOf(process));
    for (const group of groupsOf(gone)) {
      this.#notify(group, [], membersOf(gone, group, CpgReason.nodeDown));
    }
  }

  #tellNodesUp(listed: readonly ProcessInfo[]): void {
    const come = listed.filter((process) => !this.#processes.has(process)).sort(byNodeAndPid);
    for (const process of come) if (!this.#processes.has(process)) this.#processes.add(process);
    for (const group of groupsOf(come)) this.#notify(group, membersOf(come, group, CpgReason.nodeUp), []);
  }

  /** Remote processes that went while nobody could say so. */
  #removeZombies(listed: readonly ProcessInfo[]): void {
    const alive = new Set(listed.map(keyOf));
    for (const process of [...this.#processes.all]) {
      if (process.node !== this.#nodeId && !alive.has(keyOf(process))) this.#procLeave(process, CpgReason.procDown);
    }
  }

  #onSyncCompleted(): void {
    this.#isSynced = true;
    this.#observe?.({ kind: 'cpg.synced', now: this.#now, ring: this.#placeRing });
    const text = 'Completed service synchronization, ready to provide service.';
    this.#emit({ kind: 'log', priority: 'notice', text });
    this.#emit({ kind: 'sync-done', ring: this.#ring });
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const { from, payload } of deferred) this.#onService(from, payload);
    const pending = this.#pending;
    this.#pending = [];
    for (const operation of pending) this.#perform(operation);
    this.#sendFragments();
  }

  // Messages of the total order.

  #onDeliver(group: string, from: NodeId, payload: Uint8Array): void {
    if (group === SYNC_GROUP) return this.#onSyncMessage(from, payload);
    if (group !== SERVICE_GROUP) return;
    this.#onService(from, payload);
    if (from !== this.#nodeId) return;
    this.#inFlightBytes = Math.max(0, this.#inFlightBytes - payload.length);
    this.#sendFragments();
  }

  #onSyncMessage(from: NodeId, payload: Uint8Array): void {
    const service = decodeServiceMessage(payload);
    const message = service === undefined ? undefined : decodeSyncMessage(service);
    if (message === undefined) return this.#emit({ kind: 'reject', reason: 'bad-sync-message' });
    this.#sync.take(from, message);
  }

  #onService(from: NodeId, payload: Uint8Array): void {
    const service = decodeServiceMessage(payload);
    if (service === undefined) return this.#emit({ kind: 'reject', reason: 'bad-service-message' });
    if (!isCpgMessage(service)) return;
    const message = decodeCpgMessage(service);
    if (message === undefined) return this.#emit({ kind: 'reject', reason: 'bad-cpg-message' });
    if (message.kind === 'join-list') return this.#onJoinList(from, message.processes);
    if (message.kind === 'down-list') return;
    // No member sends in the middle of a round; should one do so, its message is handled when the round is over.
    if (this.#isSynced) this.#apply(from, message);
    else this.#deferred.push({ from, payload: payload.slice() });
  }

  /** Counts in its own turn only: an earlier one is left over from a round that was ended. */
  #onJoinList(from: NodeId, processes: readonly { readonly pid: number; readonly group: string }[]): void {
    if (this.#sync.current !== Service.cpg || from === this.#nodeId) return;
    this.#exchange.take(from, processes);
  }

  #apply(from: NodeId, message: CpgMessage): void {
    this.#place += 1;
    switch (message.kind) {
      case 'proc-join':
        return this.#procJoin({ node: from, pid: message.pid, group: message.group });
      case 'proc-leave':
        this.#procLeave({ node: from, pid: message.pid, group: message.group }, message.reason);
        return this.#observeMembers(message.group);
      case 'mcast':
        return this.#handToGroup(message.group, from, message.pid, message.payload);
      case 'partial-mcast':
        return this.#onPartial(from, message);
      case 'join-list':
      case 'down-list':
    }
  }

  #procJoin(process: ProcessInfo): void {
    if (this.#processes.has(process)) return;
    this.#processes.add(process);
    this.#notify(process.group, [member(process, CpgReason.join)], []);
    this.#observeMembers(process.group);
  }

  #procLeave(process: ProcessInfo, reason: number): void {
    this.#processes.remove(process);
    this.#assembly.forget(keyOf(process));
    this.#notify(process.group, [], [member(process, reason)]);
    if (process.node !== this.#nodeId) return;
    if (reason === CpgReason.procDown) this.#departing.delete(keyOf(process));
    if (reason !== CpgReason.leave) return;
    const { pid, group } = process;
    this.#connections.close(group, pid);
    if (!this.#connections.pids.includes(pid)) this.#knowRing.delete(pid);
  }

  #handToGroup(group: string, node: NodeId, pid: number, payload: Uint8Array): void {
    const hearers = this.#connections.hearersOf(group);
    if (hearers.length === 0) return;
    if (!this.#processes.knowsNode(node, group)) {
      return this.#emit({ kind: 'log', priority: 'warning', text: 'Unknown node -> we will not deliver message' });
    }
    const from = { node, pid };
    for (const hearer of hearers) {
      this.#observe?.({
        kind: 'cpg.message',
        now: this.#now,
        ...this.#whereabouts(),
        group,
        pid: hearer.pid,
        from: nameOf(from),
      });
      this.#emit({ kind: 'message', group, pid: hearer.pid, from, payload });
    }
  }

  #onPartial(from: NodeId, message: Extract<CpgMessage, { kind: 'partial-mcast' }>): void {
    const { group, pid, length } = message;
    const whole = this.#assembly.take(keyOf({ node: from, pid, group }), message, length);
    if (whole !== undefined) this.#handToGroup(group, from, pid, whole);
  }

  /** Tells the group's local processes, the leaver among them. */
  #notify(group: string, joined: readonly CpgMember[], left: readonly CpgMember[]): void {
    const members = this.#processes.membersOf(group).map((process) => member(process, CpgReason.none));
    for (const { node, pid } of joined) if (node === this.#nodeId) this.#completeJoin(group, pid);
    for (const connection of this.#connections.hearersOf(group)) {
      const { pid } = connection;
      connection.transitions += 1;
      this.#observe?.({
        kind: 'cpg.confchg',
        now: this.#now,
        ...this.#whereabouts(),
        group,
        pid,
        members: members.map(nameOf),
        joined: joined.map(nameOf),
        left: left.map(nameOf),
      });
      this.#emit({ kind: 'confchg', group, pid, members, left, joined });
      if (!this.#knowRing.has(pid)) this.#tellRing(pid);
    }
  }

  #completeJoin(group: string, pid: number): void {
    const connection = this.#connections.of(group, pid);
    if (connection?.state === 'join-started') connection.state = 'join-completed';
  }

  #tellRing(pid: number): void {
    this.#knowRing.add(pid);
    this.#emit({ kind: 'ring-confchg', pid, ring: this.#ring, members: this.#exchange.oldMembers });
  }

  // Calls of local processes.

  #postpone(operation: Extract<CpgInput, { kind: 'join' | 'leave' | 'mcast' }>): void {
    const { kind, group, pid } = operation;
    if (this.#duringSync === 'refuse') return this.#refuse(operation, CpgError.tryAgain);
    if (kind !== 'mcast') {
      this.#pending.push({ kind, group, pid });
      return;
    }
    this.#pending.push({ ...operation, payload: operation.payload.slice() });
  }

  #perform(operation: Operation): void {
    switch (operation.kind) {
      case 'join':
        return this.#join(operation);
      case 'leave':
        return this.#leave(operation);
      case 'mcast':
        return this.#mcast(operation);
      case 'gone':
        return this.#cast(encodeProcLeave(this.#writer, operation.group, operation.pid, CpgReason.procDown));
    }
  }

  #join(operation: Operation): void {
    const { group, pid } = operation;
    const connection = this.#connections.of(group, pid);
    if (connection !== undefined) {
      return this.#refuse(operation, connection.state === 'leave-started' ? CpgError.busy : CpgError.exist);
    }
    // An earlier process of this pid has not left for the others yet, maybe not even joined.
    const process = { node: this.#nodeId, pid, group };
    if (this.#processes.has(process) || this.#departing.has(keyOf(process))) {
      return this.#refuse(operation, CpgError.tryAgain);
    }
    if (group.length > MAX_GROUP_NAME_BYTES) return this.#refuse(operation, CpgError.nameTooLong);
    this.#connections.open(group, pid);
    this.#cast(encodeProcJoin(this.#writer, group, pid));
  }

  #leave(operation: Operation): void {
    const connection = this.#connections.of(operation.group, operation.pid);
    if (connection === undefined || connection.state === 'leave-started') {
      return this.#refuse(operation, CpgError.notExist);
    }
    if (connection.state === 'join-started' || this.#isSendingLarge(operation)) {
      return this.#refuse(operation, CpgError.busy);
    }
    connection.state = 'leave-started';
    this.#cast(encodeProcLeave(this.#writer, connection.group, connection.pid, CpgReason.leave));
  }

  #mcast(operation: Extract<Operation, { kind: 'mcast' }>): void {
    const { group, pid, payload } = operation;
    if (payload.length > MAX_LARGE_PAYLOAD_BYTES) {
      throw new RangeError(`a payload of ${payload.length} bytes, at most ${MAX_LARGE_PAYLOAD_BYTES}`);
    }
    const connection = this.#connections.of(group, pid);
    if (connection === undefined || connection.state === 'leave-started') {
      return this.#refuse(operation, CpgError.notExist);
    }
    if (this.#queueLevel === 'critical' || this.#isSendingLarge(operation)) {
      return this.#refuse(operation, CpgError.tryAgain);
    }
    if (payload.length > MAX_PAYLOAD_BYTES) {
      this.#large.push(new LargeMessage(group, pid, payload, connection.transitions, FRAGMENT_BYTES));
      return this.#sendFragments();
    }
    if (!this.#hasRoomFor(MCAST_BYTES + payload.length)) return this.#refuse(operation, CpgError.tryAgain);
    this.#cast(encodeMcast(this.#writer, group, pid, this.#nodeId, payload), true, operation.safe ?? false);
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#inFlightBytes + bytes <= MAX_IN_FLIGHT_BYTES;
  }

  #isSendingLarge({ group, pid }: Operation): boolean {
    return this.#large.some((message) => message.group === group && message.pid === pid);
  }

  /** Sends of each large message as many fragments as there is room for; gives up those of a group that changed. */
  #sendFragments(): void {
    for (const message of this.#large) {
      const { group, pid, transitions } = message;
      const connection = this.#connections.of(group, pid);
      if (connection !== undefined && connection.transitions !== transitions) {
        this.#large = this.#large.filter((other) => other !== message);
        this.#emit({ kind: 'refused', group, pid, operation: 'mcast', code: CpgError.interrupt });
        continue;
      }
      if (!this.#isSynced || this.#queueLevel === 'critical') continue;
      while (!message.isSent && this.#hasRoomFor(PARTIAL_MCAST_BYTES + message.nextBytes)) {
        this.#cast(encodePartialMcast(this.#writer, message, this.#nodeId, message.next()));
      }
    }
    this.#large = this.#large.filter(({ isSent }) => !isSent);
  }

  #onExit(pid: number): void {
    const closed = this.#connections.closeAll(pid);
    this.#large = this.#large.filter((message) => message.pid !== pid);
    this.#observe?.({ kind: 'cpg.exited', now: this.#now, pid });
    this.#pending = this.#pending.filter((operation) => operation.pid !== pid || operation.kind === 'gone');
    this.#knowRing.delete(pid);
    for (const { group, state } of closed) {
      if (state === 'leave-started') continue;
      this.#departing.add(keyOf({ node: this.#nodeId, pid, group }));
      const operation: Operation = { kind: 'gone', group, pid };
      if (this.#isSynced) this.#perform(operation);
      else this.#pending.push(operation);
    }
  }

  #refuse({ kind, group, pid }: Operation, code: CpgErrorCode): void {
    if (kind !== 'gone') this.#emit({ kind: 'refused', group, pid, operation: kind, code });
  }

  #cast(payload: Uint8Array, afterSync = true, safe = false): void {
    this.#inFlightBytes += payload.length;
    this.#emit({ kind: 'cast', group: SERVICE_GROUP, payload, afterSync, safe });
  }

  #whereabouts(): Place {
    return { ring: this.#placeRing, place: this.#place };
  }

  #observeMembers(group: string): void {
    if (this.#observe === undefined) return;
    const members = this.#processes.membersOf(group).map(nameOf);
    this.#observe({ kind: 'cpg.members', now: this.#now, ...this.#whereabouts(), group, members });
  }
}

function member({ node, pid }: ProcessInfo, reason: number): CpgMember {
  return { node, pid, reason };
}

function membersOf(processes: readonly ProcessInfo[], group: string, reason: number): CpgMember[] {
  return processes.filter((process) => process.group === group).map((process) => member(process, reason));
}

function groupsOf(processes: readonly ProcessInfo[]): string[] {
  return [...new Set(processes.map((process) => process.group))].sort();
}

function nameOf({ node, pid }: { readonly node: NodeId; readonly pid: number }): string {
  return `${node}/${pid}`;
}

function keyOf(process: ProcessInfo): string {
  return `${nameOf(process)} ${process.group}`;
}

function nobody(): void {}
