import { type Nanos, SECOND } from '@quorate/kernel';
import { type ClvmdMessage, decodeClvmdMessage, encodeClvmdMessage, type VolumeCommand } from './clvmd-message.js';

/** cman port of clvmd. */
export const CLVMD_PORT = 11;

/** Version of the protocol between daemons; those of another major one are told to go. */
const VERSION = [0, 2, 1] as const;

/** `-t`: so long the daemon that a command asks waits for the others. */
const COMMAND_TIMEOUT: Nanos = 60 * SECOND;

/** Linux numbers. */
const Errno = { EIO: 5, EBUSY: 16 } as const;

/** Why a node did not do what it was asked for. */
export interface NodeError {
  readonly node: number;
  readonly text: string;
}

export interface ClvmdPeersPort {
  /** `to` 0: everybody. */
  send(to: number, payload: Uint8Array): void;
  now(): Nanos;
  /** Members of the cluster. */
  members(): readonly number[];
  /** Members that listen on the port. */
  listening(): readonly number[];
  /** Does something to a volume of this node. */
  run(command: VolumeCommand, resource: string, done: (why: string | undefined) => void): void;
  /** The daemon of another node has ended. */
  died(node: number): void;
}

interface Request {
  readonly waitsFor: Set<number>;
  readonly errors: NodeError[];
  readonly by: Nanos;
  done(errors: readonly NodeError[]): void;
}

/**
 * What the clvmd of each node has done to a volume at the same time: a message to all, and a reply from each.
 *
 * A daemon says its version when it starts, and counts as running from then on until its port closes. Nothing is sent as long as
 * a member has none.
 *
 * Source: LVM2 daemons/clvmd/clvmd.c, clvmd-cman.c.
 */
export class ClvmdPeers {
  readonly #port: ClvmdPeersPort;
  readonly #self: number;
  readonly #up = new Set<number>();
  readonly #requests = new Map<number, Request>();
  #lastTransaction = 0;

  constructor(self: number, port: ClvmdPeersPort) {
    this.#self = self;
    this.#port = port;
  }

  /** This node's daemon is ready: those that listen run already. */
  start(): void {
    for (const node of this.#port.listening()) this.#up.add(node);
    this.#up.add(this.#self);
    this.#port.send(0, encodeClvmdMessage({ kind: 'version', version: VERSION }));
  }

  /** Somebody opened or closed the port. */
  portChanged(): void {
    const listening = this.#port.listening();
    for (const node of [...this.#up]) {
      if (node === this.#self || listening.includes(node)) continue;
      this.#up.delete(node);
      this.#port.died(node);
    }
  }

  /**
   * Who has left comes back without a clvmd until it says its version. Differs from the original, which takes the daemon of a node
   * that was lost for one that runs when the node is back.
   */
  membersChanged(): void {
    const members = this.#port.members();
    for (const node of [...this.#up]) if (!members.includes(node)) this.#up.delete(node);
  }

  /** Members without a clvmd. */
  down(): readonly number[] {
    return this.#port.members().filter((node) => !this.#up.has(node));
  }

  /** Has it done on every node, this one included; `done` hears who did not. */
  onAllNodes(command: VolumeCommand, resource: string, done: Request['done']): void {
    this.#lastTransaction = (this.#lastTransaction + 1) & 0xffff;
    const transaction = this.#lastTransaction;
    const request: Request = {
      waitsFor: new Set(this.#port.members()),
      errors: [],
      by: this.#port.now() + COMMAND_TIMEOUT,
      done,
    };
    this.#requests.set(transaction, request);
    const message = { kind: 'lock-volume', transaction, client: this.#self, command, resource } as const;
    this.#port.send(0, encodeClvmdMessage(message));
    this.#port.run(command, resource, (why) => this.#replied(transaction, this.#self, why));
  }

  message(from: number, payload: Uint8Array): void {
    // Its own messages come back to everybody who sends to all.
    if (from === this.#self) return;
    const message = decodeClvmdMessage(payload);
    if (message === undefined) return;
    switch (message.kind) {
      case 'version':
        if (message.version[0] === VERSION[0]) this.#up.add(from);
        return;
      case 'lock-volume':
        return this.#serve(from, message);
      case 'reply':
        if (message.client === this.#self) {
          this.#replied(message.transaction, from, message.status === 0 ? undefined : message.text);
        }
        return;
    }
  }

  deadline(): Nanos {
    let least = Infinity;
    for (const { by } of this.#requests.values()) least = Math.min(least, by);
    return least;
  }

  wakeIfDue(now: Nanos): void {
    for (const [transaction, { by, waitsFor }] of [...this.#requests]) {
      if (by > now) continue;
      // Nodes that have left meanwhile are not heard of.
      const members = this.#port.members();
      for (const node of [...waitsFor]) {
        this.#replied(transaction, node, members.includes(node) ? 'Command timed out' : undefined);
      }
    }
  }

  /** Whoever waits hears that nothing comes any more. */
  clear(): void {
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const { done } of requests) done([{ node: this.#self, text: 'Lock was not granted' }]);
  }

  inspect(): unknown {
    return { up: [...this.#up], requests: this.#requests.size };
  }

  #serve(to: number, { transaction, client, command, resource }: ClvmdMessage & { kind: 'lock-volume' }): void {
    this.#port.run(command, resource, (why) => {
      const status = why === undefined ? 0 : why === 'Device or resource busy' ? Errno.EBUSY : Errno.EIO;
      this.#port.send(to, encodeClvmdMessage({ kind: 'reply', transaction, client, status, text: why ?? '' }));
    });
  }

  #replied(transaction: number, node: number, why: string | undefined): void {
    const request = this.#requests.get(transaction);
    if (request === undefined || !request.waitsFor.delete(node)) return;
    // The last to answer comes first, as in the original's list.
    if (why !== undefined) request.errors.unshift({ node, text: why });
    if (request.waitsFor.size > 0) return;
    this.#requests.delete(transaction);
    request.done(request.errors);
  }
}
