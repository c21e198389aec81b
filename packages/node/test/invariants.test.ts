import type { ControldFact, DlmFact } from '@quorate/dlm';
import type { FencedFact } from '@quorate/fencing';
import type { Gfs2Fact } from '@quorate/gfs2';
import { Checker, type NodeStateFact, type PowerState, SECOND, type Stamped } from '@quorate/kernel';
import type { IpFact } from '@quorate/network';
import type { QuorumFact } from '@quorate/quorum';
import type { RgFact } from '@quorate/rgmanager';
import type { ScsiFact } from '@quorate/scsi';
import type { TotemFact } from '@quorate/totem';
import { describe, expect, it } from 'vitest';
import { invariants, type NodeFact } from '../src/index.js';

type StackFact =
  | NodeStateFact
  | NodeFact
  | QuorumFact
  | TotemFact
  | FencedFact
  | DlmFact
  | ControldFact
  | Gfs2Fact
  | RgFact
  | ScsiFact
  | IpFact
  | TotemFact;
/** A fact with the fields that matter here. */
type Told = StackFact extends infer F
  ? F extends StackFact
    ? Pick<F, 'kind'> & Partial<Omit<F, 'kind' | 'now'>>
    : never
  : never;

let at = 0;
/** A fact of a node, one second after the one before it. */
function fact(node: number, told: Told, life = 1): Stamped {
  at += SECOND;
  return { ...told, now: at, node, life, seq: at, at };
}

function check(facts: readonly Stamped[]): Checker {
  const checker = new Checker(invariants);
  for (const each of facts) checker.observe(each);
  const endsAt = facts.at(-1)!.at + 15 * SECOND;
  checker.tick(endsAt);
  checker.end(endsAt);
  return checker;
}

function violated(facts: readonly Stamped[]): string[] {
  return check(facts).violations.map(({ invariant, message }) => `${invariant}: ${message}`);
}

const power = (node: number, state: PowerState, life = 1) => fact(node, { kind: 'node.state', state }, life);
const quorum = (node: number, isQuorate: boolean, members: readonly number[] = [node], seq = 4) =>
  fact(node, {
    kind: 'quorum.changed',
    isQuorate,
    ring: { representative: members[0]!, seq },
    members: members.map((each) => ({ node: each, votes: 1 })),
  });
const fencing = (node: number, victim: number, changes: { isClean?: boolean; clusterMembers?: number[] } = {}) =>
  fact(node, { kind: 'fenced.fencing-started', victim, isClean: false, clusterMembers: [node], ...changes });
const fenced = (node: number, victim: number, how: 'agent' | 'member' | 'override' = 'agent') =>
  fact(node, { kind: 'fenced.fenced', victim, how });
const failed = (node: number, victim: number, lockspace = 'rgmanager') =>
  fact(node, { kind: 'dlm.node-failed', lockspace, failed: victim });
const recovered = (node: number, members: readonly number[] = [node], lockspace = 'storage') =>
  fact(node, { kind: 'dlm.recovered', lockspace, members });
const stopped = (node: number) => fact(node, { kind: 'dlm.stopped', lockspace: 'storage' });
const mounted = (node: number) => fact(node, { kind: 'gfs2.mounted', jid: 0, isFirst: true });
const replayed = (node: number, wasDirty: boolean, result: 'done' | 'gave-up') =>
  fact(node, { kind: 'gfs2.journal-recovered', filesystem: 'storage', jid: 1, wasDirty, result });
const agent = (node: number, action: string) => fact(node, { kind: 'rg.agent-started', service: 'web', action });
const attempted = (node: number, victim: number, isSuccess = true) =>
  fact(node, { kind: 'fenced.attempt-ended', victim, attempt: 1, isSuccess });
const reserved = (lun: number, type: number, preempted: readonly number[] = []) =>
  fact(0, { kind: 'scsi.reservation-changed', lun, type, preempted });
const registers = (nexus: number) =>
  fact(0, { kind: 'scsi.reservation-changed', lun: 0, type: 5, action: 'register-and-ignore', nexus, preempted: [] });
