import { MILLISECOND, SECOND, type Task } from '@quorate/kernel';
import type { LinkParameters } from '@quorate/network';
import type { LinkEnds } from '../arena.js';
import { pick, range } from '../draw.js';
import type { Attack, Family } from '../family.js';

/** Which links: one direction between two machines, all from one, all to one, or all there are. */
function ends({ arena, choices }: Attack): LinkEnds {
  const scope = choices.choose('scope', 4);
  const from = pick(choices, 'from', arena.machines);
  const to = pick(choices, 'to', arena.machines);
  if (scope === 3) return {};
  if (scope === 2) return { to };
  return scope === 1 || from === to ? { from } : { from, to };
}

function endsText({ from, to }: LinkEnds): string {
  return `from ${from ?? 'all'} to ${to ?? 'all'}`;
}

/** A family that changes parameters of some links for a while. */
function parameters(name: string, draw: (attack: Attack) => Partial<LinkParameters>): Family {
  return function* (attack: Attack): Task {
    const { arena, choices, period } = attack;
    const which = ends(attack);
    const changed = draw(attack);
    const duration = range(choices, 'hold', SECOND, period);
    attack.tell(`${name} ${endsText(which)}: ${JSON.stringify(changed)}`);
    arena.setLinks(which, changed);
    if (yield* arena.hold(duration)) arena.calmLinks(which, changed);
  };
}

export const loss: Family = parameters('loss', ({ choices }) => ({ loss: range(choices, 'loss', 1, 30, 30) / 100 }));

export const burst: Family = parameters('loss in bursts', ({ choices }) => ({
  burstStart: range(choices, 'start', 1, 20, 20) / 1000,
  burstEnd: range(choices, 'end', 50, 5, 46) / 100,
  burstLoss: range(choices, 'loss', 50, 100, 51) / 100,
}));

export const duplicate: Family = parameters('duplicates', ({ choices }) => ({
  duplicate: range(choices, 'duplicate', 1, 20, 20) / 100,
}));

export const reorder: Family = parameters('reordering', ({ choices }) => ({
  reorder: range(choices, 'reorder', 1, 20, 20) / 100,
  reorderDelay: range(choices, 'delay', MILLISECOND, 20 * MILLISECOND, 20),
}));

export const corrupt: Family = parameters('damage', ({ choices }) => ({
  corrupt: range(choices, 'corrupt', 1, 10, 10) / 1000,
  damage: pick(choices, 'damage', ['bit', 'byte', 'truncate', 'splice'] as const),
}));

export const latency: Family = parameters('latency', ({ choices }) => {
  const factor = pick(choices, 'factor', [2, 5, 10, 20, 50, 100]);
  return { baseLatency: factor * 120_000, extraLatency: factor * 80_000, latencyCap: SECOND };
});

/** Some links stand still for up to five seconds and then deliver what they held. */
export const clog: Family = function* (attack): Task {
  const which = ends(attack);
  const duration = range(attack.choices, 'hold', 100 * MILLISECOND, 5 * SECOND);
  attack.tell(`${endsText(which)} clogged for ${duration / SECOND} s`);
  attack.arena.lab.fault({ kind: 'clog', ...which, duration });
  yield* attack.arena.hold(duration);
};
