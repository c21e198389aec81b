// dlm_controld of several nodes, joined by process groups that deliver everything in one order, in virtual time. What
// the daemons tell their lock managers, and whom they want killed, is written down.
import {
  type ClusterViews,
  type ControldFact,
  type ControldInput,
  type ControldOutput,
  DlmControld,
  type PlockConfig,
} from '@quorate/dlm';
import { type Fact, guarded, type Machine, type Nanos, type Stamped } from '@quorate/kernel';

interface Daemon {
  readonly id: number;
  readonly controld: DlmControld;
  readonly machine: Machine<ControldInput, ControldOutput>;
  facts: number;
}

export interface DaemonsOptions {
  readonly enableQuorum?: boolean;
  readonly enableDeadlock?: boolean;
  readonly plock?: PlockConfig;
  /** Hears what is meant for the lock manager; when absent a stop is done at once. */
  readonly onKernel?: (node: number, output: ControldOutput & { readonly lockspace: string }) => void;
  readonly onFact?: (fact: Stamped<ControldFact>) => void;
}

export class Daemons {
  now: Nanos = 0;
  readonly daemons = new Map<number, Daemon>();
  /** Payloads of all messages, in the order of their delivery. */
  readonly messages: { readonly group: string; readonly from: number; readonly payload: Uint8Array }[] = [];
  /** What came of `ask-views`. */
  readonly told: ClusterViews[] = [];
  /** They get no messages. */
  readonly deaf = new Set<number>();
  readonly options: DaemonsOptions;
  readonly #queue: (() => void)[] = [];
  readonly #groups = new Map<string, number[]>();
  readonly #expected: number;
  #sides: readonly (readonly number[])[];
  #ring = 4;
  #lines: string[] = [];

  constructor(nodes: readonly number[], options: DaemonsOptions = {}) {
    this.options = options;
    this.#expected = nodes.length;
    this.#sides = [nodes];
    for (const node of nodes) this.#boot(node);
    for (const node of nodes) this.#tellMembership(node);
    this.victims([]);
    for (const node of nodes) this.input(node, { kind: 'start' });
    this.drain();
  }

  /** What happened since the last time: `<node> <what>`. */
  take(): string[] {
    this.drain();
    return this.#lines.splice(0);
  }

