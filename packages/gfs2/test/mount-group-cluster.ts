import { GfsControld, type GfsControldInput, type GfsControldOutput } from '../src/control/gfs-controld.js';

type Reason = 'leave' | 'nodedown' | 'procdown';

/** Several daemons on one totally ordered process group, with a kernel on each that mounts and replays at once. */
export class Cluster {
  readonly daemons = new Map<number, GfsControld>();
  readonly log: string[] = [];
  /** Members by their lives: who boots again is none until he has joined. */
  readonly #members = new Map<number, GfsControld>();
  readonly #cluster = new Set<number>();
  /** Nodes that are cut off. */
  readonly #apart = new Set<number>();
  /** Lives that joined while they were cut off: the kernel of such a one has not begun to mount when it has met the others. */
  readonly #early = new Map<number, GfsControld>();
  /** What happens next: something gets its place in the group's order, or a node is given what has one. */
  readonly #queue: (() => void)[] = [];
  readonly mounted = new Map<number, number>();
  readonly blocked = new Set<number>();
  /** Journals of dead nodes, dirty until somebody replays them. */
  readonly dirty = new Set<number>();
  /** Nodes whose kernel holds a journal's glock for good: a replay is busy. */
  busyUntil = 0;
  now = 0;
  /** Nodes whose lockspace is still being made, and the journal with which their kernel begins to mount when locks are granted. */
  readonly slow = new Map<number, number | undefined>();
  /** Nodes whose mount begins and waits for a lock for ever. */
  readonly stuck = new Set<number>();
  /** Journals that the file system has. */
  journals = 6;
  #isDlmStopped = false;

  boot(node: number): void {
    this.daemons.set(node, new GfsControld({ node }));
    this.#apart.delete(node);
    this.#cluster.add(node);
    this.#membership();
  }

  /** It boots cut off from the others: what it joins it has for itself, but its lockspace waits until they are fenced. */
  bootApart(node: number, isQuorate = false): void {
    this.daemons.set(node, new GfsControld({ node }));
    this.#apart.add(node);
    this.to(node, { kind: 'membership', members: [node], isQuorate });
  }

  /** The network is whole again: each side sees the other one join. */
  meet(node: number): void {
    const daemon = this.daemons.get(node)!;
    this.#queue.push(() => {
      if (this.daemons.get(node) !== daemon) return;
      const others = [...this.#members];
      this.#apart.delete(node);
      this.#members.set(node, daemon);
      const members = [...this.#members.keys()];
      const change = { kind: 'confchg', group: 'gfs:mount:storage', members, left: [] } as const;
      for (const [other, life] of others) this.#deliver(other, { ...change, joined: [node] }, life);
      this.#deliver(node, { ...change, joined: others.map(([other]) => other) }, daemon);
      this.#cluster.add(node);
      this.#membership();
    });
  }

  to(node: number, input: GfsControldInput): void {
    this.daemons.get(node)?.step(this.now, input, (output) => this.#onOutput(node, output));
  }

  join(node: number): void {
    this.to(node, { kind: 'join', filesystem: 'storage' });
  }

  leave(node: number): void {
    this.mounted.delete(node);
    this.to(node, { kind: 'leave', filesystem: 'storage' });
  }

  die(node: number): void {
    const jid = this.mounted.get(node);
    if (jid !== undefined) this.dirty.add(jid);
    this.mounted.delete(node);
    this.blocked.delete(node);
    this.daemons.delete(node);
    this.#cluster.delete(node);
    this.#lose(node, 'nodedown');
    this.#membership();
    this.#isDlmStopped = true;
    for (const other of this.daemons.keys()) this.to(other, { kind: 'dlm-stopped', lockspace: 'storage' });
  }

  /** Only the daemon dies. */
  kill(node: number): void {
    this.daemons.delete(node);
    this.#lose(node, 'procdown');
  }

  /** The DLM runs again: that takes messages of its own, which come after every configuration change. */
  fenced(): void {
    // What has no place in the order yet gets one, then everybody is given it.
    for (let pass = 0; pass < 2; pass++) this.deliverSome(this.#queue.length);
    this.#isDlmStopped = false;
    const ahead = [...this.mounted.keys()].filter((node) => this.dirty.size > 0 && !this.blocked.has(node));
    if (ahead.length > 0) throw new Error(`nodes ${ahead} grant locks while journals ${[...this.dirty]} are dirty`);
    for (const node of this.daemons.keys()) this.to(node, { kind: 'dlm-started', lockspace: 'storage' });
  }

  /** Delivers everything, and lets time pass for retries. */
  settle(): void {
    for (let round = 0; round < 200; round++) {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
      const due = Math.min(...[...this.daemons.values()].map((daemon) => daemon.deadline()));
      if (due === Infinity && !this.#beginEarly()) return;
      if (due === Infinity) continue;
      this.now = Math.max(this.now, due);
      for (const node of [...this.daemons.keys()]) this.to(node, { kind: 'wake' });
    }
    throw new Error('the daemons never settle');
  }

  deliverSome(count: number): void {
    for (let i = 0; i < count; i++) this.#queue.shift()?.();
  }

  /** Delivers to this life of the node only. */
  #deliver(node: number, input: GfsControldInput, daemon: GfsControld | undefined = this.daemons.get(node)): void {
    this.#queue.push(() => {
      if (this.daemons.get(node) === daemon) this.to(node, input);
    });
  }

