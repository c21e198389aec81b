import type { Task } from '@quorate/kernel';
import type { Runtime } from '../runtime/runtime.js';
import { type TreeHost, type TreeOperation, TreeWalk, WalkResult } from '../tree/tree-operation.js';
import type { AgentRunner } from './agent-runner.js';
import type { InUse } from './in-use.js';

/** An agent that takes no time. */
function* succeeds(): Task<number> {
  return 0;
}

/**
 * Operations on whole services: walks over their resource trees.
 *
 * Source: rgmanager src/daemons/groups.c, `group_op`, `group_migrate`.
 */
export class GroupOperations {
  readonly #runtime: Runtime;
  readonly #inUse: InUse;
  readonly #agents: AgentRunner;
  readonly #walk: TreeWalk;
  readonly #resumption: TreeWalk;
  #checks = 0;

  constructor(runtime: Runtime, inUse: InUse, agents: AgentRunner) {
    this.#runtime = runtime;
    this.#inUse = inUse;
    this.#agents = agents;
    this.#walk = new TreeWalk(this.#hostOf((node, action, depth) => agents.run(node, action, depth)));
    this.#resumption = new TreeWalk(this.#hostOf(succeeds));
  }

  #hostOf(run: TreeHost['run']): TreeHost {
    const [runtime, inUse] = [this.#runtime, this.#inUse];
    return {
      run,
      get seconds() {
        return runtime.seconds;
      },
      log: (priority, text) => runtime.log(priority, text),
      report: (text) => runtime.log('debug', text),
      beginCheck: () => this.#beginCheck(),
      endCheck: () => {
        this.#checks -= 1;
      },
      get isParallel() {
        return inUse.policy.isParallel;
      },
      together: (walks) => runtime.together(walks),
    };
  }

  /** A service runs here already: its resources are started, and no agent is asked. */
  *resume(service: string): Task {
    const { configuration } = this.#inUse;
    const resource = configuration.resources.findRoot(service);
    if (resource !== undefined) yield* this.#resumption.operate(configuration.rootsUsing(resource), resource, 'start');
  }

  /** Gives `WalkResult`s; a service that does not exist fails. */
  *operate(service: string, operation: TreeOperation): Task<number> {
    const { configuration } = this.#inUse;
    const resource = configuration.resources.findRoot(service);
    if (resource === undefined) return -1;
    this.#runtime.observe?.({ kind: 'rg.operation-started', now: this.#runtime.now, service, operation });
    const result = yield* this.#walk.operate(configuration.rootsUsing(resource), resource, operation);
    this.#runtime.observe?.({ kind: 'rg.operation-ended', now: this.#runtime.now, service, operation, result });
    return result;
  }

  /** Has a service's agent move it to a node; gives the agent's exit code. */
  *migrate(service: string, targetName: string): Task<number> {
    const root = this.#inUse.configuration.root(service);
    if (root === undefined) return WalkResult.FAILURE;
    this.#runtime.log('notice', `Migrating ${service} to ${targetName}`);
    const status = yield* this.#agents.run(root, 'migrate', 0, targetName);
    if (status === 0) this.#runtime.log('notice', `Migration of ${service} to ${targetName} completed`);
    else this.#runtime.log('err', `Migration of ${service} to ${targetName} failed; return code ${status}`);
    return status;
  }

  #beginCheck(): boolean {
    if (this.#checks >= this.#inUse.statusChildMax) return false;
    this.#checks += 1;
    return true;
  }
}