const mounting = (node: number, life = 1) => fact(node, { kind: 'gfs2.mounting', jid: 0 }, life);
const ringState = (node: number, state: 'gather' | 'operational') => fact(node, { kind: 'totem.state', state });
const inRing = (node: number, ring: string, members: readonly number[]) =>
  fact(node, { kind: 'totem.configuration', type: 'regular', ring, members });
const written = (nexus: number, lun = 0) => fact(0, { kind: 'scsi.written', nexus, lun, lba: 64 });
const added = (node: number, address = '10.156.76.58/22') => fact(node, { kind: 'network.address-added', address });
const removed = (node: number, address = '10.156.76.58/22') => fact(node, { kind: 'network.address-removed', address });
const serving = (node: number, members: readonly number[]) => fact(node, { kind: 'rg.members', members });

const requestEnded = (node: number) =>
  fact(node, { kind: 'rg.request-ended', service: 'web', request: 'start', code: 0 });
const request = (node: number) =>
  fact(node, { kind: 'rg.request-started', service: 'web', request: 'start', target: 1, isAnswered: false });
const operation = (node: number, name: string) =>
  fact(node, { kind: 'rg.operation-started', service: 'web', operation: name });

describe('S11: quorum first', () => {
  it('counts what a lockspace without failed members does not wait for', () => {
    const checker = check([quorum(1, true), quorum(1, false), recovered(1), mounted(1)]);
    expect(checker.violations).toEqual([]);
    for (const name of ['recovery-without-quorum', 'mount-without-quorum']) {
      expect(checker.counts.get(name)?.times, name).toBe(1);
    }
  });

  // Found by storm 33 (swarm).
  it('counts agents of a start that outlives the quorum', () => {
    const checker = check([quorum(1, true), request(1), quorum(1, false), agent(1, 'start')]);
    expect(checker.violations).toEqual([]);
    expect(checker.counts.get('svc-start-outlives-quorum')?.times).toBe(1);
  });

  it.each([
    ['fencing', [quorum(1, true), fencing(1, 2)]],
    ['start', [quorum(1, true), agent(1, 'start')]],
    ['a stop needs no quorum', [quorum(1, false), agent(1, 'stop'), agent(1, 'status')]],
    ['a paused node believes what it believed', [quorum(1, true), power(1, 'paused'), power(1, 'up'), fencing(1, 2)]],
  ])('holds: %s', (_, facts) => {
    expect(violated(facts)).toEqual([]);
  });

  it.each([
    [
      'starts a service in a new life',
      [quorum(1, true), power(1, 'off'), power(1, 'up', 2), agent(1, 'start')],
      'S11: rg.agent-started on a node without quorum',
    ],
    [
      'takes up a start without it',
      [quorum(1, true), quorum(1, false), request(1), agent(1, 'start')],
      'S11: rg.agent-started on a node without quorum',
    ],
    [
      'starts an agent after the request that had quorum has ended',
      [quorum(1, true), request(1), requestEnded(1), quorum(1, false), agent(1, 'start')],
      'S11: rg.agent-started on a node without quorum',
    ],
    [
      'goes on after it was killed',
      [quorum(1, true), fact(1, { kind: 'quorum.killed', by: 2 }), agent(1, 'start')],
      'S11: rg.agent-started on a node without quorum',
    ],
    [
      'goes on after it left',
      [quorum(1, true), fact(1, { kind: 'quorum.left' }), agent(1, 'start')],
      'S11: rg.agent-started on a node without quorum',
    ],
  ])('is violated by a node that %s', (_, facts, message) => {
    expect(violated(facts)).toEqual([message]);
  });
});

