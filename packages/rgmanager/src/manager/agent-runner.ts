import { SECOND, type Task } from '@quorate/kernel';
import type { Runtime } from '../runtime/runtime.js';
import type { Resume } from '../runtime/suspend.js';
import { agentEnvironment } from '../tree/agent-environment.js';
import { NodeState, type ResourceNode } from '../tree/resource-node.js';
import { pathOf } from './configuration.js';
import type { InUse } from './in-use.js';

const EXIT_TEXTS: ReadonlyMap<number, string> = new Map([
  [0, 'success'],
  [1, 'generic error'],
  [2, 'invalid argument(s)'],
  [3, 'function not implemented'],
  [4, 'insufficient privileges'],
  [5, 'program not installed'],
  [6, 'program not configured'],
]);

/** As the log calls an agent's exit code. */
function exitText(status: number): string {
  return EXIT_TEXTS.get(status) ?? 'unspecified';
}

const NOT_INSTALLED = 5;
/** What counts as the exit code of an agent that a signal killed: -EFAULT. */
const KILLED = -14;
/** An agent that is killed has that long to be gone. */
const KILL_GRACE = SECOND;

interface AgentEnd {
  readonly status: number;
  readonly signal: number | undefined;
}

/**
 * Has agents run outside, and makes of their exit codes what counts.
 *
 * Differs from rgmanager: with enforced timeouts the end of an agent is noticed at once, not at the next full second.
 *
 * Source: rgmanager src/daemons/restree.c, `res_exec`.
 */
export class AgentRunner {
  readonly #runtime: Runtime;
  readonly #inUse: InUse;
  readonly #running = new Map<number, Resume<AgentEnd>>();
  #lastRun = 0;

  constructor(runtime: Runtime, inUse: InUse) {
    this.#runtime = runtime;
    this.#inUse = inUse;
  }

  /** Runs an agent for a node; 0 if it has no such action of that depth. */
  *run(node: ResourceNode, name: string, depth: number, argument?: string): Task<number> {
    const action = node.action(name, depth);
    if (action === undefined) return 0;
    this.#lastRun += 1;
    const run = this.#lastRun;
    const about = { run, service: serviceOf(node), path: pathOf(node), resource: node.name, action: name };
    this.#runtime.observe?.({ kind: 'rg.agent-started', now: this.#runtime.now, ...about, depth });
    const isLimited = node.enforcesTimeouts || this.#inUse.policy.enforcesTimeouts;
    const limitSec = isLimited ? action.timeoutSec : 0;
    const endsAt = limitSec > 0 ? this.#runtime.now + limitSec * SECOND : Infinity;
    const environment = agentEnvironment(node, depth, isLimited ? 0 : action.timeoutSec);
    const end = yield* this.#runtime.waitFor<AgentEnd>(limitSec > 0 ? limitSec * SECOND : Infinity, (resume) => {
      this.#running.set(run, resume);
      this.#runtime.emit({
        kind: 'run-agent',
        run,
        file: node.resource.rule.agent,
        action: name,
        ...(argument !== undefined && { argument }),
        environment,
        ...(limitSec > 0 && { timeout: limitSec * SECOND }),
      });
    });
    const isTimeUp = end === undefined || (end.signal !== undefined && this.#runtime.now >= endsAt);
    if (isTimeUp) this.#runtime.log('err', `${name} on ${node.name} timed out after ${limitSec} seconds`);
    if (end === undefined) yield* this.#untilKilled(run, name);
    const status = isTimeUp ? 1 : this.#exitCode(node, name, end);
    this.#runtime.observe?.({ kind: 'rg.agent-ended', now: this.#runtime.now, ...about, status });
    return status;
  }

  onEnded(run: number, status: number, signal: number | undefined): void {
    const resume = this.#running.get(run);
    this.#running.delete(run);
    resume?.({ status, signal });
  }

  /** Runs that have not ended. */
  get running(): readonly number[] {
    return [...this.#running.keys()];
  }

  *#untilKilled(run: number, name: string): Task {
    const end = yield* this.#runtime.waitFor<AgentEnd>(KILL_GRACE, (resume) => {
      this.#running.set(run, resume);
    });
    if (end === undefined) this.#runtime.log('err', `Task ${name} PID ${run} did not exit after SIGKILL`);
  }

  #exitCode(node: ResourceNode, name: string, { status, signal }: AgentEnd): number {
    if (signal !== undefined) return KILLED;
    if (status === NOT_INSTALLED && name === 'stop' && node.state === NodeState.STOPPED) return 0;
    // A check of what is not running here is expected to fail.
    if (status !== 0 && (name !== 'status' || node.state === NodeState.STARTED)) {
      const { type, resource } = node;
      this.#runtime.log('notice', `${name} on ${type} "${resource.primary}" returned ${status} (${exitText(status)})`);
    }
    return status;
  }
}

function serviceOf(node: ResourceNode): string {
  return node.parent === undefined ? node.name : serviceOf(node.parent);
}
