import {
  ByteWriter,
  EventQueue,
  guarded,
  MILLISECOND,
  type Nanos,
  type NodeStateFact,
  SECOND,
  type Stamped,
} from '@quorate/kernel';
import { type RgMessage, readMessage, writeMessage } from './cluster/message.js';
import { Control, PORT_HEADER_BYTES, readPortHeader, writePortHeader } from './cluster/port-header.js';
import { type ConfElement, childrenNamed, descend } from './conf/conf-element.js';
import type { RgFact } from './fact.js';
import type { RgInput, RgOutput, RgReply, RgRequest } from './io.js';
import type { Turn } from './manager/turns.js';
import { type ResumedState, Rgmanager, type RgmanagerConfig } from './rgmanager.js';
import { encodeRecord, type ServiceRecord } from './state/service-record.js';
import { TurnOrder, type WaitingTurn } from './turn-order.js';

export interface AgentCall {
  readonly node: number;
  /** `ip:10.0.0.1`. */
  readonly resource: string;
  readonly action: string;
  readonly depth: number;
  readonly argument: string | undefined;
}

/** What is told as it happens; `at` is the cluster's time. */
export type Told =
  | {
      readonly kind: 'log';
      readonly at: Nanos;
      readonly node: number;
      readonly priority: string;
      readonly text: string;
    }
  /** An agent has ended. */
  | { readonly kind: 'exec'; readonly at: Nanos; readonly call: AgentCall; readonly status: number }
  | {
      readonly kind: 'event';
      readonly at: Nanos;
      readonly node: number;
      readonly message: Extract<RgMessage, { kind: 'event' }>;
    }
  | { readonly kind: 'fence'; readonly at: Nanos; readonly node: number; readonly victim: number }
  | { readonly kind: 'reply'; readonly at: Nanos; readonly node: number; readonly reply: RgReply }
  | { readonly kind: 'exited'; readonly at: Nanos; readonly node: number; readonly status: number };

interface Host {
  readonly id: number;
  readonly life: number;
  readonly machine: ReturnType<typeof guarded<RgInput, RgOutput>>;
  readonly rgmanager: Rgmanager;
}

interface LockOwner {
  readonly host: Host;
  readonly handle: number;
}

interface LockResource {
  holder: LockOwner | undefined;
  readonly queue: LockOwner[];
}

const LATENCY: Nanos = MILLISECOND;
const FENCING: Nanos = 5 * SECOND;
const EAGAIN = -11;
const EUNLOCK = -0x10002;
/** Node id of whoever asks from outside, and writes records. */
const STRANGER = 99;
const LOCK_EX = 5;
const NOQUEUE = 1;

/** Several rgmanagers on a virtual clock, and what cman's port 177, the DLM and the agents do, in a page each. */
export class RgCluster {
  readonly told: Told[] = [];
  readonly facts: Stamped<RgFact | NodeStateFact>[] = [];
  now: Nanos = 0;
  /** How long an agent takes and what it returns. */
  agent: (call: AgentCall) => { readonly takes: Nanos; readonly status: number } = () => ({ takes: 0, status: 0 });
  /** A node is to be fenced: its power goes, cman notices, and five seconds later it is done. */
  fence: (victim: number) => void = (victim) => {
    this.kill(victim);
    this.lose(victim);
    this.at(this.now + FENCING, () => this.fenced(victim));
  };
  /** Whether these nodes have quorum, as `node` sees it. */
  isQuorate: (members: readonly number[], node: number) => boolean = () => true;
  /**
   * One request after the other: those that events led to by the ids of their nodes, what one asks of other nodes within it, and
   * the next event of a service when none is left. That is how the recordings were made. To be set before the first node starts.
   */
  takesTurns = false;
  /** Where turns are given: an event of a service is about to be delivered. */
  beforeEvent: () => void = () => {};
  readonly #conf: ConfElement;
  readonly #nodes: readonly { readonly id: number; readonly name: string }[];
  readonly #config: Partial<RgmanagerConfig>;
  readonly #hosts = new Map<number, Host>();
  readonly #lives = new Map<number, number>();
  readonly #queue = new EventQueue();
  readonly #jobs = new Map<number, () => void>();
  readonly #locks = new Map<string, LockResource>();
  readonly #lockNames = new Map<string, string>();
  /** Dead nodes that are not fenced: nobody gets a lock. */
  readonly #unfenced = new Set<number>();
  readonly #waitingForFence: (() => void)[] = [];
  /** Who has left the lockspace: what was asked for before comes too late. */
  readonly #left = new Set<Host>();
  /** Nodes that cman knows as members, and those whose port is open as far as it knows. */
  readonly #members = new Set<number>();
  readonly #listening = new Set<number>();
  /** Nodes that know that they have no quorum. */
  readonly #inquorate = new Set<number>();
  /** Wall clock second at which the cluster's time begins. */
  #wall = 1_446_155_000;
  readonly #turns = new TurnOrder<Host>();
  /** Events of services that have not been delivered. */
  readonly #events: (() => void)[] = [];
  #order = 0;
  #lastRequest = 0;
  #lastContext = 0;

