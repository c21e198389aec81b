import type { Stamped } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Overview } from '../src/chaos/overview.js';
import type { AnyFact } from '../src/lab.js';

/** What somebody knows of nodes 1 and 4 after facts, each a second after the one before it. */
function overviewAfter(facts: readonly Record<string, unknown>[]): Overview {
  const overview = new Overview([1, 4]);
  for (const [seq, fact] of facts.entries()) {
    overview.hear({ now: 0, at: seq, life: 1, seq, node: 6, ...fact } as unknown as Stamped<AnyFact>);
  }
  return overview;
}

function illness(...facts: readonly Record<string, unknown>[]): string | undefined {
  return overviewAfter(facts).of(1).illness;
}

function power(state: string): Record<string, unknown> {
  return { kind: 'node.state', node: 1, state };
}

function reservation(nexus: number, registered: readonly number[], preempted: readonly number[] = []) {
  return {
    kind: 'scsi.reservation-changed',
    nexus,
    registered: registered.map((each) => ({ nexus: each, key: `63d2000${each}` })),
    preempted,
  };
}

const lost = reservation(4, [4], [1]);

it.each([
  // Found by storms: node 4 died when its agent had preempted node 1, which then could fence nobody.
  ['whose registration another one has preempted', [power('up'), reservation(1, [1]), lost], true],
  ['that was preempted before it unfenced itself', [power('up'), lost], false],
  ['that was off since', [power('up'), reservation(1, [1]), lost, power('off'), power('up')], false],
  ['that has unregistered itself', [power('up'), reservation(1, [1]), reservation(1, []), lost], false],
])('somebody has to reset a machine %s: %#', (_, facts, isIll) => {
  expect(illness(...facts)).toBe(isIll ? 'has lost its registration' : undefined);
});

it('nobody resets a machine that waits in the mount group: only one that has left it, or was never there, mounts no more', () => {
  const members = (group: string, ...pids: string[]) => ({ kind: 'cpg.members', node: 1, group, members: pids });
  const waits = (...facts: readonly Record<string, unknown>[]) => overviewAfter(facts).of(1).isInMountGroup;
  const joined = [members('gfs:mount:storage', '4/9', '1/7'), members('dlm:ls:storage', '4/9')];
  expect(waits(...joined)).toBe(true);
  expect(waits(...joined, members('gfs:mount:storage', '4/9'))).toBe(false);
  expect(waits(...joined, power('off'))).toBe(false);
});

it('somebody sees that a fenced was killed where no other runs, and since when', () => {
  // Found by a storm: dlm_controld of a node that is alone waited for ever for victims of its dead fenced.
  const fenceds = (...pids: string[]) => ({ kind: 'cpg.members', node: 1, group: 'fenced:daemon', members: pids });
  const seen = (...facts: readonly Record<string, unknown>[]) => {
    const { hasFenced, fencedSince } = overviewAfter(facts).of(1);
    return [hasFenced, fencedSince];
  };
  expect(seen(power('up'), fenceds('1/7'))).toEqual([true, 1]);
  expect(seen(power('up'), fenceds('1/7', '4/9'), fenceds('1/7'))).toEqual([true, 1]);
  expect(seen(power('up'), fenceds('1/7'), fenceds())).toEqual([false, 2]);
  expect(seen(power('up'), fenceds('1/7'), power('off'))[0]).toBe(false);
});

it('somebody sees that a corosync was killed, until the machine is off', () => {
  // Found by lock chaos, seed 0x745: the rest had no quorum, so that nobody fenced that node.
  const killed = { kind: 'node.corosync-killed', node: 1 };
  const seen = (...facts: readonly Record<string, unknown>[]) => overviewAfter(facts).of(1).hasLostCorosync;
  expect([seen(power('up')), seen(power('up'), killed), seen(power('up'), killed, power('off'))]).toEqual([
    false,
    true,
    false,
  ]);
});

it('rgmanager looks at a stopped service when a node comes or goes, and not when it hears the same again', () => {
  const members = (node: number, ...nodes: number[]) => ({
    kind: 'rg.members',
    node,
    members: nodes,
    isQuorate: node === 1,
  });
  expect(overviewAfter([members(1, 1), members(1, 1, 4), members(1, 1, 4), members(4, 4)]).evaluatedAt).toBe(1);
});
