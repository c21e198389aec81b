import { AssertionError, type Prng, type Task } from '@quorate/kernel';
import type { Locks } from '../cluster/locks.js';
import type { Views } from '../cluster/views.js';
import type { ConfElement } from '../conf/conf-element.js';
import { DEFAULT_EVENT_SCRIPT, type EventTrigger, readEventTriggers } from '../conf/event-triggers.js';
import type { ServiceOperation } from '../io.js';
import type { RgEventQueue, ScriptedEvent } from '../manager/event-queue.js';
import type { ServiceRequest } from '../manager/service-threads.js';
import { Request } from '../state/request.js';
import { Result } from '../state/result.js';
import { ServiceState, stateText } from '../state/service-record.js';
import { defaultEventScript } from './default-event-script.js';
import { EventCluster } from './event-cluster.js';
import { matches } from './event-match.js';
import type { EventScript, RgEvent } from './event-script.js';
import { type CallParts, ServiceCalls } from './service-calls.js';
import { MASTER_KEY, TransitionMaster } from './transition-master.js';

export interface CentralParts extends CallParts {
  readonly locks: Locks;
  readonly views: Views;
  readonly prng: Prng;
  /** Scripts that `<events>` can name, by their files. */
  readonly scripts: ReadonlyMap<string, EventScript>;
  readonly events: RgEventQueue;
}

const OPERATIONS: ReadonlyMap<number, ServiceOperation> = new Map([
  [Request.ENABLE, 'enable'],
  [Request.DISABLE, 'disable'],
  [Request.STOP_USER, 'stop'],
  [Request.RESTART, 'restart'],
  [Request.RELOCATE, 'relocate'],
  [Request.MIGRATE, 'migrate'],
  [Request.FREEZE, 'freeze'],
  [Request.UNFREEZE, 'unfreeze'],
  [Request.CONVALESCE, 'convalesce'],
]);

/** Of a service in one of these states nobody is the owner. */
const OWNERLESS: readonly number[] = [
  ServiceState.DISABLED,
  ServiceState.STOPPED,
  ServiceState.FAILED,
  ServiceState.ERROR,
  ServiceState.RECOVER,
];

/** Somebody is about to change it. */
const IN_TRANSITION: readonly number[] = [ServiceState.STARTING, ServiceState.STOPPING, ServiceState.ERROR];

/** A trigger whose script is at hand. */
interface Entry {
  readonly trigger: EventTrigger;
  readonly script: EventScript;
}

/**
 * Central processing: one node, the master, decides for all what becomes of services, by event scripts; the others do what
 * it asks for.
 *
 * Source: rgmanager src/daemons/rg_event.c and slang_event.c, `slang_process_event`.
 */
export class CentralProcessing {
  readonly #parts: CentralParts;
  readonly #calls: ServiceCalls;
  readonly #master: TransitionMaster;
  #entries: readonly Entry[] = [];
  /** Services that somebody was starting or stopping for a master that is gone; undefined before this one was one. */
  #inherited: Set<string> | undefined;
  /** Events that came while services were locked. */
  #hasSkipped = false;

  constructor(parts: CentralParts) {
    this.#parts = parts;
    this.#calls = new ServiceCalls(parts);
    this.#master = new TransitionMaster(parts);
  }

  /** Node id of the master as far as this node knows; 0: none. */
  get master(): number {
    return this.#master.known;
  }

  /** The master is known already; 0: there is none. */
  *resume(master: number): Task {
    if (master !== 0) yield* this.#master.resume(master);
  }

