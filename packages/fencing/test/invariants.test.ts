import { Checker, SECOND, type Stamped } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { type FenceConf, type FencedFact, invariants } from '../src/index.js';
import { HOW, MessageType } from '../src/message.js';
import { GroupBus } from './group-bus.js';

type Told = FencedFact extends infer F ? (F extends FencedFact ? Omit<F, 'now'> : never) : never;

let at = 0;
function fact(node: number, told: Told, life = 1): Stamped<FencedFact> {
  at += SECOND;
  return { ...told, now: at, node, life, seq: at, at } as Stamped<FencedFact>;
}

function violated(facts: readonly Stamped<FencedFact>[]): string[] {
  const checker = new Checker(invariants);
  for (const each of facts) checker.observe(each);
  checker.end(at);
  return [...new Set(checker.violations.map(({ invariant, message }) => `${invariant}: ${message}`))];
}

const victim = (node: number, of: number) => fact(node, { kind: 'fenced.victim', victim: of, isInit: false });
const refused = (node: number, peer: number) => fact(node, { kind: 'fenced.start-refused', peer });
const state = (
  node: number,
  members: number[],
  changes: { state?: 'quorum' | 'messages' | 'fencing' | 'none' | 'left' } = {},
) =>
  fact(node, { kind: 'fenced.state', state: 'fencing', master: 1, members, isQuorate: true, victims: [], ...changes });
/** Both have ended a start cycle, each in a half of its own. */
const halves = () => [1, 2].map((node) => state(node, [node], { state: 'none' }));
const started = (node: number, of: number, changes = {}) =>
  fact(node, {
    kind: 'fenced.fencing-started',
    victim: of,
    attempt: 1,
    master: node,
    isQuorate: true,
    clusterMembers: [1, 2],
    isClean: false,
    ...changes,
  });
const ended = (node: number, of: number, isSuccess = true) =>
  fact(node, { kind: 'fenced.attempt-ended', victim: of, attempt: 1, isSuccess });
const fenced = (node: number, of: number, by: number, how: (typeof HOW)[number] = 'agent') =>
  fact(node, { kind: 'fenced.fenced', victim: of, how, master: by });

describe('a good history', () => {
  it('violates nothing', () => {
    const history = [
      state(1, [1, 2, 3]),
      victim(1, 3),
      victim(2, 3),
      state(1, [1, 2]),
      started(1, 3),
      ended(1, 3, false),
      started(1, 3, { attempt: 2 }),
      ended(1, 3),
      fenced(1, 3, 1),
      fenced(2, 3, 1),
      victim(1, 4),
      fenced(1, 4, 1, 'member'),
      fenced(2, 4, 1, 'override'),
    ];
    expect(violated(history)).toEqual([]);
  });

  it('counts two halves that refuse each other until one is gone', () => {
    const checker = new Checker(invariants);
    const waits = state(1, [1, 2], { state: 'messages' });
    const without2 = state(1, [1], { state: 'quorum' });
    for (const each of [...halves(), waits, refused(1, 2), without2, state(1, [1])]) checker.observe(each);
    expect(checker.violations).toEqual([]);
    expect(checker.counts.get('fence-standoff')?.times).toBe(1);
  });

  it('may have a victim that came back into the domain and died again before the master had dealt with it', () => {
    expect(violated([victim(1, 3), state(1, [1, 2, 3]), started(1, 3)])).toEqual([]);
  });

  it('may have a START that comes late, from a life before', () => {
    const reset = fact(2, { ...state(2, [2], { state: 'messages' }) }, 2);
    expect(violated([...halves(), reset, refused(1, 2)])).toEqual([]);
  });

  it('is that of the machines, through failures, retries and a partition', () => {
    const bus = busOf();
    for (const node of [1, 2, 3, 4, 5]) bus.boot(node);
    for (const node of [1, 2, 3, 4, 5]) bus.input(node, { kind: 'join' });
    bus.run(20 * SECOND);
    bus.kill(5);
    bus.run(25 * SECOND);
    bus.split([1], [2, 3, 4]);
    bus.run(40 * SECOND);
    bus.merge();
    bus.run(60 * SECOND);
    expect(bus.facts.some(({ kind }) => kind === 'fenced.fencing-started')).toBe(true);
    expect(violated(bus.facts)).toEqual([]);
  });
});

