import { MILLISECOND, SECOND, type Task } from '@quorate/kernel';
import type { ProgramFault } from '@quorate/node';
import { pick, range, subset } from '../draw.js';
import type { Attack, Family } from '../family.js';

/** A program goes wrong on some machines for a while. */
export function* failing({ arena, choices, period, tell }: Attack, fault: ProgramFault, text: string): Task {
  const machines = subset(choices, 'machine', arena.machines, 1, false);
  const duration = range(choices, 'hold', SECOND, period);
  tell(`${text} on ${machines.join(' ')}`);
  for (const machine of machines) arena.breakProgram(machine, fault);
  if (!(yield* arena.hold(duration))) return;
  for (const machine of machines) arena.mendProgram(machine, fault.program);
}

/** A fence agent fails, up to three times. */
export function fenceFails(program: string): Family {
  return function* (attack): Task {
    const runs = 1 + attack.choices.choose('runs', 3);
    yield* failing(attack, { program, runs, delay: 0, status: 1 }, `${program} fails ${runs} times`);
  };
}

/** A fence agent takes its time. */
export function fenceSlow(program: string): Family {
  return function* (attack): Task {
    const delay = range(attack.choices, 'delay', 500 * MILLISECOND, 20 * SECOND, 40);
    yield* failing(attack, { program, runs: 5, delay }, `${program} takes ${(delay / SECOND).toFixed(1)} s`);
  };
}

/** An agent of a service fails, so that the service is restarted, moved, or given up. */
export const serviceFails: Family = function* (attack): Task {
  const { choices } = attack;
  const program = pick(choices, 'agent', ['apache.sh', 'ip.sh', 'clusterfs.sh']);
  const argument = pick(choices, 'action', ['status', 'start', 'stop']);
  const runs = 1 + choices.choose('runs', 3);
  yield* failing(
    attack,
    { program, argument, runs, delay: 0, status: 1 },
    `${program} ${argument} fails ${runs} times`,
  );
};