  /** Reads which scripts run for what. Without one that is missing the others go on. */
  configure(cluster: ConfElement): void {
    const { runtime } = this.#parts;
    const triggers = readEventTriggers(cluster, (priority, text) => runtime.log(priority, text));
    this.#entries = triggers.flatMap((trigger) => {
      const script = this.#scriptOf(trigger);
      return script === undefined ? [] : [{ trigger, script }];
    });
  }

  #scriptOf({ name, script }: EventTrigger): EventScript | undefined {
    const { runtime, scripts } = this.#parts;
    if ('text' in script) {
      return void runtime.log('err', `event ${name}: S/Lang in cluster.conf is not run; name a script with file=`);
    }
    const found = scripts.get(script.file);
    if (found !== undefined) return found;
    if (script.file === DEFAULT_EVENT_SCRIPT) return defaultEventScript;
    return void runtime.log('err', `event ${name}: no script is installed as ${script.file}`);
  }

  /** A value that all nodes have has changed. */
  onCommitted(key: string, data: Uint8Array): void {
    if (key === MASTER_KEY) this.#master.onCommitted(data);
  }

  /**
   * Services are not locked any more.
   *
   * Differs from rgmanager: what has happened meanwhile is made up for. The original runs its scripts in spite of the lock, so
   * that they stop services and cannot start them again.
   */
  onUnlocked(): void {
    if (!this.#hasSkipped || this.#parts.state.isLocked) return;
    this.#hasSkipped = false;
    if (this.#master.isHere) this.#lookAtAll();
  }

  /** As if this node had just come. */
  #lookAtAll(): void {
    const { members, events } = this.#parts;
    events.put({ kind: 'node', node: members.here, isUp: true, isClean: true });
  }

  /** A user's request: the master runs scripts for it, whoever was asked. */
  *ask(service: string, request: ServiceRequest): Task {
    const { members, remote } = this.#parts;
    const master = yield* this.#master.find();
    if (master === members.here) return this.#parts.events.put({ kind: 'user', service, request });
    const outcome = master === 0 ? { code: Result.AGAIN, owner: 0 } : yield* remote.send(master, service, request);
    request.respond?.(outcome);
  }

  /** Runs the scripts for an event if this node is the master; becomes the master if there is none. */
  *handle(event: ScriptedEvent): Task {
    const { state, members, runtime } = this.#parts;
    if (state.isLocked && event.kind !== 'user') {
      this.#hasSkipped = true;
      return runtime.log('debug', 'Resource groups locked; not evaluating');
    }
    if ((yield* this.#master.find()) === members.here) return yield* this.#process(event);
    if (event.kind === 'user') event.request.respond?.({ code: Result.AGAIN, owner: 0 });
  }

  *#process(event: ScriptedEvent): Task {
    const { members } = this.#parts;
    const about = this.#describe(event);
    if (about === undefined) return this.#answer(event, Result.INVAL);
    yield* this.#inherit(event);
    const cluster = new EventCluster({ ...this.#parts, calls: this.#calls }, event.kind === 'user');
    for (const { trigger, script } of this.#entries) {
      if (!matches(trigger.pattern, event, members.here)) continue;
      yield* this.#run(trigger, script, about, cluster);
      if (cluster.isStopped) break;
    }
    this.#answer(event, cluster.userReturn);
  }

  /**
   * The last master may have died between stopping a service and starting it elsewhere, or before it tried the next node.
   *
   * Differs from rgmanager: there such a service stays stopped until the next node comes or goes.
   */
  *#inherit(event: ScriptedEvent): Task {
    if (this.#inherited === undefined) {
      this.#inherited = new Set();
      for (const service of this.#parts.inUse.configuration.services) {
        const record = yield* this.#calls.record(service);
        if (record !== undefined && IN_TRANSITION.includes(record.state)) this.#inherited.add(service);
      }
      for (const node of this.#parts.members.standby) this.#parts.events.put({ kind: 'standby', node });
    }
    if (event.kind !== 'service' || IN_TRANSITION.includes(event.state)) return;
    if (this.#inherited.delete(event.service) && event.state === ServiceState.STOPPED) this.#lookAtAll();
  }

  *#run(trigger: EventTrigger, script: EventScript, event: RgEvent, cluster: EventCluster): Task {
    const { runtime } = this.#parts;
    const isDefault = script === defaultEventScript;
    const service = event.kind === 'node' ? '' : event.service;
    const about = { name: trigger.name, isDefault, cause: event.kind, service };
    runtime.observe?.({ kind: 'rg.script', now: runtime.now, event: 'started', ...about });
    try {
      yield* script(event, cluster);
    } catch (error) {
      if (error instanceof AssertionError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      runtime.log('err', `[${trigger.name}] Script Execution Failure: ${message}`);
      cluster.userReturn = Result.SCRIPT;
    }
    runtime.observe?.({ kind: 'rg.script', now: runtime.now, event: 'ended', ...about });
  }

  /**
   * Above 0 it is the node that runs the service.
   *
   * Differs from rgmanager: it answers after the first script that matches, though the default one has yet to act.
   */
  #answer(event: ScriptedEvent, result: number): void {
    if (event.kind !== 'user') return;
    event.request.respond?.(result > 0 ? { code: Result.SUCCESS, owner: result } : { code: result, owner: 0 });
  }

  /** As scripts see it; undefined if it is none for them. */
  #describe(event: ScriptedEvent): RgEvent | undefined {
    const { members } = this.#parts;
    switch (event.kind) {
      case 'node': {
        const { node, isUp, isClean } = event;
        const isLocal = node === members.here;
        return { kind: 'node', node, name: members.nameOf(node), isOnline: isUp, isClean, isLocal };
      }
      case 'service': {
        const { service, state, owner, lastOwner } = event;
        const restartsExceeded = state === ServiceState.RECOVER && this.#countRestart(service);
        const shown = OWNERLESS.includes(state) ? -1 : owner;
        return { kind: 'service', service, state: stateText(state), owner: shown, lastOwner, restartsExceeded };
      }
      case 'user': {
        const { service, request: asked } = event;
        const request = OPERATIONS.get(asked.request);
        const { target, arg1, arg2 } = asked;
        return request === undefined ? undefined : { kind: 'user', service, request, target, arg1, arg2 };
      }
    }
  }

  /**
   * Counts a restart of a service that recovers, and says whether it has had too many; then it begins anew.
   *
   * Differs from rgmanager: it counts one for each script that matches.
   */
  #countRestart(service: string): boolean {
    const { configuration } = this.#parts.inUse;
    const counter = configuration.root(service)?.restartCounter;
    const policy = (configuration.property(service, 'recovery') ?? 'restart').toLowerCase();
    const isExceeded = policy === 'relocate' || (policy === 'restart' && (counter?.isExceeded(this.#seconds) ?? false));
    if (policy === 'restart') counter?.add(this.#seconds);
    if (isExceeded) counter?.clear();
    return isExceeded;
  }

  get #seconds(): number {
    return this.#parts.runtime.seconds;
  }
}
