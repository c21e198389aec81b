// Nodes whose lock manager does what dlm_controld says.
import { type DlmOutput, invariants, LockFlag, type NodeViews, Status, StatusFlag } from '@quorate/dlm';
import { Checker, SECOND } from '@quorate/kernel';
import { Cluster } from '../src/conformance/cluster.js';
import { Daemons, type DaemonsOptions } from './daemons.js';

export const LOCKSPACE = 'ls';
const VALUE = new Uint8Array(8).fill(7);

/** Nodes on which the lock manager does what dlm_controld says. */
export class Nodes {
  readonly checker = new Checker(invariants);
  readonly heard: string[] = [];
  readonly cluster: Cluster;
  readonly daemons: Daemons;

  constructor(nodes: readonly number[], options: DaemonsOptions = {}) {
    this.cluster = new Cluster({
      nodes,
      onOutput: (node, output) => this.#onDlm(node, output),
      onFact: (fact) => this.checker.observe(fact),
    });
    this.daemons = new Daemons(nodes, {
      ...options,
      onKernel: (node, output) => {
        if (output.kind === 'stop' || output.kind === 'start' || output.kind === 'left')
          this.cluster.input(node, output);
        if (output.kind === 'read-locks') {
          const [view] = this.cluster.nodes.get(node)!.dlm.inspect().lockspaces;
          this.daemons.input(node, { kind: 'locks', lockspace: output.lockspace, view });
        }
        if (output.kind === 'read-views') {
          const { kind: _, ...question } = output;
          this.daemons.input(node, { kind: 'views', ...question, dlm: this.cluster.nodes.get(node)!.dlm.inspect() });
        }
        if (output.kind === 'deadlock-cancel') {
          const { lockspace, handle } = output;
          this.cluster.input(node, { kind: 'unlock', lockspace, handle, flags: LockFlag.CANCEL, isDeadlock: true });
        }
      },
      onFact: (fact) => this.checker.observe(fact),
    });
    for (const node of nodes) this.create(node);
  }

  create(node: number): void {
    const isTimewarn = this.daemons.options.enableDeadlock === true;
    this.cluster.input(node, { kind: 'create', lockspace: LOCKSPACE, lvbLength: 8, isFs: true, isTimewarn });
    this.#settle();
  }

  /** Gives what came out since the last time. */
  run(): string[] {
    this.#settle();
    return this.heard.splice(0);
  }

  #settle(): void {
    for (let round = 0; round < 5; round++) {
      this.daemons.now = this.cluster.now;
      this.daemons.drain();
      this.cluster.settle();
    }
  }

  lock(node: number, handle: number, mode: number, flags = 0): void {
    const lock = { handle, name: 'r', mode, flags: flags | LockFlag.VALBLK, lvb: VALUE };
    this.cluster.input(node, { kind: 'lock', lockspace: LOCKSPACE, ...lock });
  }

  /** What nodes show of themselves; those that are dead nothing. */
  views(): Map<number, NodeViews> {
    const views = new Map<number, NodeViews>();
    for (const [node, { controld }] of this.daemons.daemons) {
      views.set(node, { dlm: this.cluster.nodes.get(node)!.dlm.inspect(), controld: controld.inspect() });
    }
    return views;
  }

  crash(node: number): void {
    this.cluster.kill(node);
    this.daemons.crash(node);
  }

  fence(node: number): void {
    this.cluster.runTo(this.cluster.now + SECOND);
    this.daemons.now = this.cluster.now;
    this.daemons.fenced(node);
  }

  #onDlm(node: number, output: DlmOutput): void {
    switch (output.kind) {
      case 'online':
      case 'offline':
      case 'stopped':
      case 'timewarn':
        return this.daemons.input(node, output);
      case 'cast': {
        const state = (output.flags & StatusFlag.VALNOTVALID) === 0 ? output.lvb!.join('') : 'not valid';
        const status = output.status === Status.granted ? 'granted' : output.status;
        this.heard.push(`${node}: ${output.handle} ${status}, value ${state}`);
        return;
      }
      case 'bast':
        this.heard.push(`${node}: ${output.handle} is in the way of ${output.mode}`);
        return;
      case 'created':
      case 'released':
        this.heard.push(`${node}: ${output.kind}`);
        return;
      case 'recover-slot':
        this.heard.push(`${node}: ${output.node} is gone from slot ${output.slot}`);
    }
  }
}