  /** A member from its place in the order on: it also gets what others had sent before, and what comes behind. */
  /** Lets the kernels begin that were to mount while they were cut off, and still are. */
  #beginEarly(): boolean {
    for (const [node, daemon] of this.#early) {
      this.#early.delete(node);
      const group = daemon.inspect()[0];
      const own = group?.journals.find((journal) => journal.node === node);
      if (this.daemons.get(node) !== daemon || group?.mount !== 'mounting' || this.mounted.has(node)) continue;
      this.#mount(node, own!.jid, group.needsFirst);
      return true;
    }
    return false;
  }

  #hasMet(node: number): boolean {
    return this.daemons.get(node)!.inspect()[0]!.members.length > 1;
  }

  #join(node: number): void {
    const daemon = this.daemons.get(node);
    this.#queue.push(() => {
      if (daemon === undefined || this.daemons.get(node) !== daemon) return;
      this.#members.set(node, daemon);
      this.#confchg([node], []);
    });
  }

  #lose(node: number, reason: Reason): void {
    this.#queue.push(() => {
      if (this.#members.delete(node)) this.#confchg([], [{ node, reason }]);
    });
  }

  #membership(): void {
    const members = [...this.#cluster];
    for (const node of members) this.to(node, { kind: 'membership', members, isQuorate: true });
  }

  #confchg(joined: readonly number[], left: readonly { node: number; reason: Reason }[]): void {
    const members = [...this.#members.keys()];
    const change = { kind: 'confchg', group: 'gfs:mount:storage', members, joined, left } as const;
    for (const [node, daemon] of this.#members) this.#deliver(node, change, daemon);
    for (const { node, reason } of left) if (reason === 'leave') this.#deliver(node, change);
  }

  #onOutput(node: number, output: GfsControldOutput): void {
    switch (output.kind) {
      case 'cpg-join':
        if (this.#apart.has(node)) {
          this.#early.set(node, this.daemons.get(node)!);
          const members = [node];
          return this.#deliver(node, { kind: 'confchg', group: output.group, members, joined: members, left: [] });
        }
        return this.#join(node);
      case 'cpg-leave':
        return this.#lose(node, 'leave');
      case 'cpg-mcast': {
        const { group } = output;
        const payload = output.payload.slice();
        this.#queue.push(() => {
          for (const [to, daemon] of this.#members) {
            this.#deliver(to, { kind: 'message', group, from: node, payload }, daemon);
          }
        });
        return;
      }
      case 'hold-mount':
        if (this.slow.has(node)) this.slow.set(node, undefined);
        this.log.push(`${node}: hold`);
        return;
      case 'abort-mount':
        if (!this.stuck.delete(node)) return;
        this.log.push(`${node}: abort`);
        return this.#deliver(node, { kind: 'mount-done', filesystem: 'storage', isSuccess: false });
      case 'mount':
        if (this.#early.get(node) === this.daemons.get(node) && !this.#hasMet(node)) return;
        return this.#mount(node, output.jid, output.isFirst);
      case 'block-locks':
        this.log.push(`${node}: ${output.isBlocked ? 'block' : 'unblock'}`);
        if (output.isBlocked) this.blocked.add(node);
        else {
          // Who has not mounted has nothing to grant; the first mounter replays before it has.
          if (this.dirty.size > 0 && this.mounted.has(node))
            throw new Error(`node ${node} grants locks while journals ${[...this.dirty]} are dirty`);
          this.blocked.delete(node);
          const jid = this.slow.get(node);
          this.slow.delete(node);
          if (jid !== undefined) this.#mount(node, jid, false);
        }
        return;
      case 'recover-journal':
        return this.#replay(node, output.jid);
      case 'fs-notified':
        this.log.push(`${node}: notified of ${output.node}`);
        return;
      case 'kick':
        this.log.push(`${node}: kick ${output.node}`);
        return;
      case 'withdraw-done':
        this.log.push(`${node}: withdraw done`);
        return;
      case 'left':
      case 'refused':
        this.log.push(`${node}: ${output.kind}`);
        return;
      case 'reject':
        throw new Error('rejected');
      case 'fs-registered':
      case 'log':
        return;
    }
  }

  #mount(node: number, jid: number, isFirst: boolean): void {
    this.log.push(`${node}: mount jid=${jid}${isFirst ? ' first' : ''}`);
    if (this.slow.has(node) && !isFirst) {
      this.slow.set(node, jid);
      return;
    }
    this.slow.delete(node);
    if (jid >= this.journals) throw new Error(`node ${node} is to mount journal ${jid}: there are ${this.journals}`);
    if (this.stuck.has(node)) return this.to(node, { kind: 'mount-begun', filesystem: 'storage' });
    if ([...this.mounted.values()].includes(jid)) throw new Error(`journal ${jid} was given out twice`);
    if (isFirst && this.mounted.size > 0) throw new Error(`node ${node} mounts first while others have it mounted`);
    if (!isFirst && this.dirty.size > 0 && !this.#isDlmStopped)
      throw new Error(`node ${node} mounts while journals ${[...this.dirty]} are dirty`);
    this.mounted.set(node, jid);
    this.to(node, { kind: 'mount-begun', filesystem: 'storage' });
    if (isFirst) this.dirty.clear();
    if (isFirst) this.#deliver(node, { kind: 'first-done', filesystem: 'storage' });
    this.#deliver(node, { kind: 'mount-done', filesystem: 'storage', isSuccess: true });
  }

  #replay(node: number, jid: number): void {
    if (jid >= this.journals) throw new Error(`node ${node} is to replay journal ${jid}: there are ${this.journals}`);
    const isBusy = this.now < this.busyUntil;
    this.log.push(`${node}: recover ${jid}${isBusy ? ' busy' : ''}`);
    if (!isBusy) this.dirty.delete(jid);
    this.#deliver(node, { kind: 'recovered', filesystem: 'storage', jid, result: isBusy ? 'gave-up' : 'done' });
  }
}
