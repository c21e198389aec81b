import {
  Fenced,
  type FencedCall,
  type FencedFact,
  type FencedInput,
  type FencedOutput,
  isFenceCheck,
} from '@quorate/fencing';
import type { Errno, Nanos, Observe } from '@quorate/kernel';
import { Child } from '../child.js';
import type { StackConfig } from '../stack-config.js';
import type { ClusterEngine, GroupChange, GroupMember } from './cluster-engine.js';
import type { NodeServices } from './services.js';

const SIGTERM = 15;

/** What the rest of the node hears of the fence domain. */
export interface FenceListener {
  /** A victim is dealt with; `at` by this node's clock. */
  fenced(node: number, at: Nanos): void;
  victims(nodes: readonly number[]): void;
}

/** fenced on a node: its groups, its agents, and the tools that ask it to join or leave. */
export class FenceDomainDaemon implements GroupMember {
  readonly #services: NodeServices;
  readonly #engine: ClusterEngine;
  readonly #pid: number;
  readonly #listener: FenceListener;
  readonly #machine: Fenced;
  readonly #fenced: Child<FencedInput, FencedOutput>;
  #nodeOf: ReadonlyMap<string, number>;
  /** Why the last request was refused, until somebody is told. */
  #victims: readonly number[] = [];
  #refusal: Errno | undefined;

  constructor(
    services: NodeServices,
    config: StackConfig,
    engine: ClusterEngine,
    pid: number,
    listener: FenceListener,
  ) {
    this.#services = services;
    this.#engine = engine;
    this.#pid = pid;
    this.#listener = listener;
    const observe = services.observe;
    this.#machine = new Fenced({
      nodeId: config.nodeId,
      conf: config.fenceConf,
      daemon: config.fenceDaemon,
      isTwoNode: config.conf.cman.isTwoNode,
      ...(observe && { observe: observe as Observe<FencedFact> }),
    });
    this.#fenced = new Child(this.#machine, () => services.now(), this.#onOutput);
    this.#nodeOf = idsByName(config);
    engine.attach(pid, this);
  }

  start(): void {
    const membership = this.#engine.membership;
    this.#fenced.send({ kind: 'start', wall: this.#services.system.wall().sec });
    if (membership !== undefined) this.membership(membership);
  }

  /** SIGTERM, which fenced ignores in the fence domain; whether it has ended. */
  terminate(): boolean {
    this.#fenced.send({ kind: 'stop' });
    if (this.#machine.isInDomain) return false;
    this.#engine.detach(this.#pid);
    return true;
  }

  /** The engine is gone. */
  clusterDown(): void {
    this.#fenced.send({ kind: 'cluster-down' });
    this.#engine.detach(this.#pid);
  }

  /** The process is killed: its groups lose a member. An agent that it runs goes on, and nobody hears of its end. */
  kill(): void {
    this.#fenced.end();
    this.#engine.detach(this.#pid);
  }

  /** The configuration changed. */
  configure(config: StackConfig): void {
    this.#nodeOf = idsByName(config);
    this.#fenced.send({ kind: 'reconfigure', conf: config.fenceConf, daemon: config.fenceDaemon });
  }

  clockStep(offset: Nanos): void {
    this.#fenced.send({ kind: 'clock-step', offset });
  }

  /** Serves the tools. */
  call(request: FencedCall): unknown {
    switch (request.kind) {
      case 'domain':
        return this.#machine.domain();
      case 'dump':
        return this.#machine.dump();
      case 'join':
      case 'leave':
        this.#fenced.send({ kind: request.kind });
        return this.#takeRefusal();
      case 'external': {
        const node = this.#nodeOf.get(request.node);
        if (node === undefined) return 'EINVAL';
        this.#fenced.send({ kind: 'external', node });
        return this.#takeRefusal();
      }
      case 'override': {
        const isListening = this.#machine.overrideVictim !== undefined;
        const name = request.node.toLowerCase();
        const found = [...this.#nodeOf].find(([each]) => each.toLowerCase() === name);
        this.#fenced.send({ kind: 'override', node: found?.[1] ?? 0 });
        return isListening;
      }
    }
  }

  /** Nodes that are still to be fenced. */
  get victims(): readonly number[] {
    return this.#victims;
  }

  /** Then cman must not shut down. */
  get isInDomain(): boolean {
    return this.#machine.isInDomain;
  }

  membership(change: NonNullable<ClusterEngine['membership']>): void {
    const { members, ring, isQuorate, quorumGained } = change;
    this.#fenced.send({ kind: 'membership', members, ring, isQuorate, quorumGained });
  }

  confchg(change: GroupChange): void {
    this.#fenced.send({ kind: 'confchg', ...change });
  }

  message(group: string, from: number, payload: Uint8Array): void {
    this.#fenced.send({ kind: 'message', group, from, payload });
  }

  ringConfchg(ring: { readonly representative: number; readonly seq: number }, members: readonly number[]): void {
    this.#fenced.send({ kind: 'ring-confchg', ring, members });
  }

  deadline(): Nanos {
    return this.#fenced.deadline();
  }

  wakeIfDue(now: Nanos): void {
    this.#fenced.wakeIfDue(now);
  }

  inspect(): unknown {
    return this.#machine.inspect();
  }

  readonly #onOutput = (output: FencedOutput): void => {
    const pid = this.#pid;
    switch (output.kind) {
      case 'cpg-join':
      case 'cpg-leave':
      case 'cpg-mcast':
        this.#engine.groups(this.#pid, output);
        break;
      case 'run-agent': {
        const { run, agent, input } = output;
        this.#services.system.run([agent], { input }, pid, ({ status }) => {
          this.#fenced.send({ kind: 'agent-ended', run, status });
        });
        break;
      }
      case 'find-fence-check': {
        const running = this.#services.system.processes().find(({ argv }) => isFenceCheck(argv[0] ?? ''));
        this.#fenced.send({ kind: 'fence-check', pid: running?.pid ?? 0 });
        break;
      }
      case 'end-fence-check':
        this.#services.system.kill(output.pid, SIGTERM);
        break;
      case 'kick':
        this.#engine.cman({ kind: 'kill', node: output.node, reason: 'cmantool' });
        break;
      case 'fenced':
        this.#listener.fenced(output.node, output.at);
        break;
      case 'victims':
        this.#victims = output.nodes;
        this.#listener.victims(output.nodes);
        break;
      case 'refused':
        this.#refusal = output.reason === 'exists' ? 'EEXIST' : 'EINVAL';
        break;
      case 'log':
        // Its debug messages go nowhere but to its buffer, as long as nobody configures a log for them.
        if (output.priority !== 'debug') this.#services.log(output.priority, 'fenced', output.text);
        break;
      case 'joined':
      case 'left':
      case 'stopped':
      case 'reject':
        break;
    }
  };

  #takeRefusal(): Errno | undefined {
    const refusal = this.#refusal;
    this.#refusal = undefined;
    return refusal;
  }
}

function idsByName({ conf }: StackConfig): ReadonlyMap<string, number> {
  return new Map(conf.nodes.map(({ name, nodeId }) => [name, nodeId]));
}
