// Random work on a few resources by several nodes, with crashes, reboots, clean leaves and broken connections, all drawn
// from one seed. What must hold is checked by the package's invariants while it goes on, and by counting at the end.
import { type DlmOutput, invariants, LockFlag, Mode, Status } from '@quorate/dlm';
import { Checker, MICROSECOND, MILLISECOND, type Nanos, Prng, SECOND } from '@quorate/kernel';
import { Cluster } from '../src/conformance/cluster.js';
import { Membership } from './membership.js';

export interface StormOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly resources: number;
  readonly operations: number;
  /** Of 100 steps, how many are a crash, a leave, or a broken connection. */
  readonly faults: number;
  readonly protocol?: '3.1' | '3.2';
  /** Without a directory. */
  readonly isNodir?: boolean;
  /** Locks belong to processes, which end, and leave some of them behind. */
  readonly hasProcesses?: boolean;
}

const LOCKSPACE = 'storm';
const LVB = 8;
const PROCESSES = 3;
/** After so many operations everything comes to rest once. */
const REST = 40;

interface Client {
  readonly node: number;
  readonly life: number;
  readonly handle: number;
  readonly process: number;
  mode: number;
  /** Calls that were accepted and whose completion has not come; cancels that may come to nothing are left out. */
  pending: number;
  isGone: boolean;
  /** Its process has ended: who embeds the lock manager hears of it, until the lockspace runs, and tells nobody. */
  isLeft: boolean;
}

export class Storm {
  readonly cluster: Cluster;
  readonly checker = new Checker(invariants);
  readonly #options: StormOptions;
  readonly #prng: Prng;
  readonly #membership: Membership;
  readonly #clients = new Map<string, Client>();
  #handles = 0;
  readonly problems: string[] = [];

  constructor(options: StormOptions) {
    this.#options = options;
    this.#prng = Prng.derive({ hi: 0, lo: options.seed }, 'storm');
    const delays = Prng.derive({ hi: 0, lo: options.seed }, 'delay');
    this.cluster = new Cluster({
      nodes: Array.from({ length: options.nodes }, (_, i) => i + 1),
      config: {
        tossTime: 20 * MILLISECOND,
        scanInterval: 10 * MILLISECOND,
        recoverTimer: 50 * MILLISECOND,
        protocol: options.protocol ?? '3.2',
      },
      latency: () => 20 * MICROSECOND + delays.below(500 * MICROSECOND),
      onOutput: (node, output) => this.#onOutput(node, output),
      onFact: (fact) => this.checker.observe(fact),
    });
    this.#membership = new Membership(this.cluster, LOCKSPACE, delays, 5 * MILLISECOND);
    for (const node of this.cluster.alive()) this.#join(node);
    this.#settle();
  }

  run(): void {
    for (let i = 0; i < this.#options.operations; i++) {
      this.#runFor(this.#prng.below(400 * MICROSECOND));
      if (this.#prng.below(100) < this.#options.faults) this.#fault();
      else this.#operate();
      if (i % REST === REST - 1) this.#rest();
    }
    this.#finish();
  }

  #rest(): void {
    this.#settle();
    this.#judgeRest();
  }

  /** Every lock goes: then nothing may be left anywhere. */
  #finish(): void {
    this.#rest();
    if (this.#options.hasProcesses === true) for (const node of this.#membership.members) this.#purge(node, 0, 0);
    for (let round = 0; round < 60; round++) {
      this.#settle();
      const live = this.#live();
      if (live.length === 0) break;
      for (const client of live) this.#release(client);
    }
    this.#settle();
    for (const client of this.#live()) this.problems.push(`handle ${client.handle} of node ${client.node} is stuck`);
    for (const node of this.#membership.members) this.#checkEmpty(node);
    this.#judgeRest();
    this.checker.end(this.cluster.now);
    for (const violation of this.checker.violations) this.problems.push(`${violation.invariant}: ${violation.message}`);
  }

  /** Everything has come to rest: what is under way now stays so. */
  #judgeRest(): void {
    this.checker.tick(this.cluster.now + 3600 * SECOND);
  }

  #checkEmpty(node: number): void {
    const ls = this.cluster.nodes.get(node)!.dlm.inspect().lockspaces[0]!;
    if (!ls.isRunning) this.problems.push(`node ${node} does not run`);
    for (const r of ls.resources) if (r.isActive) this.problems.push(`node ${node} still has locks on ${r.name}`);
    if (ls.waiters.length > 0) this.problems.push(`node ${node} still waits for replies`);
  }

