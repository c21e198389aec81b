import { Dlm, type DlmInput, type DlmOutput, invariants, LockFlag, Mode, Status, StatusFlag } from '@quorate/dlm';
import { Checker, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { Cluster } from '../src/conformance/cluster.js';
import { Daemons } from './daemons.js';

const LOCKSPACE = 'ls';
const VALUE = new Uint8Array(8).fill(7);

/** Nodes on which the lock manager does what dlm_controld says. */
class Nodes {
  readonly checker = new Checker(invariants);
  readonly heard: string[] = [];
  readonly cluster: Cluster;
  readonly daemons: Daemons;

  constructor(nodes: readonly number[]) {
    this.cluster = new Cluster({
      nodes,
      onOutput: (node, output) => this.#onDlm(node, output),
      onFact: (fact) => this.checker.observe(fact),
    });
    this.daemons = new Daemons(nodes, {
      onKernel: (node, output) => {
        if (output.kind === 'stop' || output.kind === 'start' || output.kind === 'left')
          this.cluster.input(node, output);
      },
      onFact: (fact) => this.checker.observe(fact),
    });
    for (const node of nodes) this.create(node);
  }

  create(node: number): void {
    this.cluster.input(node, { kind: 'create', lockspace: LOCKSPACE, lvbLength: 8, isFs: true });
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

describe('lock managers that dlm_controld starts and stops', () => {
  it('a lockspace is created on one node after the other', () => {
    const nodes = new Nodes([1, 2, 3]);
    expect(nodes.run()).toEqual(['1: created', '2: created', '3: created']);
    const views = [1, 2, 3].map((node) => nodes.cluster.nodes.get(node)!.dlm.inspect().lockspaces[0]!);
    expect(views.map(({ members, isRunning }) => ({ members, isRunning }))).toEqual(
      Array(3).fill({ members: [1, 2, 3], isRunning: true }),
    );
    expect(new Set(views.map(({ generation }) => generation)).size).toBe(1);
  });

  it('the lock of a dead node is given away when it is fenced, and what it may have written is not valid', () => {
    const nodes = new Nodes([1, 2, 3]);
    nodes.lock(1, 10, Mode.EX);
    nodes.run();
    nodes.lock(1, 10, Mode.NL, LockFlag.CONVERT);
    nodes.lock(3, 30, Mode.EX);
    nodes.run();
    nodes.lock(1, 10, Mode.PR, LockFlag.CONVERT);
    expect(nodes.run()).toEqual(['3: 30 is in the way of 3']);
    nodes.crash(3);
    nodes.daemons.newRing();
    nodes.lock(2, 20, Mode.CR);
    expect(nodes.run()).toEqual([]);
    nodes.fence(3);
    expect(nodes.run().sort()).toEqual([
      '1: 10 granted, value not valid',
      '1: 3 is gone from slot 3',
      '2: 20 granted, value not valid',
      '2: 3 is gone from slot 3',
    ]);
    expect(nodes.checker.violations).toEqual([]);
  });

  it('without quorum nobody is fenced, and no call comes back, not even an unlock', () => {
    const nodes = new Nodes([1, 2, 3]);
    nodes.lock(1, 10, Mode.EX);
    nodes.run();
    for (const node of [2, 3]) nodes.crash(node);
    nodes.daemons.newRing();
    nodes.cluster.input(1, { kind: 'unlock', lockspace: LOCKSPACE, handle: 10, flags: 0 });
    expect(nodes.run()).toEqual([]);
    expect(nodes.daemons.wait(LOCKSPACE, 1)).toBe('fencing');
    expect(nodes.checker.violations).toEqual([]);
  });

  it('a node leaves and comes back; its peers go on with the same values', () => {
    const nodes = new Nodes([1, 2]);
    nodes.lock(1, 10, Mode.EX);
    nodes.run();
    nodes.lock(1, 10, Mode.CR, LockFlag.CONVERT);
    nodes.run();
    nodes.cluster.input(2, { kind: 'release', lockspace: LOCKSPACE });
    expect(nodes.run()).toEqual(['2: released']);
    nodes.create(2);
    nodes.lock(2, 20, Mode.PR);
    expect(nodes.run()).toEqual(['2: created', '2: 20 granted, value 77777777']);
    expect(nodes.checker.violations).toEqual([]);
  });

  it('a lockspace that still waits for connections of an earlier one to end is released at once', () => {
    const kinds: string[] = [];
    const dlm = new Dlm({ nodeId: 1 });
    const step = (input: DlmInput): void => dlm.step(0, input, ({ kind }) => kinds.push(kind));
    const create = { kind: 'create', lockspace: LOCKSPACE, lvbLength: 8, isFs: false } as const;
    step(create);
    step({ kind: 'start', lockspace: LOCKSPACE, members: [{ node: 1 }, { node: 2 }] });
    step({ kind: 'release', lockspace: LOCKSPACE });
    step({ kind: 'left', lockspace: LOCKSPACE });
    kinds.length = 0;
    step(create);
    expect(kinds).toEqual([]);
    step({ kind: 'release', lockspace: LOCKSPACE });
    expect(kinds).toEqual(['released']);
  });
});