  input(node: number, input: ControldInput): void {
    this.#queue.push(() => {
      const daemon = this.daemons.get(node);
      daemon?.machine.step(this.now, input, (output) => this.#onOutput(node, output));
    });
  }

  online(node: number, lockspace: string): void {
    this.input(node, { kind: 'online', lockspace });
    this.drain();
  }

  wait(lockspace: string, node: number): string | undefined {
    this.drain();
    const found = this.daemons
      .get(node)!
      .controld.inspect()
      .lockspaces.find(({ name }) => name === lockspace);
    return found?.newChange?.wait;
  }

  /** A node is gone. Rings and fencing follow by `newRing`, `victims` and `fenced`. */
  crash(node: number, reason: 'nodedown' | 'procdown' = 'nodedown'): void {
    this.daemons.delete(node);
    for (const [group, members] of this.#groups) {
      if (!members.includes(node)) continue;
      this.#groups.set(
        group,
        members.filter((member) => member !== node),
      );
      this.#confchg(group, [], [{ node, reason }]);
    }
    this.#sides = this.#sides.map((side) => side.filter((member) => member !== node));
  }

  /** The nodes hear nothing of each other across sides. */
  split(...sides: readonly (readonly number[])[]): void {
    const whole = this.#sides.flat();
    this.#sides = sides;
    for (const group of this.#groups.keys()) {
      for (const side of sides) {
        const gone = whole.filter((node) => !side.includes(node) && this.#groups.get(group)!.includes(node));
        this.#confchg(
          group,
          [],
          gone.map((node) => ({ node, reason: 'nodedown' as const })),
          side,
        );
      }
    }
    this.newRing();
  }

  merge(): void {
    const before = this.#sides;
    this.#sides = [before.flat()];
    for (const group of this.#groups.keys()) {
      for (const side of before) {
        const joined = this.#groups.get(group)!.filter((node) => !side.includes(node));
        this.#confchg(group, joined, [], side);
      }
    }
    this.newRing();
  }

  newRing(): void {
    this.#ring += 4;
    for (const node of this.daemons.keys()) {
      const ring = { representative: 1, seq: this.#ring };
      this.input(node, { kind: 'ring-confchg', ring });
      this.#tellMembership(node);
    }
    this.drain();
  }

  /** As when the quorum device goes: the ring stays as it is. */
  loseQuorum(node: number): void {
    const ring = { representative: 1, seq: this.#ring };
    this.input(node, { kind: 'membership', members: this.#sideOf(node), ring, isQuorate: false });
    this.drain();
  }

  victims(nodes: readonly number[]): void {
    for (const node of this.daemons.keys()) this.input(node, { kind: 'victims', nodes });
    this.drain();
  }

  fenced(victim: number): void {
    for (const node of this.daemons.keys()) this.input(node, { kind: 'fenced', node: victim, at: this.now });
    this.victims([]);
  }

  drain(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
  }

  #boot(id: number): void {
    const observe = (fact: Fact): void => {
      daemon.facts += 1;
      this.options.onFact?.({ ...(fact as ControldFact), node: id, life: 1, seq: daemon.facts, at: this.now });
    };
    const { enableQuorum = false, enableDeadlock = false, plock = {} } = this.options;
    const controld = new DlmControld({ nodeId: id, enableQuorum, enableDeadlock, plock, observe });
    const daemon: Daemon = { id, controld, machine: guarded(controld), facts: 0 };
    this.daemons.set(id, daemon);
  }

  #sideOf(node: number): readonly number[] {
    return this.#sides.find((side) => side.includes(node)) ?? [];
  }

  #tellMembership(node: number): void {
    const members = this.#sideOf(node);
    const isQuorate = 2 * members.length > this.#expected;
    this.input(node, { kind: 'membership', members, ring: { representative: 1, seq: this.#ring }, isQuorate });
  }

  #confchg(
    group: string,
    joined: readonly number[],
    left: (ControldInput & { kind: 'confchg' })['left'],
    to: readonly number[] = this.#groups.get(group)!,
  ): void {
    for (const node of to) {
      const members = this.#groups.get(group)!.filter((member) => this.#sideOf(node).includes(member));
      if (this.#groups.get(group)!.includes(node)) this.input(node, { kind: 'confchg', group, members, joined, left });
    }
  }

  #onOutput(node: number, output: ControldOutput): void {
    switch (output.kind) {
      case 'cpg-join':
        this.#queue.push(() => {
          this.#groups.set(output.group, [...(this.#groups.get(output.group) ?? []), node]);
          this.#confchg(output.group, [node], []);
        });
        return;
      case 'cpg-leave':
        this.#queue.push(() => {
          const before = this.#groups.get(output.group)!;
          const members = before.filter((member) => member !== node);
          const left = [{ node, reason: 'leave' as const }];
          for (const member of before) {
            this.input(member, { kind: 'confchg', group: output.group, members, joined: [], left });
          }
          this.#groups.set(output.group, members);
        });
        return;
      case 'cpg-mcast':
        return this.#multicast(output.group, node, output.payload.slice());
      case 'views-told':
        this.told.push(output.views);
        return;
      case 'log':
        return;
    }
    this.#lines.push(`${node} ${textOf(output)}`);
    if (!('lockspace' in output)) return;
    if (this.options.onKernel !== undefined) return this.options.onKernel(node, output);
    if (output.kind === 'stop') this.input(node, { kind: 'stopped', lockspace: output.lockspace });
  }

  #multicast(group: string, from: number, payload: Uint8Array): void {
    this.#queue.push(() => {
      this.messages.push({ group, from, payload });
      for (const node of this.#groups.get(group) ?? []) {
        if (this.#sideOf(from).includes(node) && !this.deaf.has(node))
          this.input(node, { kind: 'message', group, from, payload });
      }
    });
  }
}

function textOf(output: ControldOutput): string {
  switch (output.kind) {
    case 'start': {
      const members = output.members.map(({ node, isNew }) => (isNew ? `${node}!` : `${node}`)).join(' ');
      const failed = output.failed.length > 0 ? `, failed ${output.failed.join(' ')}` : '';
      return `start ${output.lockspace}: ${members}${failed}`;
    }
    case 'kick':
      return `kick ${output.node}`;
    case 'reject':
      return `reject ${output.reason}`;
    case 'plock-result':
      return `plock-result ${output.id}: ${resultText(output.result)}`;
    default:
      return 'lockspace' in output ? `${output.kind} ${output.lockspace}` : output.kind;
  }
}

function resultText(result: (ControldOutput & { kind: 'plock-result' })['result']): string {
  if (typeof result !== 'object') return result ?? 'ok';
  const { nodeid, pid, isExclusive, start, end } = result;
  return `node ${nodeid} pid ${pid} ${isExclusive ? 'WR' : 'RD'} ${start}-${end}`;
}