  #live(): Client[] {
    return [...this.#clients.values()].filter((client) => !client.isGone);
  }

  // Work

  #operate(): void {
    const live = this.#live();
    if (this.#options.hasProcesses === true && this.#prng.below(30) === 0) return this.#endProcess();
    if (live.length < 4 || this.#prng.below(3) === 0) return this.#request();
    const client = live[this.#prng.below(live.length)]!;
    switch (this.#prng.below(8)) {
      case 0:
      case 1:
      case 2:
        return this.#convert(client);
      case 3:
        return this.#unlock(client, LockFlag.CANCEL);
      case 4:
        return this.#unlock(client, LockFlag.FORCEUNLOCK);
    }
    this.#unlock(client, this.#prng.below(12) === 0 ? LockFlag.IVVALBLK : 0);
  }

  #request(): void {
    const members = this.#membership.members.filter((node) => this.cluster.nodes.get(node)!.isAlive);
    if (members.length === 0) return;
    const node = members[this.#prng.below(members.length)]!;
    this.#handles += 1;
    const handle = this.#handles;
    const { life } = this.cluster.nodes.get(node)!;
    const process = 1 + (handle % PROCESSES);
    const client: Client = { node, life, handle, process, mode: Mode.IV, pending: 0, isGone: false, isLeft: false };
    this.#clients.set(keyOf(node, handle), client);
    const flags = this.#flags([LockFlag.NOQUEUE, LockFlag.NOQUEUEBAST, LockFlag.HEADQUE, LockFlag.NOORDER]);
    this.#lock(client, flags);
  }

  /** Or a node is asked to purge what one has left behind. */
  #endProcess(): void {
    const { members } = this.#membership;
    if (members.length === 0) return;
    const node = members[this.#prng.below(members.length)]!;
    const process = 1 + this.#prng.below(PROCESSES);
    if (this.#prng.below(4) === 0) return this.#purge(node, members[this.#prng.below(members.length)]!, process);
    for (const client of this.#live()) {
      if (client.node === node && client.process === process) client.isGone = client.isLeft = true;
    }
    this.cluster.input(node, { kind: 'process-exit', lockspace: LOCKSPACE, process });
  }

  #purge(asked: number, node: number, process: number): void {
    this.cluster.input(asked, { kind: 'purge', lockspace: LOCKSPACE, node, process });
  }

  #convert(client: Client): void {
    const flags = this.#flags([LockFlag.NOQUEUE, LockFlag.QUECVT, LockFlag.CONVDEADLK, LockFlag.NODLCKWT]);
    this.#lock(client, flags | LockFlag.CONVERT);
  }

  #lock(client: Client, flags: number): void {
    client.pending += 1;
    const isPersistent = this.#options.hasProcesses === true && this.#prng.below(2) === 0;
    this.cluster.input(client.node, {
      kind: 'lock',
      lockspace: LOCKSPACE,
      handle: client.handle,
      process: client.process,
      name: `r${this.#prng.below(this.#options.resources)}`,
      mode: this.#prng.below(6),
      flags: flags | LockFlag.VALBLK | (isPersistent ? LockFlag.PERSISTENT : 0),
      lvb: this.#value(),
    });
  }

