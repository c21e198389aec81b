import { type DlmOutput, invariants, LockFlag, Mode, Status } from '@quorate/dlm';
import { Checker, MILLISECOND, type Nanos, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { Cluster, changeMembers } from '../src/conformance/cluster.js';

const LOCKSPACE = 'late';
const { TIMEOUT, CONVERT, NODLCKWT, CANCEL } = LockFlag;

/** Two nodes, the second of which masters `r`. */
class TwoNodes {
  readonly heard: string[] = [];
  readonly checker = new Checker(invariants);
  readonly cluster: Cluster;

  constructor(config: { readonly isTimewarn?: boolean; readonly strictReference?: boolean } = {}) {
    const { isTimewarn = false, strictReference = false } = config;
    this.cluster = new Cluster({
      nodes: [1, 2],
      config: { strictReference },
      onOutput: (node, output) => this.#onOutput(node, output),
      onFact: (fact) => this.checker.observe(fact),
    });
    for (const node of [1, 2]) {
      this.cluster.input(node, { kind: 'create', lockspace: LOCKSPACE, lvbLength: 8, isFs: false, isTimewarn });
    }
    changeMembers(this.cluster, LOCKSPACE, [1, 2], []);
    this.cluster.settle();
    this.lock(2, 20, Mode.PR);
    this.heard.length = 0;
  }

  lock(node: number, handle: number, mode: number, flags = 0, timeout: Nanos = 0): void {
    this.cluster.input(node, { kind: 'lock', lockspace: LOCKSPACE, handle, name: 'r', mode, flags, timeout });
    this.cluster.runTo(this.cluster.now + MILLISECOND);
  }

  after(span: Nanos): string[] {
    this.cluster.runTo(this.cluster.now + span);
    return this.heard.splice(0);
  }

  #onOutput(node: number, output: DlmOutput): void {
    if (output.kind === 'cast') this.heard.push(`${node}: ${output.handle} ${output.status}`);
    if (output.kind === 'timewarn')
      this.heard.push(`${node}: ${output.handle} waits for ${output.rqmode} on ${output.resource}`);
  }
}

describe('TIMEOUT', () => {
  it.each([1, 2])('a request of node %i that is queued too long completes with ETIMEDOUT, and is gone', (node) => {
    const nodes = new TwoNodes();
    nodes.lock(node, 10, Mode.EX, TIMEOUT, 300 * MILLISECOND);
    expect(nodes.after(295 * MILLISECOND)).toEqual([]);
    expect(nodes.after(10 * MILLISECOND)).toEqual([`${node}: 10 ${Status.ETIMEDOUT}`]);
    nodes.lock(node, 11, Mode.PR);
    expect(nodes.after(MILLISECOND)).toEqual([`${node}: 11 0`]);
    expect(nodes.checker.violations).toEqual([]);
  });

  it('a conversion keeps its mode', () => {
    const nodes = new TwoNodes();
    nodes.lock(1, 10, Mode.PR);
    nodes.lock(1, 10, Mode.EX, CONVERT | TIMEOUT, 300 * MILLISECOND);
    nodes.heard.length = 0;
    expect(nodes.after(SECOND)).toEqual([`1: 10 ${Status.ETIMEDOUT}`]);
    nodes.lock(2, 21, Mode.EX, LockFlag.NOQUEUE);
    expect(nodes.after(SECOND)).toEqual([`2: 21 ${Status.EAGAIN}`]);
  });

  it('what is granted in time is left alone', () => {
    const nodes = new TwoNodes();
    nodes.lock(1, 10, Mode.EX, TIMEOUT, 300 * MILLISECOND);
    nodes.cluster.input(2, { kind: 'unlock', lockspace: LOCKSPACE, handle: 20, flags: 0 });
    expect(nodes.after(SECOND).sort()).toEqual(['1: 10 0', `2: 20 ${Status.EUNLOCK}`]);
    expect(nodes.after(10 * SECOND)).toEqual([]);
  });

  it('a cancel of the owner is no timeout', () => {
    const nodes = new TwoNodes();
    nodes.lock(1, 10, Mode.EX, TIMEOUT, 300 * MILLISECOND);
    nodes.cluster.input(1, { kind: 'unlock', lockspace: LOCKSPACE, handle: 10, flags: CANCEL });
    expect(nodes.after(SECOND)).toEqual([`1: 10 ${Status.ECANCEL}`]);
  });

  it('the time that the lockspace stands still does not count', () => {
    const nodes = new TwoNodes();
    nodes.lock(1, 10, Mode.EX, TIMEOUT, 300 * MILLISECOND);
    for (const node of [1, 2]) nodes.cluster.input(node, { kind: 'stop', lockspace: LOCKSPACE });
    expect(nodes.after(SECOND)).toEqual([]);
    changeMembers(nodes.cluster, LOCKSPACE, [1, 2], []);
    expect(nodes.after(200 * MILLISECOND)).toEqual([]);
    expect(nodes.after(200 * MILLISECOND)).toEqual([`1: 10 ${Status.ETIMEDOUT}`]);
  });

  it('Linux looks every five seconds', () => {
    const nodes = new TwoNodes({ strictReference: true });
    nodes.lock(1, 10, Mode.EX, TIMEOUT, 300 * MILLISECOND);
    expect(nodes.after(4 * SECOND)).toEqual([]);
    expect(nodes.after(SECOND)).toEqual([`1: 10 ${Status.ETIMEDOUT}`]);
  });
});

describe('TIMEWARN', () => {
  it('tells once of a lock that is queued for five seconds', () => {
    const nodes = new TwoNodes({ isTimewarn: true });
    nodes.lock(1, 10, Mode.EX);
    expect(nodes.after(4 * SECOND)).toEqual([]);
    expect(nodes.after(60 * SECOND)).toEqual(['1: 10 waits for EX on r']);
  });

  it('says nothing of a lock that asked not to be counted', () => {
    const nodes = new TwoNodes({ isTimewarn: true });
    nodes.lock(1, 10, Mode.EX, NODLCKWT);
    expect(nodes.after(60 * SECOND)).toEqual([]);
  });
});