  constructor(conf: ConfElement, config: Partial<RgmanagerConfig> = {}) {
    this.#conf = conf;
    this.#nodes = childrenNamed(descend(conf, 'clusternodes'), 'clusternode').map(({ attributes }: ConfElement) => ({
      id: Number(attributes.get('nodeid')),
      name: attributes.get('name') ?? '',
    }));
    this.#config = config;
  }

  // Nodes

  start(id: number, conf: ConfElement = this.#conf): void {
    const host = this.#newHost(id, conf, {});
    this.#members.add(id);
    this.#listening.delete(id);
    this.#tellMembers();
    this.#boot(host);
  }

  /** All members go on from a state. `members`: for cman; `listening`: those of them whose rgmanager runs, the master first. */
  resume(members: readonly number[], listening: readonly number[], resumes: ResumedState): void {
    const latest = Math.max(0, ...resumes.records.map(({ transition }) => transition));
    this.#wall = Math.max(this.#wall, latest + 1);
    for (const id of members) this.#members.add(id);
    for (const id of listening) this.#listening.add(id);
    const hosts = listening.map((id) => this.#newHost(id, this.#conf, { resumes }));
    this.#tellMembers();
    for (const host of hosts) this.#boot(host);
  }

  #newHost(id: number, conf: ConfElement, config: Partial<RgmanagerConfig>): Host {
    const life = (this.#lives.get(id) ?? 0) + 1;
    this.#lives.set(id, life);
    let seq = 0;
    const rgmanager = new Rgmanager({
      ...this.#config,
      ...config,
      nodeId: id,
      nodes: this.#nodes,
      conf,
      ...(this.takesTurns && { awaitsTurn: ({ id: turn }: Turn) => this.#turns.add(host, turn) }),
      observe: (fact) => {
        this.facts.push(Object.assign(fact, { node: id, life, seq: seq++, at: this.now }));
      },
    });
    const host: Host = { id, life, rgmanager, machine: guarded(rgmanager) };
    this.#hosts.set(id, host);
    return host;
  }

  #boot(host: Host): void {
    this.#step(host, { kind: 'start', wall: Math.floor(this.now / SECOND) + this.#wall });
  }

  /** SIGTERM. */
  shutdown(id: number): void {
    this.#step(this.#host(id), { kind: 'shutdown' });
  }

  /** The power is gone. Nobody notices yet. */
  kill(id: number): void {
    const { now } = this;
    const life = this.#lives.get(id) ?? 0;
    this.facts.push({ kind: 'node.state', state: 'off', now, at: now, node: id, life, seq: 0 });
    this.#hosts.delete(id);
    this.#unfenced.add(id);
  }

  /** cman says that these nodes are no members any more. */
  lose(...ids: readonly number[]): void {
    for (const id of ids) {
      this.#members.delete(id);
      this.#listening.delete(id);
    }
    this.#tellMembers();
  }

  /** Fencing has ended and the DLM has recovered: the locks of these nodes are free, and locks are given again. */
  fenced(...ids: readonly number[]): void {
    for (const id of ids) {
      this.#unfenced.delete(id);
      this.#releaseAll(id);
    }
    if (this.#unfenced.size > 0) return;
    for (const resume of this.#waitingForFence.splice(0)) resume();
    for (const lock of this.#locks.values()) this.#grantNext(lock);
  }

  reconfigure(conf: ConfElement): void {
    for (const host of this.#hosts.values()) this.#step(host, { kind: 'reconfigure', conf });
  }

  /** A node is told, alone, who listens. */
  tellListening(id: number, nodes: readonly number[]): void {
    this.#step(this.#host(id), { kind: 'membership', members: nodes, isQuorate: true });
  }

  has(id: number): boolean {
    return this.#hosts.has(id);
  }

  /** As cman has them; rgmanager need not run on all of them. */
  get members(): readonly number[] {
    return [...this.#members].sort((a, b) => a - b);
  }

  get running(): readonly number[] {
    return [...this.#hosts.keys()].sort((a, b) => a - b);
  }

  inspect(id: number): ReturnType<Rgmanager['inspect']> {
    return this.#host(id).rgmanager.inspect();
  }

  record(service: string, id: number = this.running[0]!): ServiceRecord | undefined {
    return this.inspect(id).services.find(({ name }) => name === service);
  }

  // Requests

  /** Asks a node; its reply is told. */
  request(id: number, request: RgRequest): void {
    this.#lastRequest += 1;
    this.#step(this.#host(id), { kind: 'request', id: this.#lastRequest, request });
  }

  /** Asks a node as another rgmanager would; its reply is told. */
  action(id: number, service: string, action: number): void {
    this.#lastContext += 1;
    const context = this.#lastContext;
    const header = { sourceContext: context, sourceNode: STRANGER, destinationNode: id };
    this.#sendAsStranger(id, { ...header, destinationContext: 0, control: Control.OPEN });
    this.settle();
    const destinationContext = this.#remoteContext;
    const message = { kind: 'action', service, action, target: 0, result: 0, arg1: 0, arg2: 0 } as const;
    this.#sendAsStranger(id, { ...header, destinationContext, control: Control.DATA }, message);
    this.settle();
  }

  /** Makes a record what all nodes have. */
  setRecord(record: ServiceRecord): void {
    const key = `rg="${record.name}"`;
    const known = this.running.flatMap((id) => this.inspect(id).keys).filter((each) => each.key === key);
    const view = Math.max(0, ...known.map((each) => each.view)) + 1;
    const transaction = (STRANGER << 16) + this.#order;
    const data = encodeRecord(record);
    for (const id of this.running) {
      this.#tell(id, { kind: 'join-view', transaction, key, coordinator: STRANGER, view, data });
      this.#tell(id, { kind: 'formed', transaction });
    }
    this.settle();
  }

  // Time

  run(duration: Nanos): void {
    const until = this.now + duration;
    while (this.#nextAt <= until) this.#advance();
    this.now = until;
  }

  /** Runs until nothing is on its way: messages, locks, agents. Timers that are not due do not count. */
  settle(): void {
    do this.#settleInTurn();
    while (this.#giveTurn());
  }

  /** As `settle`, but no request gets its turn, and no event of a service is delivered. */
  settleWithoutTurns(): void {
    this.#settleInTurn();
    for (const waiting of this.#turns.takeAll()) this.#give(waiting, true);
    this.#events.length = 0;
    this.#settleInTurn();
  }

  #settleInTurn(): void {
    while (this.#queue.size > 0) this.#advance();
  }

  /** False when nothing waits for its turn. */
  #giveTurn(): boolean {
    const next = this.#turns.take();
    if (next !== undefined) {
      this.#give(next, false);
      return true;
    }
    if (this.#events.length > 0) this.beforeEvent();
    const event = this.#events.shift();
    event?.();
    return event !== undefined;
  }

  #give({ host, turn }: WaitingTurn<Host>, isRefused: boolean): void {
    if (this.#isAlive(host)) this.#step(host, { kind: 'turn', turn, ...(isRefused && { isRefused }) });
  }

  at(at: Nanos, what: () => void): void {
    this.#order += 1;
    this.#queue.push(at, this.#order, this.#order);
    this.#jobs.set(this.#order, what);
  }

  get #nextAt(): Nanos {
    let at = this.#queue.time;
    for (const { machine } of this.#hosts.values()) at = Math.min(at, machine.deadline());
    return at;
  }

  #advance(): void {
    const at = this.#nextAt;
    this.now = Math.max(this.now, at);
    if (this.#queue.time <= at) {
      const slot = this.#queue.pop();
      const job = this.#jobs.get(slot)!;
      this.#jobs.delete(slot);
      return job();
    }
    const host = [...this.#hosts.values()].find(({ machine }) => machine.deadline() <= at)!;
    this.#step(host, { kind: 'wake' });
  }

  #host(id: number): Host {
    const host = this.#hosts.get(id);
    if (host === undefined) throw new Error(`node ${id} does not run`);
    return host;
  }

  #isAlive(host: Host): boolean {
    return this.#hosts.get(host.id) === host;
  }

  #step(host: Host, input: RgInput): void {
    const outputs: RgOutput[] = [];
    host.machine.step(this.now, input, (output) => {
      outputs.push(output.kind === 'send' ? { ...output, payload: output.payload.slice() } : output);
    });
    for (const output of outputs) this.#on(host, output);
  }

  #later(host: Host, delay: Nanos, input: RgInput): void {
    this.at(this.now + delay, () => {
      if (this.#isAlive(host)) this.#step(host, input);
    });
  }

  #on(host: Host, output: RgOutput): void {
    switch (output.kind) {
      case 'create-lockspace':
        return this.#later(host, LATENCY, { kind: 'lockspace-created' });
      case 'release-lockspace':
        this.#left.add(host);
        this.#releaseAll(host.id);
        return this.#later(host, LATENCY, { kind: 'lockspace-released' });
      case 'lock':
        return this.#lock(host, output);
      case 'unlock':
        return this.#unlock(host, output.handle);
      case 'open-port':
        this.#listening.add(host.id);
        return this.at(this.now + LATENCY, () => this.#tellMembers());
      case 'close-port':
        this.#listening.delete(host.id);
        return this.at(this.now + LATENCY, () => this.#tellMembers());
      case 'send':
        return this.#send(host, output.to, output.payload);
      case 'run-agent':
        return this.#runAgent(host, output);
      case 'fence':
        this.told.push({ kind: 'fence', at: this.now, node: host.id, victim: output.node });
        return this.at(this.now + LATENCY, () => this.fence(output.node));
      case 'reply':
        this.told.push({ kind: 'reply', at: this.now, node: host.id, reply: output.reply });
        return;
      case 'exited':
        this.#hosts.delete(host.id);
        this.told.push({ kind: 'exited', at: this.now, node: host.id, status: output.status });
        return;
      case 'log':
        this.told.push({ at: this.now, node: host.id, ...output });
        return;
      case 'reject':
        throw new Error(`node ${host.id} rejected a message of node ${output.from}: ${output.reason}`);
    }
  }

  // cman

  #tellMembers(): void {
    const members = [...this.#listening].sort();
    const inCluster = [...this.#members].sort();
    for (const id of this.running) {
      if (!this.#members.has(id)) continue;
      const isQuorate = this.isQuorate(inCluster, id);
      if (isQuorate) this.#inquorate.delete(id);
      else this.#inquorate.add(id);
      this.#step(this.#host(id), { kind: 'membership', members, isQuorate });
    }
  }

  #send(from: Host, to: number, payload: Uint8Array): void {
    if (this.#inquorate.has(from.id)) return;
    const header = readPortHeader(payload)!;
    const message = payload.length > PORT_HEADER_BYTES ? readMessage(payload.subarray(PORT_HEADER_BYTES)) : undefined;
    if (typeof message === 'object' && message.kind === 'event') {
      this.told.push({ kind: 'event', at: this.now, node: from.id, message });
    }
    if (to === STRANGER) {
      if (header.control === Control.OPEN_ACK) this.#remoteContext = header.sourceContext;
      if (typeof message !== 'object' || message.kind !== 'action') return;
      const reply = { kind: 'result', code: message.result, owner: message.target } as const;
      this.told.push({ kind: 'reply', at: this.now, node: from.id, reply });
      return;
    }
    const deliver = (): void => {
      for (const id of this.running) {
        const host = this.#host(id);
        if ((to === 0 || to === id) && this.#listening.has(id))
          this.#step(host, { kind: 'message', from: from.id, payload });
      }
    };
    if (this.takesTurns && typeof message === 'object' && message.kind === 'event') this.#events.push(deliver);
    else this.at(this.now + LATENCY, deliver);
  }

  #remoteContext = 0;

  #sendAsStranger(to: number, header: Parameters<typeof writePortHeader>[1], message?: RgMessage): void {
    const writer = new ByteWriter(false, 256);
    writePortHeader(writer, header);
    if (message !== undefined) writeMessage(writer, message);
    this.#step(this.#host(to), { kind: 'message', from: STRANGER, payload: writer.bytes() });
  }

  #tell(to: number, message: RgMessage): void {
    const everybody = { sourceContext: 0, sourceNode: STRANGER, destinationContext: 0, destinationNode: 0 };
    this.#sendAsStranger(to, { ...everybody, control: Control.DATA }, message);
  }

  // The DLM

  #lock(host: Host, { handle, name, mode, flags }: Extract<RgOutput, { kind: 'lock' }>): void {
    this.at(this.now + LATENCY, () => this.#unlessUnfenced(() => this.#request(host, handle, name, mode, flags)));
  }

  #unlessUnfenced(what: () => void): void {
    if (this.#unfenced.size === 0) what();
    else this.#waitingForFence.push(what);
  }

  #request(host: Host, handle: number, name: string, mode: number, flags: number): void {
    if (!this.#isAlive(host) || this.#left.has(host)) return;
    this.#lockNames.set(`${host.id}/${host.life}/${handle}`, name);
    if (mode !== LOCK_EX) return this.#later(host, LATENCY, { kind: 'lock-cast', handle, status: 0, mode });
    const lock = this.#locks.get(name) ?? { holder: undefined, queue: [] };
    this.#locks.set(name, lock);
    if (lock.holder !== undefined && (flags & NOQUEUE) !== 0) {
      return this.#later(host, LATENCY, { kind: 'lock-cast', handle, status: EAGAIN });
    }
    lock.queue.push({ host, handle });
    this.#grantNext(lock);
  }

  #grantNext(lock: LockResource): void {
    if (lock.holder !== undefined || this.#unfenced.size > 0) return;
    lock.holder = lock.queue.shift();
    if (lock.holder === undefined) return;
    const { host, handle } = lock.holder;
    this.#later(host, LATENCY, { kind: 'lock-cast', handle, status: 0, mode: LOCK_EX });
  }

  #unlock(host: Host, handle: number): void {
    this.at(this.now + LATENCY, () => this.#unlessUnfenced(() => this.#release(host, handle)));
  }

  #release(host: Host, handle: number): void {
    const lock = this.#locks.get(this.#lockNames.get(`${host.id}/${host.life}/${handle}`) ?? '');
    if (lock?.holder?.host === host && lock.holder.handle === handle) lock.holder = undefined;
    if (this.#isAlive(host)) this.#later(host, 0, { kind: 'lock-cast', handle, status: EUNLOCK });
    if (lock !== undefined) this.#grantNext(lock);
  }

  #releaseAll(id: number): void {
    for (const lock of this.#locks.values()) {
      const others = lock.queue.filter(({ host }) => host.id !== id);
      lock.queue.splice(0, lock.queue.length, ...others);
      if (lock.holder?.host.id === id) lock.holder = undefined;
      this.#grantNext(lock);
    }
  }

  // Agents

  #runAgent(host: Host, { run, action, argument, environment, timeout }: Extract<RgOutput, { kind: 'run-agent' }>) {
    const resource = environment.OCF_RESOURCE_INSTANCE!;
    const call = { node: host.id, resource, action, depth: Number(environment.OCF_CHECK_LEVEL), argument };
    const { takes, status } = this.agent(call);
    const isKilled = timeout !== undefined && timeout < takes;
    this.at(this.now + (isKilled ? timeout : takes), () => {
      if (!this.#isAlive(host)) return;
      this.told.push({ kind: 'exec', at: this.now, call, status: isKilled ? -1 : status });
      this.#step(host, { kind: 'agent-ended', run, status, ...(isKilled && { signal: 9 }) });
    });
  }
}