describe('S12: fencing before recovery', () => {
  const recovers = (node: number, lockspace = 'rgmanager') => recovered(node, [node], lockspace);
  const start = [quorum(1, true), quorum(3, true), failed(1, 2), failed(3, 2)];

  it.each([
    [
      'locks, journal and service come after it',
      [fenced(1, 2), recovers(1), replayed(3, true, 'done'), agent(3, 'start')],
    ],
    ['whom an administrator vouches for counts as fenced', [fenced(1, 2, 'override'), recovers(1)]],
    ['a clean journal has nothing to recover', [replayed(1, false, 'done'), replayed(1, true, 'gave-up')]],
    ['services that were there stop', [agent(1, 'stop')]],
    // Found by storm 44 (swarm): the start was under way before the node failed.
    ['a start was taken up before', [fenced(1, 2), request(1), failed(1, 4), agent(1, 'start')]],
    // Service chaos, seed 1272: its owner had the next version of the configuration, in which a script is new.
    ['a service is changed where it runs', [request(3), operation(3, 'condstart'), agent(3, 'start')]],
    ['who failed had no rgmanager yet', [fenced(1, 2), failed(1, 4, 'storage'), request(1), agent(1, 'start')]],
    ['a lockspace recovers that the dead node was not in', [recovers(1, 'storage')]],
    // Found by storm 0xf6 (swarm): the dead had withdrawn from the file system before, and another one does.
    ['a journal is replayed of a file system that the dead node had left', [replayed(1, true, 'done')]],
    ['who is off has nothing pending in its next life', [power(1, 'off'), quorum(1, true), recovers(1)]],
  ])('holds: %s', (_, facts) => {
    expect(violated([...start, ...facts])).toEqual([]);
  });

  it.each([
    ['recovers locks', recovers(1), 'S12: dlm.recovered while 2 is not fenced'],
    ['replays a journal', replayed(1, true, 'done'), 'S12: gfs2.journal-recovered while 2 is not fenced'],
    ['starts a service', agent(3, 'start'), 'S12: rg.agent-started while 2 is not fenced'],
  ])('is violated by a node that %s', (_, last, message) => {
    expect(violated([...start, failed(1, 2, 'storage'), request(3), last])).toEqual([message]);
  });

  it('is violated by a node that starts a service when it could not be mended in place', () => {
    const mended = [request(3), operation(3, 'condstart'), agent(3, 'start'), operation(3, 'stop')];
    expect(violated([...start, ...mended, operation(3, 'start'), agent(3, 'start')])).toEqual([
      'S12: rg.agent-started while 2 is not fenced',
    ]);
  });

  it('is violated by a start for one who failed in both lockspaces, one after the other', () => {
    const facts = [failed(1, 2, 'rgmanager'), failed(1, 2, 'storage'), request(1), agent(1, 'start')];
    expect(violated([quorum(1, true), ...facts])).toEqual(['S12: rg.agent-started while 2 is not fenced']);
  });

  it('is violated when one of two victims is fenced', () => {
    expect(violated([...start, failed(1, 4), fenced(1, 2), recovers(1)])).toEqual([
      'S12: dlm.recovered while 4 is not fenced',
    ]);
  });
});

describe('S14: who fences whom', () => {
  it.each([
    ['somebody outside', [quorum(1, true), fencing(1, 2)]],
    [
      'a member with state, which came back without a reboot',
      [quorum(1, true), fencing(1, 2, { clusterMembers: [1, 2] })],
    ],
    ['a clean one that is no member any more', [quorum(1, true), fencing(1, 2, { isClean: true })]],
  ])('holds: %s', (_, facts) => {
    expect(violated(facts)).toEqual([]);
  });

  it('is violated without quorum, as is S11', () => {
    expect(violated([quorum(1, false), fencing(1, 2)])).toEqual([
      'S11: fenced.fencing-started on a node without quorum',
      'S14: fences 2 without quorum',
    ]);
  });

  it('is violated by fencing a clean member', () => {
    expect(violated([quorum(1, true), fencing(1, 2, { isClean: true, clusterMembers: [1, 2] })])).toEqual([
      'S14: fences 2, which is a clean member of its own cluster',
    ]);
  });
});

