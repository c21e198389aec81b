// Posix locks of several nodes that hear everything in one order, each as late as it likes. Nodes crash and take along what they
// had not sent yet, come back, leave and join. What must hold is checked by the package's invariants and by three counts of our
// own: nobody holds what another one holds, each request is answered once, and at the end nothing is left.
import {
  type ControldInput,
  type ControldOutput,
  DAEMON_GROUP,
  DlmControld,
  invariants,
  PLOCK_EOF,
  type PlockInput,
} from '@quorate/dlm';
import { Checker, guarded, type Machine, type Nanos, Prng, SECOND } from '@quorate/kernel';

export interface PlockStormOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly operations: number;
  /** Of 100 steps, how many are a crash, a leave, or a join. */
  readonly faults: number;
  readonly isOwnership: boolean;
  readonly isDeadlockDetected?: boolean;
}

const LOCKSPACE = 'storm';
const INODES = 3;
const OWNERS = 3;
const BYTES = 8;

type Departure = { readonly node: number; readonly reason: 'leave' | 'nodedown' };

/** One place in the order, and who comes to it. */
interface Ordered {
  readonly to: readonly number[];
  readonly inputs: (node: number) => readonly ControldInput[];
}

interface Node {
  readonly id: number;
  readonly life: number;
  readonly controld: DlmControld;
  readonly machine: Machine<ControldInput, ControldOutput>;
  /** What it has sent and nobody has ordered yet. */
  readonly outbox: ControldOutput[];
  /** Next place of the order that it comes to. */
  cursor: number;
  isLeaving: boolean;
  facts: number;
}

interface Request {
  readonly life: number;
  readonly input: PlockInput;
}

interface Hold {
  readonly node: number;
  readonly owner: bigint;
  readonly isExclusive: boolean;
}

export class PlockStorm {
  readonly checker = new Checker(invariants);
  readonly problems: string[] = [];
  now: Nanos = 0;
  readonly counts = { granted: 0, refused: 0, deadlocks: 0 };
  readonly #options: PlockStormOptions;
  readonly #prng: Prng;
  readonly #nodes = new Map<number, Node>();
  readonly #lives = new Map<number, number>();
  readonly #groups = new Map<string, readonly number[]>();
  readonly #order: Ordered[] = [];
  /** Unanswered requests by id. */
  readonly #requests = new Map<number, Request>();
  /** What owners were told that they hold, by inode and byte. */
  readonly #held = new Map<string, Hold[]>();
  #ring = 1;
  #requestId = 0;

  constructor(options: PlockStormOptions) {
    this.#options = options;
    this.#prng = Prng.derive({ hi: 0, lo: options.seed }, 'plock-storm');
    for (let id = 1; id <= options.nodes; id++) this.#boot(id);
    this.#settle();
  }