  #unlock(client: Client, flags: number): void {
    if ((flags & LockFlag.CANCEL) === 0) client.pending += 1;
    const lvb = this.#value();
    this.cluster.input(client.node, { kind: 'unlock', lockspace: LOCKSPACE, handle: client.handle, flags, lvb });
  }

  #release(client: Client): void {
    this.#unlock(client, LockFlag.CANCEL);
    this.#unlock(client, LockFlag.FORCEUNLOCK);
  }

  #flags(choices: readonly number[]): number {
    return choices.reduce((flags, flag) => (this.#prng.below(6) === 0 ? flags | flag : flags), 0);
  }

  #value(): Uint8Array {
    const value = new Uint8Array(LVB);
    new DataView(value.buffer).setUint32(0, this.#prng.next());
    return value;
  }

  // Faults

  #fault(): void {
    const { members } = this.#membership;
    const node = members[this.#prng.below(members.length)]!;
    switch (this.#prng.below(6)) {
      case 0:
      case 1:
        return members.length > 1 ? this.#crash(node) : undefined;
      case 2:
        return members.length > 1 ? this.#leave(node) : undefined;
      case 3:
        return this.#boot();
    }
    const other = members[this.#prng.below(members.length)]!;
    // Protocol 3.1 loses what is under way.
    if (other !== node && this.#options.protocol !== '3.1') this.cluster.breakConnection(node, other);
  }

  #crash(node: number): void {
    this.cluster.kill(node);
    for (const client of this.#live()) if (client.node === node) client.isGone = true;
    this.#membership.fail(node);
  }

  #leave(node: number): void {
    const ls = this.cluster.nodes.get(node)!.dlm.inspect().lockspaces[0];
    if (ls === undefined || this.#live().some((client) => client.node === node)) return;
    this.cluster.input(node, { kind: 'release', lockspace: LOCKSPACE });
    this.#membership.leave(node);
  }

  /** A node that is dead comes back with nothing in its memory; one that left creates the lockspace again. */
  #boot(): void {
    for (const { id, isAlive, dlm } of this.cluster.nodes.values()) {
      if (this.#membership.members.includes(id)) continue;
      if (!isAlive) this.cluster.boot(id);
      else if (dlm.inspect().lockspaces.length > 0) continue;
      return this.#join(id);
    }
  }

  #join(node: number): void {
    const { isNodir = false } = this.#options;
    this.cluster.input(node, { kind: 'create', lockspace: LOCKSPACE, lvbLength: LVB, isFs: true, isNodir });
  }

  // Time and outputs

  #onOutput(node: number, output: DlmOutput): void {
    switch (output.kind) {
      case 'online':
        return this.#membership.join(node);
      case 'cast':
        return this.#onCast(node, output);
      case 'call-refused':
        return this.#onRefused(node, output.handle);
      case 'bast':
        if (this.#client(node, output.handle) === undefined) this.problems.push(`bast for nobody on node ${node}`);
        return;
    }
  }

  #client(node: number, handle: number): Client | undefined {
    const client = this.#clients.get(keyOf(node, handle));
    return client?.life === this.cluster.nodes.get(node)!.life ? client : undefined;
  }

  #onCast(node: number, { handle, status, mode }: Extract<DlmOutput, { kind: 'cast' }>): void {
    const client = this.#client(node, handle);
    if (client?.isLeft === true) return;
    if (client === undefined || client.isGone) {
      this.problems.push(`completion ${status} for nobody: handle ${handle} of node ${node}`);
      return;
    }
    client.mode = mode;
    client.pending -= 1;
    if (status === Status.EUNLOCK || (status !== 0 && mode === Mode.IV)) client.isGone = true;
  }

  #onRefused(node: number, handle: number): void {
    const client = this.#client(node, handle);
    if (client !== undefined) client.pending -= 1;
  }

  #runFor(span: Nanos): void {
    this.#runTo(this.cluster.now + span);
  }

  #runTo(until: Nanos): void {
    for (;;) {
      const at = Math.min(this.#membership.nextAt(), until);
      this.cluster.runTo(Math.max(at, this.cluster.now));
      if (this.#membership.nextAt() > this.cluster.now) {
        if (this.cluster.now >= until) return;
        continue;
      }
      this.#membership.run();
    }
  }

  #settle(): void {
    for (let i = 0; i < 100; i++) {
      this.#runFor(5 * MILLISECOND);
      const next = Math.min(this.cluster.next(), this.#membership.nextAt());
      if (next > this.cluster.now + 200 * MILLISECOND) return;
    }
  }
}

function keyOf(node: number, handle: number): string {
  return `${node}/${handle}`;
}