describe('planted', () => {
  it.each([
    [
      'somebody else than the master fences',
      [victim(2, 3), started(2, 3, { master: 1 })],
      'fencing.F1: node 2: fences node 3 though node 1 is the master of its domain',
    ],
    [
      'without quorum',
      [victim(1, 3), started(1, 3, { isQuorate: false })],
      'fencing.F2: node 1: fences node 3 without quorum',
    ],
    [
      'a victim that is back',
      [victim(1, 3), started(1, 3, { isClean: true, clusterMembers: [1, 2, 3] })],
      'fencing.F3: node 1: fences node 3, which came back clean',
    ],
    ['no victim at all', [state(1, [1, 2]), started(1, 3)], 'fencing.F4: node 1: fences node 3, no victim'],
    [
      'a victim that is done with',
      [victim(1, 3), fenced(1, 3, 1, 'member'), started(1, 3)],
      'fencing.F4: node 1: fences node 3, no victim',
    ],
    [
      'a member of the own domain',
      [victim(1, 3), state(1, [1, 2, 3]), started(1, 3, { clusterMembers: [1, 2, 3] })],
      'fencing.F4: node 1: fences node 3, a member of its own domain',
    ],
    [
      'a victim of a life before',
      [victim(1, 3), fact(1, { ...started(1, 3) }, 2)],
      'fencing.F4: node 1: fences node 3, no victim',
    ],
    [
      'success that nobody had',
      [victim(1, 3), started(1, 3), ended(1, 3, false), fenced(2, 3, 1)],
      'fencing.F5: node 2: takes node 3 for fenced by node 1, which did not',
    ],
    [
      'a cycle that ends with a member that was refused',
      [...halves(), refused(1, 2), state(1, [1, 2], { state: 'messages' }), state(1, [1, 2])],
      'fencing.F6: node 1: goes on with node 2, whose START it refused',
    ],
    [
      'the START of a newcomer is refused',
      [state(1, [1], { state: 'none' }), state(2, [1, 2], { state: 'messages' }), refused(1, 2)],
      'fencing.F6: node 1: refuses the START of node 2, but node 2 has ended no start cycle',
    ],
    [
      'a node that was reset refuses the START of those that went on',
      [...halves(), fact(1, { ...state(1, [1, 2], { state: 'messages' }) }, 2), fact(1, { ...refused(1, 2) }, 2)],
      'fencing.F6: node 1: refuses the START of node 2, but node 1 has ended no start cycle',
    ],
  ])('%s', (_, facts, message) => {
    expect(violated(facts)).toEqual([message]);
  });

  it('in the machines: a network that turns "came back" into "fenced" trips F5', () => {
    const bus = busOf();
    // victim_done stands alone after the header; its `how` is at offset 40 + 16
    bus.tamper = (payload) => {
      if (payload[6] === MessageType.VICTIM_DONE) payload[56] = HOW.indexOf('agent');
      return payload;
    };
    bus.agent = () => ({ takes: SECOND, status: 1 });
    for (const node of [1, 2, 3]) bus.boot(node);
    for (const node of [1, 2, 3]) bus.input(node, { kind: 'join' });
    bus.run(2 * SECOND);
    bus.kill(3);
    bus.run(4 * SECOND);
    bus.boot(3);
    bus.run(20 * SECOND);
    expect(violated(bus.facts)).toContain('fencing.F5: node 2: takes node 3 for fenced by node 1, which did not');
  });
});

function busOf(): GroupBus {
  const nodes = [1, 2, 3, 4, 5];
  const conf: FenceConf = {
    nodes: nodes.map((nodeId) => ({
      nodeId,
      name: `my-vm${nodeId}`,
      fenceMethods: [{ name: 'scsi', devices: [{ name: 'pr', arguments: new Map() }] }],
      unfenceDevices: [],
    })),
    devices: [{ name: 'pr', agent: 'fence_scsi', arguments: new Map([['agent', 'fence_scsi']]) }],
  };
  return new GroupBus({ nodes, conf, config: { daemon: { isCleanStart: true } }, votes: () => true });
}
