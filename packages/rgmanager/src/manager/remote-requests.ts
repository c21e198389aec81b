import { type Nanos, SECOND, type Task } from '@quorate/kernel';
import type { Channel, Channels } from '../cluster/channels.js';
import type { Members } from '../cluster/members.js';
import { ACTION_MASTER } from '../cluster/message.js';
import type { Runtime } from '../runtime/runtime.js';
import type { RecordStore } from '../state/record-store.js';
import { Request, requestText } from '../state/request.js';
import { Result } from '../state/result.js';
import type { DaemonState } from './daemon-state.js';
import type { InUse } from './in-use.js';
import type { Outcome, ServiceRequest } from './service-threads.js';

/** How long an answer is waited for before looking whether the other node is still there. */
const LOOK_EVERY: Nanos = 10 * SECOND;
/** Looks after which a forwarded request is given up: ten minutes. */
const LOOKS = 60;

export interface RemoteParts {
  readonly runtime: Runtime;
  readonly state: DaemonState;
  readonly members: Members;
  readonly channels: Channels;
  readonly store: RecordStore;
  readonly inUse: InUse;
}

/** Has other nodes do things to services, and waits for their answers. */
export class RemoteRequests {
  readonly #runtime: Runtime;
  readonly #state: DaemonState;
  readonly #members: Members;
  readonly #channels: Channels;
  readonly #store: RecordStore;
  readonly #inUse: InUse;
  readonly #openTimeout: Nanos;

  constructor(parts: RemoteParts, clusterTimeout: Nanos) {
    this.#runtime = parts.runtime;
    this.#state = parts.state;
    this.#members = parts.members;
    this.#channels = parts.channels;
    this.#store = parts.store;
    this.#inUse = parts.inUse;
    this.#openTimeout = 2 * clusterTimeout;
  }

  /**
   * Asks a node to start a service; gives its answer. NO: nobody knows how it ended, for this node is shutting down.
   * `score`: for which a coordinator chose the node.
   *
   * Source: rgmanager src/daemons/rg_state.c, `svc_start_remote`.
   */
  *start(service: string, request: number, node: number, score = 0): Task<number> {
    const channel = yield* this.#open(node);
    if (channel === undefined) {
      this.#runtime.log('err', `#58: Failed opening connection to member #${node}`);
      return Result.FAIL;
    }
    const about = { service, action: request, target: node, result: 0 };
    this.#channels.send(channel, { kind: 'action', ...about, arg1: ACTION_MASTER, arg2: score });
    this.#runtime.log('debug', `Sent remote-start request to ${node}`);
    for (;;) {
      const reply = yield* channel.inbox.take(LOOK_EVERY);
      if (reply === undefined && !this.#isCancelled(node)) continue;
      this.#channels.close(channel);
      const isCancelled = reply === undefined || (reply === 'closed' && this.#isCancelled(node));
      if (isCancelled) return this.#state.isGoingDown ? Result.NO : Result.FAIL;
      if (typeof reply === 'object' && reply.kind === 'action') return reply.result;
      this.#runtime.log('err', `#60: Mangled reply from member #${node} during RG relocate`);
      return Result.SUCCESS;
    }
  }

  /** cman sends nothing to a node that is gone: that fails at once. */
  *#open(node: number): Task<Channel | undefined> {
    return this.#members.isOnline(node) ? yield* this.#channels.open(node, this.#openTimeout) : undefined;
  }

  #isCancelled(node: number): boolean {
    // Differs from rgmanager: a user's lock leaves a relocation alone, which would stay in recovery for ever.
    if (this.#state.isGoingDown) {
      this.#runtime.log('warning', '#XX: Cancelling relocation: Shutting down');
      return true;
    }
    if (this.#members.isOnline(node)) return false;
    this.#runtime.log('warning', '#XX: Cancelling relocation: Target node down');
    return true;
  }

  /**
   * Lets a service's owner perform a request, or the node that the request names if nobody owns the service.
   *
   * Source: rgmanager src/daemons/rg_forward.c.
   */
  *forward(service: string, request: ServiceRequest): Task<Outcome> {
    const failed = { code: Result.AGAIN, owner: 0 };
    const record = yield* this.#store.readLocked(service);
    if (record === undefined) {
      this.#runtime.log('warning', `FW: Forwarding failed; state unavailable for ${service}`);
      return failed;
    }
    const node = record.owner === 0 ? request.target : record.owner;
    if (node === 0) {
      this.#runtime.log('err', 'FW: Attempt to forward to invalid node ID');
      return failed;
    }
    if (node === this.#members.here) {
      this.#runtime.log('warning', 'BUG! Attempt to forward to myself!');
      return failed;
    }
    this.#runtime.log('debug', `FW: Forwarding ${requestText(request.request)} request to ${node}`);
    return yield* this.send(node, service, request);
  }

  /** Has a node serve a request, and gives its answer. */
  *send(
    node: number,
    service: string,
    request: Pick<ServiceRequest, 'request' | 'target' | 'arg1' | 'arg2'>,
  ): Task<Outcome> {
    const channel = yield* this.#open(node);
    if (channel === undefined) {
      this.#runtime.log('debug', `FW: Failed to open channel to ${node}`);
      return { code: Result.AGAIN, owner: 0 };
    }
    const { request: action, target, arg1, arg2 } = request;
    this.#channels.send(channel, { kind: 'action', service, action, target, result: 0, arg1, arg2 });
    let outcome: Outcome = { code: Result.AGAIN, owner: 0 };
    for (let looks = 0; looks < LOOKS; looks++) {
      const reply = yield* channel.inbox.take(LOOK_EVERY);
      if (reply === undefined && this.#members.isOnline(node)) continue;
      if (!this.#members.isOnline(node)) outcome = { code: Result.NODE, owner: 0 };
      if (typeof reply === 'object' && reply.kind === 'action') outcome = { code: reply.result, owner: reply.target };
      break;
    }
    this.#channels.close(channel);
    return outcome;
  }

  /**
   * Asks all other members whether a service that can migrate runs there; undefined if it does nowhere, or if one of
   * them cannot be reached.
   *
   * Source: rgmanager src/daemons/rg_state.c, `msvc_check_cluster`.
   */
  *findRunning(service: string): Task<number | undefined> {
    if (!this.#inUse.configuration.isMigratory(service)) return undefined;
    const owner = yield* this.#inquireAll(service);
    if (owner === undefined) this.#runtime.log('debug', `No other nodes have seen ${service}`);
    else this.#runtime.log('notice', `Migration: ${service} is running on ${owner}`);
    return owner;
  }

  *#inquireAll(service: string): Task<number | undefined> {
    const action = Request.STATUS_INQUIRY;
    for (const node of this.#members.online) {
      if (node === this.#members.here) continue;
      const channel = yield* this.#open(node);
      if (channel === undefined) return undefined;
      this.#channels.send(channel, { kind: 'action', service, action, target: 0, result: 0, arg1: action, arg2: 0 });
      const reply = yield* channel.inbox.take(LOOK_EVERY);
      this.#channels.close(channel);
      if (typeof reply !== 'object' || reply.kind !== 'action') continue;
      if (reply.result === Result.SUCCESS) return reply.target;
    }
    return undefined;
  }
}
