import { MILLISECOND, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import {
  Cpg,
  CpgError,
  type CpgInput,
  type CpgMember,
  type CpgOutput,
  MAX_LARGE_PAYLOAD_BYTES,
  MAX_PAYLOAD_BYTES,
} from '../src/cpg/index.js';
import { corosync31, type NodeId } from '../src/index.js';
import { bytesOf, Cluster } from './cluster.js';

const FAST = corosync31(2, { tokenMs: 1000 });

function synced(nodes: number): Cluster {
  const cluster = new Cluster({ nodes, timings: FAST, cpg: true });
  for (const id of cluster.ids) cluster.boot(id);
  settle(cluster);
  cluster.said.length = 0;
  return cluster;
}

function settle(cluster: Cluster): void {
  const isSynced = (): boolean =>
    cluster.isRingOf(cluster.alive) && cluster.alive.every((id) => cluster.cpg(id).inspect().isSynced);
  expect(cluster.runUntil(isSynced, 10 * SECOND)).toBe(true);
  cluster.run(100 * MILLISECOND);
}

function does(cluster: Cluster, node: NodeId, input: CpgInput): void {
  cluster.cpgInput(node, input);
  cluster.run(50 * MILLISECOND);
}

const list = (members: readonly CpgMember[], sign = ''): string =>
  members.map(({ node, pid, reason }) => `${sign}${node}/${pid}${sign === '' ? '' : `:${reason}`}`).join(' ');

/** What a node's processes were told: `pid group members +joined:reason -left:reason`, messages and rings. */
function told(cluster: Cluster, node: NodeId): string[] {
  return cluster.said.flatMap(({ node: teller, output }) => (teller === node ? lineOf(output as CpgOutput) : []));
}

function lineOf(output: CpgOutput): string[] {
  switch (output.kind) {
    case 'confchg': {
      const changes = [list(output.joined, '+'), list(output.left, '-')].filter((change) => change !== '');
      return [[`${output.pid} ${output.group} [${list(output.members)}]`, ...changes].join(' ')];
    }
    case 'message':
      return [`${output.pid} ${output.group} ${output.from.node}/${output.from.pid}: ${textOf(output.payload)}`];
    case 'ring-confchg':
      return [`${output.pid} ring of ${output.members.join(' ')}`];
    case 'refused':
      return output.pid === undefined ? [] : [`${output.pid} ${output.operation} refused ${output.code}`];
    default:
      return [];
  }
}

function textOf(payload: Uint8Array): string {
  return payload.length > 40 ? `${payload.length} bytes` : String.fromCharCode(...payload);
}

describe('configuration changes of a group', () => {
  it('a join is told to all members, the joiner first learns of the group and then of the ring', () => {
    const cluster = synced(3);
    does(cluster, 3, { kind: 'join', group: 'g', pid: 30 });
    does(cluster, 1, { kind: 'join', group: 'g', pid: 10 });
    does(cluster, 1, { kind: 'join', group: 'other', pid: 10 });
    expect(told(cluster, 3)).toEqual(['30 g [3/30] +3/30:1', '30 ring of 1 2 3', '30 g [1/10 3/30] +1/10:1']);
    expect(told(cluster, 1)).toEqual(['10 g [1/10 3/30] +1/10:1', '10 ring of 1 2 3', '10 other [1/10] +1/10:1']);
    expect(told(cluster, 2)).toEqual([]);
  });

  it.each([
    ['leaves', 2, { kind: 'leave', group: 'g', pid: 10 }, ['10 g [3/30] -1/10:2']],
    ['dies', 5, { kind: 'exit', pid: 10 }, []],
  ] as const)('a process that %s goes for reason %i', (_, reason, input, own) => {
    const cluster = synced(3);
    does(cluster, 1, { kind: 'join', group: 'g', pid: 10 });
    does(cluster, 3, { kind: 'join', group: 'g', pid: 30 });
    cluster.said.length = 0;
    does(cluster, 1, input);
    expect(told(cluster, 3)).toEqual([`30 g [3/30] -1/10:${reason}`]);
    expect(told(cluster, 1)).toEqual(own);
  });

  it('a node that dies takes all its processes in one list, and then the ring is told', () => {
    const cluster = synced(3);
    for (const pid of [32, 31]) does(cluster, 3, { kind: 'join', group: 'g', pid });
    does(cluster, 1, { kind: 'join', group: 'g', pid: 10 });
    does(cluster, 2, { kind: 'join', group: 'unaffected', pid: 20 });
    cluster.said.length = 0;
    cluster.crash(3);
    cluster.run(3 * SECOND);
    // As recorded: LEFT 3/x reason 3, then the ring.
    expect(told(cluster, 1)).toEqual(['10 g [1/10] -3/31:3 -3/32:3', '10 ring of 1 2']);
    expect(told(cluster, 2)).toEqual(['20 ring of 1 2']);
  });

  it('two sides of a partition lose each other, and find each other again at the merge', () => {
    const cluster = synced(4);
    for (const node of cluster.ids) does(cluster, node, { kind: 'join', group: 'g', pid: node * 10 });
    cluster.said.length = 0;
    cluster.partition([1, 2]);
    cluster.run(3 * SECOND);
    expect(told(cluster, 2)).toEqual(['20 g [1/10 2/20] -3/30:3 -4/40:3', '20 ring of 1 2']);
    expect(told(cluster, 3)).toEqual(['30 g [3/30 4/40] -1/10:3 -2/20:3', '30 ring of 3 4']);
    cluster.said.length = 0;
    cluster.heal();
    settle(cluster);
    expect(told(cluster, 2)).toEqual(['20 g [1/10 2/20 3/30 4/40] +3/30:4 +4/40:4', '20 ring of 1 2 3 4']);
    expect(told(cluster, 3)).toEqual(['30 g [1/10 2/20 3/30 4/40] +1/10:4 +2/20:4', '30 ring of 1 2 3 4']);
    expect(cluster.checker.violations).toEqual([]);
  });

  it('a process that died while it was cut off is gone after the merge', () => {
    const cluster = synced(3);
    for (const node of [1, 3]) does(cluster, node, { kind: 'join', group: 'g', pid: node * 10 });
    cluster.partition([3]);
    cluster.run(3 * SECOND);
    cluster.said.length = 0;
    does(cluster, 3, { kind: 'exit', pid: 30 });
    cluster.heal();
    settle(cluster);
    expect(told(cluster, 1)).toEqual(['10 ring of 1 2 3']);
    expect(cluster.cpg(1).inspect().processes).toEqual(['1/10 g']);
  });
});

describe('messages', () => {
  it('go to the members of the group only, in one order, from the join to the leave', () => {
    const cluster = synced(3);
    for (const node of [1, 2]) does(cluster, node, { kind: 'join', group: 'g', pid: node * 10 });
    does(cluster, 3, { kind: 'join', group: 'other', pid: 30 });
    cluster.said.length = 0;
    for (const [node, text] of [
      [1, 'a'],
      [2, 'b'],
      [1, 'c'],
    ] as const) {
      cluster.cpgInput(node, { kind: 'mcast', group: 'g', pid: node * 10, payload: bytesOf(text) });
    }
    cluster.run(SECOND);
    const order = told(cluster, 1).map((line) => line.slice(5));
    expect([...order].sort()).toEqual(['1/10: a', '1/10: c', '2/20: b']);
    expect(told(cluster, 2).map((line) => line.slice(5))).toEqual(order);
    expect(told(cluster, 3)).toEqual([]);
    does(cluster, 2, { kind: 'leave', group: 'g', pid: 20 });
    cluster.said.length = 0;
    does(cluster, 1, { kind: 'mcast', group: 'g', pid: 10, payload: bytesOf('d') });
    expect([told(cluster, 1), told(cluster, 2)]).toEqual([['10 g 1/10: d'], []]);
  });

  it('of the greatest length arrive whole', () => {
    const cluster = synced(2);
    for (const node of [1, 2]) does(cluster, node, { kind: 'join', group: 'g', pid: node * 10 });
    cluster.said.length = 0;
    cluster.cpgInput(1, { kind: 'mcast', group: 'g', pid: 10, payload: new Uint8Array(MAX_PAYLOAD_BYTES).fill(7) });
    cluster.run(2 * SECOND);
    expect(told(cluster, 2)).toEqual([`20 g 1/10: ${MAX_PAYLOAD_BYTES} bytes`]);
    const tooLong = new Uint8Array(MAX_LARGE_PAYLOAD_BYTES + 1);
    expect(() => cluster.cpgInput(1, { kind: 'mcast', group: 'g', pid: 10, payload: tooLong })).toThrow(RangeError);
  });

  it('that are not delivered yet make more than 2 MiB be refused, until they are', () => {
    const cluster = synced(2);
    does(cluster, 1, { kind: 'join', group: 'g', pid: 10 });
    cluster.said.length = 0;
    const big: CpgInput = { kind: 'mcast', group: 'g', pid: 10, payload: new Uint8Array(MAX_PAYLOAD_BYTES) };
    for (let i = 0; i < 3; i++) cluster.cpgInput(1, big);
    expect(told(cluster, 1)).toEqual([`10 mcast refused ${CpgError.tryAgain}`]);
    cluster.run(3 * SECOND);
    cluster.cpgInput(1, big);
    cluster.run(3 * SECOND);
    expect(told(cluster, 1).slice(1)).toEqual(new Array(3).fill(`10 g 1/10: ${MAX_PAYLOAD_BYTES} bytes`));
    expect(cluster.cpg(1).inspect().inFlightBytes).toBe(0);
  });
});

it('a process that dies before its join is through makes the next one of its pid wait', () => {
  const cluster = synced(2);
  does(cluster, 2, { kind: 'join', group: 'g', pid: 20 });
  cluster.said.length = 0;
  cluster.cpgInput(1, { kind: 'join', group: 'g', pid: 10 });
  cluster.cpgInput(1, { kind: 'exit', pid: 10 });
  // Taken, it would be told that it left, when it was the other one, and hear messages from then on.
  cluster.cpgInput(1, { kind: 'join', group: 'g', pid: 10 });
  expect(told(cluster, 1)).toEqual([`10 join refused ${CpgError.tryAgain}`]);
  cluster.run(SECOND);
  expect(told(cluster, 2)).toEqual(['20 g [1/10 2/20] +1/10:1', '20 g [2/20] -1/10:5']);
  does(cluster, 1, { kind: 'join', group: 'g', pid: 10 });
  expect(told(cluster, 1).at(-2)).toBe('10 g [1/10 2/20] +1/10:1');
});

describe('messages that are too long for one go in fragments', () => {
  const length = 5 * MAX_PAYLOAD_BYTES + 17;
  const large: CpgInput = {
    ...{ kind: 'mcast', group: 'g', pid: 10 },
    payload: Uint8Array.from({ length }, (_, i) => i ^ (i >> 8)),
  };

  function pairOfMembers(): Cluster {
    const cluster = synced(3);
    for (const node of [1, 2]) does(cluster, node, { kind: 'join', group: 'g', pid: node * 10 });
    cluster.said.length = 0;
    return cluster;
  }

  it('and arrive whole, one after the other', () => {
    const cluster = pairOfMembers();
    cluster.cpgInput(1, large);
    cluster.cpgInput(1, { kind: 'mcast', group: 'g', pid: 10, payload: bytesOf('too early') });
    cluster.cpgInput(1, { kind: 'leave', group: 'g', pid: 10 });
    cluster.run(5 * SECOND);
    expect(told(cluster, 2)).toEqual([`20 g 1/10: ${length} bytes`]);
    expect(told(cluster, 1)).toEqual([
      `10 mcast refused ${CpgError.tryAgain}`,
      `10 leave refused ${CpgError.busy}`,
      `10 g 1/10: ${length} bytes`,
    ]);
    const [payload] = cluster.said.flatMap(({ output }) => (output.kind === 'message' ? [output.payload] : []));
    expect(payload!.every((byte, i) => byte === ((i ^ (i >> 8)) & 0xff))).toBe(true);
    does(cluster, 1, { kind: 'mcast', group: 'g', pid: 10, payload: bytesOf('now') });
    expect(told(cluster, 2).at(-1)).toBe('20 g 1/10: now');
  });

  it('unless the group changes meanwhile', () => {
    const cluster = pairOfMembers();
    cluster.cpgInput(1, large);
    cluster.cpgInput(3, { kind: 'join', group: 'g', pid: 30 });
    cluster.run(5 * SECOND);
    expect(told(cluster, 1)).toEqual(['10 g [1/10 2/20 3/30] +3/30:1', `10 mcast refused ${CpgError.interrupt}`]);
    expect(told(cluster, 2)).toEqual(['20 g [1/10 2/20 3/30] +3/30:1']);
    does(cluster, 1, { kind: 'mcast', group: 'g', pid: 10, payload: bytesOf('after it') });
    expect(told(cluster, 2).at(-1)).toBe('20 g 1/10: after it');
  });
});

it('nobody is sent for while totem’s queue is critically full', () => {
  const cluster = synced(1);
  does(cluster, 1, { kind: 'join', group: 'g', pid: 10 });
  for (let i = 0; i < 4; i++) {
    cluster.input(1, { kind: 'cast', group: 'x', payload: new Uint8Array(800_000), afterSync: true });
  }
  const levels = (): unknown[] =>
    cluster.said.flatMap(({ output }) => (output.kind === 'queue-level' ? [output.level] : []));
  expect(levels().at(-1)).toBe('critical');
  cluster.said.length = 0;
  cluster.run(0);
  cluster.cpgInput(1, { kind: 'mcast', group: 'g', pid: 10, payload: bytesOf('x') });
  expect(told(cluster, 1)).toEqual([`10 mcast refused ${CpgError.tryAgain}`]);
  cluster.run(2 * SECOND);
  expect(levels()).toEqual(['high', 'good', 'low']);
  cluster.cpgInput(1, { kind: 'mcast', group: 'g', pid: 10, payload: bytesOf('y') });
  cluster.run(SECOND);
  expect(told(cluster, 1).at(-1)).toBe('10 g 1/10: y');
});

describe('a node that comes with a process and dies while its ring is synchronised leaves no ghost', () => {
  // Its service build, its lists in two packets, its barrier.
  it.each([1, 2, 3, 4])('behind its packet %i of the new ring', (packets) => {
    const cluster = synced(3);
    for (const node of cluster.ids) does(cluster, node, { kind: 'join', group: 'g', pid: node * 10 });
    cluster.partition([3]);
    cluster.run(4 * SECOND);
    cluster.said.length = 0;
    let sent = 0;
    cluster.onFact = (fact) => {
      if (fact.kind === 'totem.configuration' && fact.node === 3) sent = 0;
      if (fact.kind !== 'totem.sent' || fact.node !== 3) return;
      sent += 1;
      const { members } = cluster.totem(3).inspect();
      if (members.length === 3 && sent === packets) cluster.at(cluster.now, () => cluster.crash(3));
    };
    cluster.heal();
    cluster.run(10 * SECOND);
    expect(cluster.alive).toEqual([1, 2]);
    expect(cluster.isRingOf([1, 2])).toBe(true);
    for (const node of [1, 2]) {
      expect(cluster.cpg(node).inspect()).toMatchObject({ isSynced: true, processes: ['1/10 g', '2/20 g'] });
      const changes = told(cluster, node).filter((line) => / g \[/.test(line));
      // Who was told that it came is told that it went.
      expect([[], [expect.stringMatching(/\+3\/30:4$/), expect.stringMatching(/-3\/30:3$/)]]).toContainEqual(changes);
    }
    expect(cluster.checker.violations).toEqual([]);
  });
});

describe('calls before a ring is synchronised', () => {
  it('wait for it by default, in their order', () => {
    const cluster = new Cluster({ nodes: 1, timings: FAST, cpg: true });
    cluster.boot(1);
    cluster.cpgInput(1, { kind: 'join', group: 'g', pid: 10 });
    cluster.cpgInput(1, { kind: 'mcast', group: 'g', pid: 10, payload: bytesOf('early') });
    cluster.run(SECOND);
    expect(told(cluster, 1)).toEqual(['10 g [1/10] +1/10:1', '10 ring of 1', '10 g 1/10: early']);
  });

  it('are refused with TRY_AGAIN if it is wanted as in the library', () => {
    const outputs: CpgOutput[] = [];
    const cpg = new Cpg({ nodeId: 1, duringSync: 'refuse' });
    cpg.step(0, { kind: 'join', group: 'g', pid: 10 }, (output) => outputs.push(output));
    expect(outputs).toEqual([{ kind: 'refused', group: 'g', pid: 10, operation: 'join', code: CpgError.tryAgain }]);
  });
});

it.each([
  ['join twice', [{ kind: 'join', group: 'g', pid: 1 }], { kind: 'join', group: 'g', pid: 1 }, CpgError.exist],
  ['leave without join', [], { kind: 'leave', group: 'g', pid: 1 }, CpgError.notExist],
  ['mcast without join', [], { kind: 'mcast', group: 'g', pid: 1, payload: bytesOf('x') }, CpgError.notExist],
  ['a name of 129 bytes', [], { kind: 'join', group: 'g'.repeat(129), pid: 1 }, CpgError.nameTooLong],
] as const)('refused: %s', (_, before, input, code) => {
  const cluster = synced(1);
  for (const first of before) does(cluster, 1, first);
  cluster.said.length = 0;
  cluster.cpgInput(1, input);
  expect(told(cluster, 1)).toEqual([`1 ${input.kind} refused ${code}`]);
});

it.each([
  ['join', CpgError.busy],
  ['leave', CpgError.notExist],
] as const)('refused: %s while a leave is on its way', (kind, code) => {
  const cluster = synced(1);
  does(cluster, 1, { kind: 'join', group: 'g', pid: 1 });
  cluster.said.length = 0;
  cluster.cpgInput(1, { kind: 'leave', group: 'g', pid: 1 });
  cluster.cpgInput(1, { kind, group: 'g', pid: 1 });
  expect(told(cluster, 1)).toEqual([`1 ${kind} refused ${code}`]);
});