  run(): void {
    for (let step = 0; step < this.#options.operations; step++) {
      this.now += this.#prng.below(SECOND / 4);
      if (this.#prng.below(100) < this.#options.faults) this.#fault();
      else this.#request();
      for (let moves = this.#prng.below(12); moves > 0; moves--) this.#move();
    }
    this.#settle();
    this.#unlockAll();
    this.#settle();
    this.#compare();
    this.checker.end(this.now);
    this.problems.push(...this.checker.violations.map(({ invariant, message }) => `${invariant}: ${message}`));
  }

  // Nodes

  #boot(id: number): void {
    const life = (this.#lives.get(id) ?? 0) + 1;
    this.#lives.set(id, life);
    const { isOwnership, isDeadlockDetected = false } = this.#options;
    const controld = new DlmControld({
      nodeId: id,
      enableFencing: false,
      plock: { isOwnership, isDeadlockDetected, dropTime: SECOND, dropAge: SECOND },
      observe: (fact) => {
        node.facts += 1;
        this.checker.observe({ ...fact, node: id, life, seq: node.facts, at: this.now });
      },
    });
    const node: Node = {
      id,
      life,
      controld,
      machine: guarded(controld),
      outbox: [],
      cursor: this.#order.length,
      isLeaving: false,
      facts: 0,
    };
    this.#nodes.set(id, node);
    this.#input(node, { kind: 'start' });
    this.#tellRing(node, this.#ring);
    this.#input(node, { kind: 'online', lockspace: LOCKSPACE });
  }

  #tellRing(node: Node, seq: number): void {
    for (const input of ringInputs(seq, [...this.#nodes.keys()])) this.#input(node, input);
  }

  #input(node: Node, input: ControldInput): void {
    node.machine.step(this.now, input, (output) => this.#onOutput(node, output));
  }

  #onOutput(node: Node, output: ControldOutput): void {
    switch (output.kind) {
      case 'cpg-join':
      case 'cpg-leave':
        node.outbox.push(output);
        return;
      case 'cpg-mcast':
        node.outbox.push({ ...output, payload: output.payload.slice() });
        return;
      case 'stop':
        this.#order.push({ to: [node.id], inputs: () => [{ kind: 'stopped', lockspace: LOCKSPACE }] });
        return;
      case 'plock-result':
        return this.#onResult(node, output);
      case 'reject':
        if (output.reason !== 'no-match')
          this.problems.push(`node ${node.id} rejects ${output.reason} of ${output.from}`);
        return;
      case 'log':
        if (output.text.includes('error')) this.problems.push(`node ${node.id}: ${output.text}`);
        return;
      case 'left':
        this.#nodes.delete(node.id);
        this.#forget(node);
        return this.#confchg(DAEMON_GROUP, undefined, { node: node.id, reason: 'leave' });
    }
  }

  // The order

  /** Something is ordered, or somebody comes to the next place. */
  #move(): boolean {
    const nodes = [...this.#nodes.values()];
    const senders = nodes.filter(({ outbox }) => outbox.length > 0);
    const behind = nodes.filter(({ cursor }) => cursor < this.#order.length);
    const choices = senders.length + behind.length;
    if (choices === 0) return false;
    const choice = this.#prng.below(choices);
    if (choice < senders.length) this.#orderNext(senders[choice]!);
    else this.#deliverNext(behind[choice - senders.length]!);
    return true;
  }

  #orderNext(node: Node): void {
    const output = node.outbox.shift()!;
    if (output.kind === 'cpg-join') this.#confchg(output.group, node.id, undefined);
    else if (output.kind === 'cpg-leave') this.#confchg(output.group, undefined, { node: node.id, reason: 'leave' });
    else if (output.kind === 'cpg-mcast') {
      const { group, payload } = output;
      const to = this.#groups.get(group) ?? [];
      // Who has left a group says nothing to it any more.
      if (!to.includes(node.id)) return;
      this.#order.push({ to, inputs: () => [{ kind: 'message', group, from: node.id, payload }] });
    }
  }

  #confchg(group: string, joins: number | undefined, gone: Departure | undefined): void {
    const before = this.#groups.get(group) ?? [];
    const members = before.filter((member) => member !== gone?.node).concat(joins ?? []);
    this.#groups.set(group, members);
    const to = gone?.reason === 'leave' ? before : members;
    const joined = joins === undefined ? [] : [joins];
    const left = gone === undefined ? [] : [gone];
    this.#order.push({ to, inputs: () => [{ kind: 'confchg', group, members, joined, left }] });
  }

  #deliverNext(node: Node): void {
    const { to, inputs } = this.#order[node.cursor]!;
    node.cursor += 1;
    if (to.includes(node.id)) for (const input of inputs(node.id)) this.#input(node, input);
  }

  #settle(): void {
    for (let round = 0; round < 3; round++) {
      while (this.#move());
      this.now += 2 * SECOND;
      for (const node of this.#nodes.values()) {
        if (node.machine.deadline() <= this.now) this.#input(node, { kind: 'wake' });
      }
    }
    while (this.#move());
  }

  // Faults

  #fault(): void {
    const absent = [...this.#lives.keys()].filter((id) => !this.#nodes.has(id));
    if (absent.length > 0 && this.#prng.below(2) === 0) return this.#boot(this.#pick(absent));
    if (this.#nodes.size < 2) return;
    const node = this.#pick([...this.#nodes.values()]);
    if (this.#prng.below(4) === 0) this.#leave(node);
    else this.#crash(node);
  }

  #leave(node: Node): void {
    if (node.isLeaving) return;
    this.#closeAll(node);
    node.isLeaving = true;
    this.#input(node, { kind: 'offline', lockspace: LOCKSPACE });
  }

  #crash(node: Node): void {
    this.#nodes.delete(node.id);
    this.#forget(node);
    for (const [group, members] of this.#groups) {
      if (members.includes(node.id)) this.#confchg(group, undefined, { node: node.id, reason: 'nodedown' });
    }
    this.#ring += 1;
    const ring = this.#ring;
    const members = [...this.#nodes.keys()];
    this.#order.push({ to: members, inputs: () => ringInputs(ring, members) });
  }

  #forget({ id }: Node): void {
    for (const [request, { input }] of this.#requests) if (nodeOf(input) === id) this.#requests.delete(request);
    for (const [place, holds] of this.#held) {
      this.#held.set(
        place,
        holds.filter(({ node }) => node !== id),
      );
    }
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#prng.below(from.length)]!;
  }

  // Requests

  #request(): void {
    if (this.#nodes.size === 0) return;
    const node = this.#pick([...this.#nodes.values()]);
    if (node.isLeaving) return;
    const owner = this.#prng.below(OWNERS);
    const start = this.#prng.below(BYTES);
    const length = 1 + this.#prng.below(BYTES);
    const isToEnd = this.#prng.below(8) === 0;
    const range = { start: BigInt(start), end: isToEnd ? PLOCK_EOF : BigInt(Math.min(start + length, BYTES) - 1) };
    // One process at a time waits for each owner.
    const waiting = [...this.#requests.values()].find(({ input }) => input.owner === ownerOf(node.id, owner));
    if (waiting !== undefined) {
      if (this.#prng.below(4) === 0) this.#close(node, waiting.input);
      return;
    }
    const op = this.#pick(['lock', 'lock', 'lock', 'unlock', 'get'] as const);
    this.#send(node, {
      op,
      number: BigInt(100 + this.#prng.below(INODES)),
      ...range,
      owner: ownerOf(node.id, owner),
      isExclusive: op !== 'unlock' && this.#prng.below(2) === 0,
      isWaiting: op === 'lock' && this.#prng.below(2) === 0,
      isClose: false,
    });
  }

  /** A process that waits is killed. */
  #close(node: Node, { id, number, owner }: PlockInput): void {
    this.#requests.delete(id);
    this.#send(node, { ...everything(number, owner), isClose: true });
  }

  #send(node: Node, asked: Omit<PlockInput, 'kind' | 'id' | 'lockspace' | 'pid'>): void {
    this.#requestId += 1;
    const input: PlockInput = { kind: 'plock', lockspace: LOCKSPACE, id: this.#requestId, pid: 1000, ...asked };
    if (!input.isClose) this.#requests.set(input.id, { life: node.life, input });
    // From now on its owner counts on nothing there: not on what an unlock takes, nor on a lock that another mode comes over.
    if (input.op !== 'get') this.#release(input);
    this.#input(node, input);
  }

  #onResult(node: Node, { id, result }: Extract<ControldOutput, { kind: 'plock-result' }>): void {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    if (request.life !== node.life) this.problems.push(`request ${id} of a former life is answered`);
    this.#requests.delete(id);
    if (result === undefined) this.counts.granted += 1;
    else this.counts.refused += 1;
    if (result === 'EDEADLK') this.counts.deadlocks += 1;
    if (request.input.op === 'lock' && result === undefined) this.#hold(request.input);
    if (request.input.op === 'unlock' && result !== undefined && result !== 'ENOENT') {
      this.problems.push(`unlock ${id}: ${result}`);
    }
  }

  #places({ number, start, end }: PlockInput): string[] {
    const places: string[] = [];
    for (let at = Number(start); at < BYTES && BigInt(at) <= end; at++) places.push(`${number}:${at}`);
    return places;
  }

  #release(input: PlockInput): void {
    for (const place of this.#places(input)) {
      const others = this.#held.get(place)?.filter(({ owner }) => owner !== input.owner) ?? [];
      this.#held.set(place, others);
    }
  }

