import { GfsControld, type GfsControldInput, type GfsControldOutput } from '../src/control/gfs-controld.js';

type Reason = 'leave' | 'nodedown' | 'procdown';

/** Several daemons on one totally ordered process group, with a kernel on each that mounts and replays at once. */
export class Cluster {
  readonly daemons = new Map<number, GfsControld>();
  readonly log: string[] = [];
  readonly #members = new Set<number>();
  readonly #cluster = new Set<number>();
  /** Nodes that are cut off, without quorum. */
  readonly #apart = new Set<number>();
  /** What the group delivers next, to those who were members when it was sent. */
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
  /** Journals that the file system has. */
  journals = 6;
  #isDlmStopped = false;

  boot(node: number): void {
    this.daemons.set(node, new GfsControld({ node }));
    this.#cluster.add(node);
    this.#membership();
  }

  /** It boots cut off from the others: what it joins it has for itself. */
  bootApart(node: number): void {
    this.daemons.set(node, new GfsControld({ node }));
    this.#apart.add(node);
    this.to(node, { kind: 'membership', members: [node], isQuorate: false });
  }

  /** The network is whole again: each side sees the other one join. */
  meet(node: number): void {
    const others = [...this.#members];
    this.#apart.delete(node);
    this.#cluster.add(node);
    this.#members.add(node);
    const members = [...this.#members];
    const group = 'gfs:mount:storage';
    for (const other of others) this.#deliver(other, { kind: 'confchg', group, members, joined: [node], left: [] });
    this.#deliver(node, { kind: 'confchg', group, members, joined: others, left: [] });
    this.#membership();
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
    const wasMember = this.#members.delete(node);
    if (wasMember) this.#confchg([], [{ node, reason: 'nodedown' }]);
    this.#membership();
    this.#isDlmStopped = true;
    for (const other of this.daemons.keys()) this.to(other, { kind: 'dlm-stopped', lockspace: 'storage' });
  }

  /** Only the daemon dies. */
  kill(node: number): void {
    this.daemons.delete(node);
    this.#members.delete(node);
    this.#confchg([], [{ node, reason: 'procdown' }]);
  }

  /** The DLM runs again: that takes messages of its own, which come after every configuration change. */
  fenced(): void {
    this.deliverSome(this.#queue.length);
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
      if (due === Infinity) return;
      this.now = Math.max(this.now, due);
      for (const node of [...this.daemons.keys()]) this.to(node, { kind: 'wake' });
    }
    throw new Error('the daemons never settle');
  }

  deliverSome(count: number): void {
    for (let i = 0; i < count; i++) this.#queue.shift()?.();
  }

  /** Delivers to this life of the node only. */
  #deliver(node: number, input: GfsControldInput): void {
    const daemon = this.daemons.get(node);
    this.#queue.push(() => {
      if (this.daemons.get(node) === daemon) this.to(node, input);
    });
  }

  #membership(): void {
    const members = [...this.#cluster];
    for (const node of members) this.to(node, { kind: 'membership', members, isQuorate: true });
  }

  #confchg(joined: readonly number[], left: readonly { node: number; reason: Reason }[]): void {
    const members = [...this.#members];
    const receivers = [...members, ...left.filter(({ reason }) => reason === 'leave').map(({ node }) => node)];
    for (const node of receivers) {
      this.#deliver(node, { kind: 'confchg', group: 'gfs:mount:storage', members, joined, left });
    }
  }

  #onOutput(node: number, output: GfsControldOutput): void {
    switch (output.kind) {
      case 'cpg-join':
        if (this.#apart.has(node)) {
          const members = [node];
          return this.#deliver(node, { kind: 'confchg', group: output.group, members, joined: members, left: [] });
        }
        this.#members.add(node);
        return this.#confchg([node], []);
      case 'cpg-leave':
        this.#members.delete(node);
        return this.#confchg([], [{ node, reason: 'leave' }]);
      case 'cpg-mcast': {
        const payload = output.payload.slice();
        for (const to of this.#members) {
          this.#deliver(to, { kind: 'message', group: output.group, from: node, payload });
        }
        return;
      }
      case 'mount':
        return this.#mount(node, output.jid, output.isFirst);
      case 'block-locks':
        this.log.push(`${node}: ${output.isBlocked ? 'block' : 'unblock'}`);
        if (output.isBlocked) this.blocked.add(node);
        else {
          if (this.dirty.size > 0)
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