describe('S27a: one side writes', () => {
  const start = [power(1, 'up'), power(2, 'up'), reserved(0, 5)];
  const attempting = [quorum(1, true), fencing(1, 2)];

  it.each([
    ['before it is fenced', [written(2), attempted(1, 2)]],
    ['in its next life', [attempted(1, 2), power(2, 'off'), power(2, 'up', 2), written(2)]],
    // Found by storm 0x4ff (swarm): its init script registered it between the preemption and the agent's end.
    [
      'that has registered while the agent that had preempted it was not back yet',
      [...attempting, reserved(0, 5, [2]), registers(2), attempted(1, 2), mounting(2), written(2)],
    ],
    ['to a disk that nobody reserved', [attempted(1, 2), written(2, 1)]],
    ['after the reservation was released', [attempted(1, 2), reserved(0, 0), written(2)]],
    ['although somebody tried to fence it', [attempted(1, 2, false), written(2)]],
    [
      'in its next life, and others learn late that it was fenced',
      [attempted(1, 2), power(2, 'up', 2), fenced(3, 2), written(2)],
    ],
    ['as the one that is left', [attempted(1, 2), written(1)]],
    // Found by storm 10 (swarm): who becomes quorate first fences those that are still booting.
    ['that was fenced while it booted, and registers', [attempted(1, 2), registers(2), mounting(2), written(2)]],
    // Found by storm 23 (gray): the ring stood still between the agent's success and the news of it.
    [
      'that has registered before the news of its fencing came round',
      [attempted(1, 2), registers(2), fenced(1, 2), mounting(2), written(2)],
    ],
  ])('holds: a node writes %s', (_, facts) => {
    expect(violated([...start, ...facts])).toEqual([]);
  });

  it.each([
    ['a fenced node writes', [attempted(1, 2), written(2)]],
    ['it was paused meanwhile', [power(2, 'paused'), attempted(1, 2), power(2, 'up'), written(2)]],
    ['it registers again with a file system mounted', [mounting(2), attempted(1, 2), registers(2), written(2)]],
    ['it registers before it is fenced', [registers(2), attempted(1, 2), written(2)]],
    [
      'it registers before it is preempted',
      [...attempting, registers(2), reserved(0, 5, [2]), attempted(1, 2), written(2)],
    ],
    [
      'it registers while the agent is at it, with a file system mounted',
      [mounting(2), ...attempting, reserved(0, 5, [2]), registers(2), attempted(1, 2), written(2)],
    ],
    ['the agent has preempted nobody', [...attempting, registers(2), attempted(1, 2), written(2)]],
  ])('is violated: %s', (_, facts) => {
    expect(violated([...start, ...facts])).toEqual(['S27a: block 64 written by 2, fenced in this life']);
  });
});

describe('S27b: one address, one node', () => {
  it.each([
    ['it moves', [added(1), removed(1), added(2)]],
    ['its node lost its power', [added(1), power(1, 'off'), added(2)]],
    ['each node has its own', [added(1, '10.156.76.74/22'), added(2, '10.156.76.92/22')]],
  ])('holds: %s', (_, facts) => {
    expect(violated(facts)).toEqual([]);
    expect(check(facts).counts.size).toBe(0);
  });

  it.each([
    ['the old owner stops', () => removed(1)],
    ['the old owner is off', () => power(1, 'off')],
  ])('counts the time from fencing until %s', (_, end) => {
    const checker = check([added(1), reserved(0, 5, [1]), added(2), end()]);
    expect(checker.violations).toEqual([]);
    expect(checker.counts.get('svc-dup-address')).toEqual({ times: 1, largest: SECOND });
  });

  it.each([
    ['two nodes have it', [added(1), added(2)]],
    [
      'the old owner is taken for fenced, and its key is on the disk',
      [added(1), attempted(2, 1), fenced(2, 1), added(2)],
    ],
    [
      'the one that was fenced has booted again',
      [added(1), power(2, 'off'), reserved(0, 5, [2]), power(2, 'booting', 2), added(2)],
    ],
  ])('is violated: %s', (_, facts) => {
    expect(violated(facts)).toEqual(['S27b: 10.156.76.58/22 is on 1 and 2']);
  });
});

