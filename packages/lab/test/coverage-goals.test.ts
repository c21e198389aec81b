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
const attempt = (isSuccess: boolean) => fact(1, 'fenced.attempt-ended', { victim: 2, isSuccess });

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
