import { type Nanos, type Observe, PENDING, type TaskId } from '@quorate/kernel';
import { type RgFact, type RgInput, Rgmanager, type RgOutput } from '@quorate/rgmanager';
import { Child } from '../child.js';
import type { StackConfig } from '../stack-config.js';
import type { ClusterEngine } from './cluster-engine.js';
import type { LockManager, LockspaceUser } from './lock-manager.js';
import type { NodeServices } from './services.js';

/** cman port of rgmanager. */
export const RGMANAGER_PORT = 177;

const LOCKSPACE = 'rgmanager';

/** rgmanager on a node: its messages go through cman, its locks to the DLM, its agents to the operating system. */
export class ServiceManager implements LockspaceUser {
  readonly #services: NodeServices;
  readonly #engine: ClusterEngine;
  readonly #locks: LockManager;
  readonly #ended: () => void;
  readonly #machine: Rgmanager;
  readonly #rgmanager: Child<RgInput, RgOutput>;
  readonly #requests = new Map<number, TaskId>();
  #lastRequest = 0;

  constructor(
    services: NodeServices,
    config: StackConfig,
    engine: ClusterEngine,
    locks: LockManager,
    ended: () => void,
  ) {
    this.#services = services;
    this.#engine = engine;
    this.#locks = locks;
    this.#ended = ended;
    const observe = services.observe;
    this.#machine = new Rgmanager({
      nodeId: config.nodeId,
      nodes: rgNodesOf(config.conf),
      conf: config.conf.root,
      eventScripts: services.eventScripts,
      ...(observe && { observe: observe as Observe<RgFact> }),
    });
    this.#rgmanager = new Child(this.#machine, () => services.now(), this.#onOutput);
  }

  start(): void {
    this.#rgmanager.send({ kind: 'start', wall: this.#services.system.wall().sec });
  }

  /** SIGTERM: services stop here, then it ends. */
  stop(): void {
    this.#rgmanager.send({ kind: 'shutdown' });
  }

  /** The cluster engine is gone: services stop without a word to anybody. */
  clusterDown(): void {
    this.#rgmanager.send({ kind: 'cman-shutdown' });
  }

  clockStep(offset: Nanos): void {
    this.#rgmanager.send({ kind: 'clock-step', offset });
  }

  /** The configuration changed. */
  configure({ conf }: StackConfig): void {
    this.#rgmanager.send({ kind: 'reconfigure', conf: conf.root, nodes: rgNodesOf(conf) });
  }

  membership(members: readonly number[], isQuorate: boolean): void {
    this.#rgmanager.send({ kind: 'membership', members, isQuorate });
  }

  message(from: number, payload: Uint8Array): void {
    this.#rgmanager.send({ kind: 'message', from, payload });
  }

  /** Serves clustat, clusvcadm and agents. */
  call(task: TaskId, request: unknown): unknown {
    this.#lastRequest += 1;
    this.#requests.set(this.#lastRequest, task);
    this.#rgmanager.send({ kind: 'request', id: this.#lastRequest, request: request as never });
    return PENDING;
  }

  deadline(): Nanos {
    return this.#rgmanager.deadline();
  }

  wakeIfDue(now: Nanos): void {
    this.#rgmanager.wakeIfDue(now);
  }

  inspect(): unknown {
    return this.#machine.inspect();
  }

  created(): void {
    this.#rgmanager.send({ kind: 'lockspace-created' });
  }

  released(): void {
    this.#rgmanager.send({ kind: 'lockspace-released' });
  }

  cast(output: Parameters<LockspaceUser['cast']>[0]): void {
    const { handle, status, mode } = output;
    this.#rgmanager.send({ kind: 'lock-cast', handle, status, mode });
  }

  /** It gives its locks back by itself, and soon. */
  bast(): void {}

  callRefused(handle: number): void {
    this.#rgmanager.send({ kind: 'lock-refused', handle });
  }

  readonly #onOutput = (output: RgOutput): void => {
    switch (output.kind) {
      case 'open-port':
        this.#engine.cman({ kind: 'open-port', port: RGMANAGER_PORT });
        break;
      case 'close-port':
        this.#engine.cman({ kind: 'close-port', port: RGMANAGER_PORT });
        break;
      case 'send':
        this.#engine.cman({ kind: 'send', port: RGMANAGER_PORT, to: output.to, payload: output.payload });
        break;
      case 'create-lockspace':
        this.#locks.create(LOCKSPACE, false, this);
        break;
      case 'release-lockspace':
        this.#locks.release(LOCKSPACE);
        break;
      case 'lock':
      case 'unlock':
        this.#locks.locks({ ...output, lockspace: LOCKSPACE });
        break;
      case 'run-agent': {
        const { run, file, action, argument, environment, timeout } = output;
        const argv = argument === undefined ? [file, action] : [file, action, argument];
        const options = timeout === undefined ? { environment } : { environment, timeout };
        this.#services.system.run(argv, options, 0, ({ status }) => {
          const signal = status > 128 ? { signal: status - 128 } : {};
          this.#rgmanager.send({ kind: 'agent-ended', run, status, ...signal });
        });
        break;
      }
      case 'fence':
        // Whoever leaves like that is the fence domain's victim.
        this.#engine.cman({ kind: 'kill', node: output.node, reason: 'cmantool' });
        break;
      case 'reply': {
        const task = this.#requests.get(output.id);
        this.#requests.delete(output.id);
        if (task !== undefined) this.#services.system.reply(task, output.reply);
        break;
      }
      case 'exited':
        this.#ended();
        break;
      case 'log':
        this.#services.log(output.priority, 'rgmanager', output.text);
        break;
    }
  };
}

function rgNodesOf({ nodes }: StackConfig['conf']): readonly { readonly id: number; readonly name: string }[] {
  return nodes.map(({ nodeId, name }) => ({ id: nodeId, name }));
}