describe('S30: one view', () => {
  const [both, same] = [
    [1, 2],
    [quorum(1, true, [1, 2]), quorum(2, true, [1, 2])],
  ] as const;

  it.each([
    [
      'of members, lockspaces and services',
      [...same, recovered(1, both), recovered(2, both), serving(1, both), serving(2, both)],
    ],
    ['two partitions may differ', [quorum(1, true, [1]), quorum(2, true, [2], 8)]],
    [
      'without quorum nobody is asked',
      [quorum(1, false, [1, 2]), quorum(2, true, [1, 2]), serving(1, [1]), serving(2, both)],
    ],
    [
      'a lockspace that is stopped or left counts for nothing',
      [...same, recovered(1, [1]), stopped(1), recovered(2, both)],
    ],
    [
      'who has left rgmanager has no view',
      [...same, serving(1, both), fact(1, { kind: 'rg.exited' }), serving(2, [2])],
    ],
    // Found by storm 12 (swarm).
    [
      'who ends its rgmanager hears of nobody any more',
      [...same, serving(1, both), fact(1, { kind: 'rg.stopping' }), serving(1, [1]), serving(2, [1, 2, 3])],
    ],
    // Found by storm 20 (gray).
    [
      'who has killed a dead node is ahead of the others until the next ring',
      [
        ...[1, 2, 3].map((node) => inRing(node, '1.4', [1, 2, 3])),
        ...[1, 2].map((node) => quorum(node, true, [1, 2, 3])),
        ...[power(3, 'off'), fact(1, { kind: 'quorum.kill', victim: 3 }), quorum(1, true, [1, 2])],
      ],
    ],
    [
      'who has just been given a ring may not have heard from all its members',
      [...same, inRing(1, '1.8', [1, 2]), inRing(2, '1.8', [1, 2]), quorum(2, true, [1], 8)],
    ],
    [
      'who has lost its corosync is in no ring, and runs no rgmanager',
      [
        ...[inRing(1, '1.4', both), inRing(2, '1.4', both), ...same, serving(1, both), serving(2, both)],
        ...[fact(2, { kind: 'node.corosync-killed' }), fact(2, { kind: 'rg.exited' })],
      ],
    ],
    // Found by storm 5 (swarm): one has told cman to kill a node, and the ring that would tell the other is not whole.
    ['nobody is asked while its ring is not whole', [...same, ringState(1, 'gather'), quorum(2, true, [1, 2, 3])]],
    // It held the token, and is missed only when the token is lost.
    ...[power(3, 'off'), power(3, 'paused'), inRing(3, '3.c', [3])].map((stopped): [string, Stamped[]] => [
      'nor while a member of it is dead or paused, or has another',
      [
        ...[1, 2, 3].map((node) => inRing(node, '1.8', [1, 2, 3])),
        ...[stopped, quorum(1, true, [1, 2]), quorum(2, true, [1, 2, 3])],
      ],
    ]),
    ['who is off or paused has none', [...same, recovered(1, both), power(1, 'paused'), recovered(2, [2])]],
  ])('holds: %s', (_, facts) => {
    expect(violated(facts)).toEqual([]);
  });

  it.each([
    ['members', [quorum(1, true, [1, 2]), quorum(2, true, [1, 2, 3])], 'members: {1 2} on 1 against {1 2 3} on 2'],
    [
      'a lockspace',
      [...same, recovered(1, both), recovered(2, [2])],
      'members of lockspace storage: {1 2} on 1 against {2} on 2',
    ],
    [
      'the others, also when a member was paused meanwhile',
      [
        ...[1, 2, 3].map((node) => inRing(node, '1.4', [1, 2, 3])),
        ...both.map((node) => quorum(node, true, [1, 2, 3])),
        ...[serving(1, both), serving(2, [2]), power(3, 'paused'), power(3, 'up'), serving(1, both)],
      ],
      'nodes that run rgmanager: {1 2} on 1 against {2} on 2',
    ],
    [
      'members, by one that goes on with what it knew of an earlier ring, among others that change',
      [
        ...same,
        inRing(1, '1.8', both),
        inRing(2, '1.8', both),
        quorum(2, true, [1], 8),
        ...Array.from({ length: 30 }, () => ringState(1, 'operational')),
      ],
      'members: {1 2} on 1 against {1} on 2',
    ],
    [
      'members, where one has told cman to kill a node that does not die',
      [
        ...[1, 2, 3].map((node) => inRing(node, '1.4', [1, 2, 3])),
        ...[1, 2, 3].map((node) => quorum(node, true, [1, 2, 3])),
        ...[fact(1, { kind: 'quorum.kill', victim: 3 }), quorum(1, true, [1, 2])],
      ],
      'members: {1 2} on 1 against {1 2 3} on 2 3',
    ],
    [
      'the others, by one that was paused',
      [
        ...both.map((node) => inRing(node, '1.4', both)),
        ...both.map((node) => quorum(node, true, both)),
        serving(1, both),
        serving(2, [2]),
        power(2, 'paused'),
        power(2, 'up'),
      ],
      'nodes that run rgmanager: {1 2} on 1 against {2} on 2',
    ],
    ['services', [...same, serving(1, both), serving(2, [2])], 'nodes that run rgmanager: {1 2} on 1 against {2} on 2'],
  ])('is violated by different views of %s', (_, facts, message) => {
    expect(violated(facts)).toEqual([`S30: ${message}`]);
  });

  it.each([
    [
      'for one that has not reckoned the votes of its ring',
      [...same, inRing(1, '1.8', both), inRing(2, '1.8', both), quorum(2, true, [1], 8)],
      'members: {1 2} on 1 against {1} on 2',
    ],
    [
      'for one that has not reckoned the votes of all members of its ring',
      [inRing(1, '1.4', both), inRing(2, '1.4', both), quorum(1, true, both), quorum(2, true, [1])],
      'members: {1 2} on 1 against {1} on 2',
    ],
    [
      'until all have heard that one has left a lockspace',
      [...same, recovered(1, both), recovered(2, both), fact(2, { kind: 'dlm.released', lockspace: 'storage' })],
      'members of lockspace storage: {1 2} on 1 against none on 2',
    ],
    [
      'until all have heard that rgmanager has ended elsewhere',
      [...same, serving(1, both), serving(2, both), fact(2, { kind: 'rg.exited' })],
      'nodes that run rgmanager: {1 2} on 1 against none on 2',
    ],
  ])('waits 30 s %s', (_, facts, message) => {
    const checker = new Checker(invariants);
    for (const each of facts) checker.observe(each);
    const since = facts.at(-1)!.at;
    checker.tick(since + 15 * SECOND);
    checker.tick(since + 29 * SECOND);
    expect(checker.violations).toEqual([]);
    checker.tick(since + 30 * SECOND);
    expect(checker.violations.map((violation) => violation.message)).toEqual([message]);
  });

  it('waits until nothing has changed for 5 s', () => {
    const checker = new Checker(invariants);
    for (const each of [quorum(1, true, [1, 2]), quorum(2, true, [1, 3])]) checker.observe(each);
    checker.tick(at + 4 * SECOND);
    expect(checker.violations).toEqual([]);
    checker.tick(at + 15 * SECOND);
    checker.tick(at + 16 * SECOND);
    expect(checker.violations).toHaveLength(1);
  });
});