  #hold(input: PlockInput): void {
    for (const place of this.#places(input)) {
      const holds = this.#held.get(place)!.filter(({ owner }) => owner !== input.owner);
      const rival = holds.find(({ isExclusive }) => isExclusive || input.isExclusive);
      if (rival !== undefined) this.problems.push(`${place}: ${input.owner} gets what ${rival.owner} holds`);
      this.#held.set(place, [...holds, { node: nodeOf(input), owner: input.owner, isExclusive: input.isExclusive }]);
    }
  }

  #unlockAll(): void {
    for (const node of this.#nodes.values()) this.#closeAll(node);
  }

  /** Who waits is killed, and everybody closes his files. */
  #closeAll(node: Node): void {
    if (node.isLeaving) return;
    for (const [request, { input }] of this.#requests) if (nodeOf(input) === node.id) this.#requests.delete(request);
    for (let owner = 0; owner < OWNERS; owner++) {
      for (let inode = 0; inode < INODES; inode++) {
        this.#send(node, { ...everything(BigInt(100 + inode), ownerOf(node.id, owner)), isClose: true });
      }
    }
  }

  /** Nothing is left, and everybody takes the same for it. */
  #compare(): void {
    for (const { id, controld } of this.#nodes.values()) {
      const ls = controld.inspect().lockspaces.find(({ name }) => name === LOCKSPACE);
      if (ls?.needsPlocks !== false) this.problems.push(`node ${id} still has no plocks`);
      for (const { number, locks, waiters, pending } of controld.plocks(LOCKSPACE) ?? []) {
        const left = locks.length + waiters.length + pending.length;
        if (left > 0) this.problems.push(`node ${id}: ${left} left on ${number}`);
      }
    }
  }
}

function ringInputs(seq: number, members: readonly number[]): ControldInput[] {
  const ring = { representative: 1, seq };
  return [
    { kind: 'ring-confchg', ring },
    { kind: 'membership', members, ring, isQuorate: true },
  ];
}

function ownerOf(node: number, owner: number): bigint {
  return BigInt(node * 100 + owner);
}

function nodeOf({ owner }: PlockInput): number {
  return (Number(owner) / 100) | 0;
}

function everything(number: bigint, owner: bigint) {
  const flags = { isExclusive: false, isWaiting: false };
  return { op: 'unlock' as const, number, owner, start: 0n, end: PLOCK_EOF, ...flags };
}
