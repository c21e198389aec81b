import { Checker, SECOND, type Stamped } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { coverageGoals } from '../src/index.js';

let at = 0;
function fact(node: number, kind: string, fields: object = {}, life = 1): Stamped {
  at += 6 * SECOND;
  return { kind, now: at, node, life, seq: at, at, ...fields } as Stamped;
}

const power = (state: string) => fact(1, 'node.state', { state });
const ring = (state: string) => fact(1, 'totem.state', { state });
const dlm = (what: string) => fact(1, `dlm.${what}`, { lockspace: 'storage' });
const waits = (what: string, owner: number) =>
  fact(1, `dlm.${what}`, { lockspace: 'storage', resource: 'r', queue: 'wait', owner, ownerLkid: 1 });
const attempt = (isSuccess: boolean) => fact(1, 'fenced.attempt-ended', { victim: 2, isSuccess });
const offOf = (node: number) => fact(node, 'node.state', { state: 'off' });
const inRing = (node: number, name: string, members: readonly number[]) =>
  fact(node, 'totem.configuration', { type: 'regular', ring: name, members, joined: [] });
const pair = (...nodes: readonly number[]) => nodes.map((node) => inRing(node, `${nodes}`, nodes));
const merged = (node: number) => inRing(node, 'd', [1, 2, 3, 4, 5]);
const gather = (reason: number) => fact(1, 'totem.state', { state: 'gather', reason });
const qdisk = (node: number, state: number) => fact(node, 'qdisk.state', { state });
const failedStart = fact(1, 'rg.agent-ended', { service: 'web', action: 'start', status: 1 });
const runs = (owner: number) => fact(owner, 'rg.service', { service: 'web', state: 112, owner });
const arp = (what: string, mac: string) => fact(9, `network.arp-${what}`, { address: '10.0.0.1', mac });
const takes = (mac: string) => fact(2, 'network.address-added', { address: '10.0.0.1/24', mac });
const quorate = fact(1, 'quorum.changed', { isQuorate: true, members: [{}, {}] });

/** Goals, what reaches each, and what comes near. */
const CASES: Readonly<Record<string, readonly [readonly Stamped[], readonly Stamped[]]>> = {
  G1: [
    [ring('commit'), power('off')],
    [ring('commit'), ring('operational'), power('off')],
  ],
  G2: [
    [ring('recovery'), power('off')],
    [ring('recovery'), power('paused')],
  ],
  G3: [
    [fact(1, 'totem.configuration', { type: 'regular', joined: [2, 3] })],
    [fact(1, 'totem.configuration', { type: 'transitional', joined: [2, 3] })],
  ],
  G4: [[fact(1, 'qdisk.evicted', { peer: 2 })], [fact(1, 'qdisk.node-down', { peer: 2 })]],
  G5: [[fact(1, 'qdisk.reboot')], [fact(1, 'qdisk.state')]],
  G6: [[fact(0, 'scsi.reservation-changed', { aborted: 1 })], [fact(0, 'scsi.reservation-changed', { aborted: 0 })]],
  G7: [
    [attempt(false), attempt(true)],
    [attempt(true), attempt(false)],
  ],
  G8: [[fact(1, 'fenced.fenced', { how: 'member' })], [fact(1, 'fenced.fenced', { how: 'agent' })]],
  G9: [[fact(1, 'fenced.kick', { reason: 'stateful-merge' })], [fact(1, 'fenced.kick', { reason: 'process-down' })]],
  G10: [
    [dlm('started'), dlm('stopped')],
    [dlm('started'), dlm('recovered'), dlm('stopped')],
  ],
  G11: [[dlm('lvb-invalid')], [dlm('lvb-read')]],
  G12: [
    [fact(1, 'gfs2.journal-recovered', { wasDirty: true, result: 'done' })],
    [fact(1, 'gfs2.journal-recovered', { wasDirty: true, result: 'gave-up' })],
  ],
  G13: [[fact(1, 'gfs2.withdrawn')], [fact(1, 'gfs2.unmounted')]],
  G14: [
    [fact(1, 'rg.agent-ended', { action: 'start', status: 1 })],
    [fact(1, 'rg.agent-ended', { action: 'stop', status: 1 })],
  ],
  G15: [[fact(1, 'rg.evaluated', { decision: 'relocate' })], [fact(1, 'rg.evaluated', { decision: 'start' })]],
  G16: [
    [fact(1, 'quorum.changed', { isQuorate: true, members: [{}] })],
    [fact(1, 'quorum.changed', { isQuorate: false, members: [{}] })],
  ],
  G17: [
    [power('paused'), fact(2, 'node.state', { state: 'up' }), power('up')],
    [power('paused'), power('up')],
  ],
  G18: [
    [...pair(1, 2), ...pair(3, 4), inRing(5, 'c', [5]), merged(1), merged(3)],
    [...pair(1, 2), ...pair(3, 4), inRing(5, 'c', [5]), offOf(4), merged(1), merged(3)],
  ],
  G19: [[gather(5)], [gather(2)]],
  G20: [[gather(6)], [gather(9)]],
  G21: [
    [inRing(1, 'a', [1]), inRing(2, 'b', [2]), qdisk(1, 6), offOf(1)],
    [inRing(1, 'a', [1, 2]), inRing(2, 'a', [1, 2]), qdisk(1, 6), offOf(1)],
  ],
  G22: [
    [fact(1, 'qdisk.evicted', { peer: 2, isUndead: true })],
    [fact(1, 'qdisk.evicted', { peer: 2, isUndead: false })],
  ],
  G23: [
    [dlm('directory'), power('off'), power('off')],
    [dlm('directory'), offOf(2)],
  ],
  G24: [
    [failedStart, runs(2), runs(2)],
    [failedStart, runs(1)],
  ],
  G25: [
    [arp('learned', 'a'), takes('b')],
    [arp('learned', 'a'), arp('learned', 'b'), takes('b')],
  ],
  G26: [
    [offOf(1), power('up'), quorate, offOf(1), quorate, quorate],
    [offOf(1), offOf(2), power('up'), quorate],
  ],
  G27: [
    [waits('queued', 1), waits('queued', 2), waits('unqueued', 1), power('off')],
    [waits('queued', 1), waits('unqueued', 1), power('off')],
  ],
  G28: [
    [dlm('started'), power('off')],
    [dlm('started'), dlm('recovered'), power('off')],
  ],
};

it.each(coverageGoals.map((goal) => [goal.id, goal] as const))(
  '%s is reached by what it names, and only by that',
  (id, goal) => {
    const timesOf = (facts: readonly Stamped[]): number | undefined => {
      const checker = new Checker([goal]);
      for (const each of facts) checker.observe(each);
      expect(checker.violations).toEqual([]);
      return checker.counts.get(`sometimes: ${goal.name}`)?.times;
    };
    const [reaching, near] = CASES[id]!;
    expect([timesOf(reaching), timesOf(near)]).toEqual([1, undefined]);
  },
);