describe('S33: queues', () => {
  it.each<[told: Told, most: number, message: string]>([
    [{ kind: 'totem.queue', queue: 'held' }, 2048, 'totem: 2048 held, expected fewer than 2048'],
    [{ kind: 'dlm.queue', queue: 'requests' }, 4096, 'dlm: 4096 requests, expected fewer than 4096'],
    [{ kind: 'rg.queue', queue: 'events' }, 256, 'rg: 256 events, expected fewer than 256'],
    [{ kind: 'node.queue', queue: 'disk commands' }, 1024, 'node: 1024 disk commands, expected fewer than 1024'],
  ])('%j', (told, size, message) => {
    expect(violated([fact(1, { ...told, size: size / 2 } as Told)])).toEqual([]);
    expect(violated([fact(1, { ...told, size } as Told)])).toEqual([`S33: ${message}`]);
  });
});

describe('S35: timers', () => {
  it.each([
    [64, []],
    [65, ['S35: 65 timers of programs']],
  ])('%i at once', (count, expected) => {
    expect(violated([fact(1, { kind: 'node.timers', component: 'programs', count })])).toEqual(expected);
  });
});

it('every invariant of the package is tested here', () => {
  expect(invariants.map(({ id }) => id)).toEqual(['S11', 'S12', 'S14', 'S27a', 'S27b', 'S30', 'S33', 'S35']);
});
