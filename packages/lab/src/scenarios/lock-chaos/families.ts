import { fork, MILLISECOND, type Nanos, SECOND, type Stamped, type Task } from '@quorate/kernel';
import { brief } from '../../chaos/pending.js';
import type { AnyFact } from '../../lab.js';
import { seconds } from '../../nemesis/arena.js';
import { pick, range } from '../../nemesis/draw.js';
import { PLAIN_FAMILIES, PLAIN_FAMILY_NAMES, type PlainFamilyName } from '../../nemesis/families/index.js';
import { PAUSES, powerCut } from '../../nemesis/families/proc.js';
import type { Attack, Family } from '../../nemesis/family.js';
import type { LockPicture } from './lock-picture.js';

/** The families that aim at locks. */
const AIMED = [
  'lock.master-crash',
  'lock.directory-crash',
  'lock.holder-crash',
  'lock.recovery-crash',
  'lock.step-crash',
  'lock.pause',
  'lock.cut',
  'lock.slow',
  'lock.kill',
  'lock.leave',
] as const;

export type LockFamilyName = (typeof AIMED)[number] | PlainFamilyName;

/** The names of the families, as they stand in logs: those that aim at locks come first. */
export const LOCK_FAMILY_NAMES: readonly LockFamilyName[] = [...AIMED, ...PLAIN_FAMILY_NAMES];

/** What the families that aim at locks know. */
export interface Target {
  readonly picture: LockPicture;
  /** Resources that many want. */
  readonly hot: readonly string[];
  readonly lockspace: string;
  /** Machines that have left the lockspace for a while: nobody works there. */
  readonly away: Set<string>;
  /** Host name of a node. */
  nameOf(node: number): string;
}

/** Roles that a node can have for a resource. */
const ROLES = ['master', 'directory', 'holder'] as const;

type Role = (typeof ROLES)[number];

/** The families that aim at locks, and the others that trouble lock managers. */
export function lockFamilies(target: Target): Readonly<Record<LockFamilyName, Family>> {
  return {
    'lock.master-crash': aimed(crashOf(target, 'master')),
    'lock.directory-crash': aimed(crashOf(target, 'directory')),
    'lock.holder-crash': aimed(crashOf(target, 'holder')),
    'lock.recovery-crash': recoveryCrash(target),
    'lock.step-crash': stepCrash(target),
    'lock.pause': aimed(pauseOf(target)),
    'lock.cut': aimed(cutOf(target)),
    'lock.slow': aimed(slowOf(target)),
    'lock.kill': kill,
    'lock.leave': leaveOf(target),
    ...PLAIN_FAMILIES,
  };
}

/** So long a holder is waited for. */
const HOLDER_WITHIN: Nanos = 3 * SECOND;

/** A family that may wait for a holder before it does anything. */
function aimed(family: Family): Family {
  return (attack) => family({ ...attack, period: attack.period - HOLDER_WITHIN });
}

/** A node that has this role for a hot resource, and a phrase about it. A holder is one that has just got its lock. */
function* victimOf(target: Target, { arena, choices }: Attack, role: Role): Task<Victim | undefined> {
  const { picture, hot, nameOf } = target;
  const resource = pick(choices, 'resource', hot);
  if (role === 'holder') yield* arena.lab.waitFor((fact) => isHeld(fact as AnyFact, resource), HOLDER_WITHIN);
  const node = {
    master: picture.masterOf(resource),
    directory: picture.directoryOf(resource),
    holder: picture.holderOf(resource),
  }[role];
  if (node === undefined || arena.isOver) return undefined;
  return { machine: nameOf(node), text: `${nameOf(node)}, ${role} of ${resource},` };
}

interface Victim {
  readonly machine: string;
  readonly text: string;
}

/** Somebody has got the resource in PW or EX. */
function isHeld({ kind, resource: about, mode }: AnyFact, resource: string): boolean {
  return (
    about === resource && (kind === 'dlm.lock-granted' || kind === 'dlm.converted') && (mode === 'PW' || mode === 'EX')
  );
}

/** A node that has a role for a hot resource loses its power. */
function crashOf(target: Target, role: Role): Family {
  return function* (attack): Task {
    const victim = yield* victimOf(target, attack, role);
    // A holder is met at different points of what it does.
    yield* attack.arena.lab.wait(range(attack.choices, 'after', 0, 10 * MILLISECOND, 101));
    if (victim !== undefined) yield* powerCut(attack, [victim.machine]);
  };
}

/** A node loses its power, and another one while the lockspace recovers from that. */
function recoveryCrash(target: Target): Family {
  return function* (attack): Task {
    const { arena, choices, period } = attack;
    const second = pick(choices, 'second', arena.machines);
    const after = range(choices, 'after', 0, 20 * MILLISECOND, 201);
    const first = yield* victimOf(target, attack, pick(choices, 'role', ROLES));
    if (first === undefined || first.machine === second || !arena.takeDown([first.machine, second])) return;
    attack.tell(`${first.text} loses its power, and ${second} ${after / MILLISECOND} ms after recovery begins`);
    arena.lab.powerOff(first.machine);
    const began = yield* arena.lab.waitFor(({ kind }) => kind === 'dlm.started', period - 2 * SECOND);
    yield* arena.lab.wait(after);
    if (arena.isOver) return;
    if (began !== undefined) arena.lab.powerOff(second);
    if (!(yield* arena.hold(SECOND))) return;
    arena.broughtBack([first.machine, second]);
    arena.lab.powerOn(first.machine, second);
  };
}

/** Bits of the steps of recovery: NODES, DIR, LOCKS, DONE. */
const STEPS = [1, 4, 16, 64];

/** A node loses its power when the first one has come to a step of a recovery: that node, or another one. */
function stepCrash({ nameOf }: Target): Family {
  return function* (attack): Task {
    const { arena, choices, period } = attack;
    const bit = pick(choices, 'step', STEPS);
    const isSelf = choices.choose('self', 2) === 1;
    const other = pick(choices, 'other', arena.machines);
    const isReached = (fact: Stamped): boolean => fact.kind === 'dlm.recover-status' && (fact as AnyFact).bit === bit;
    const fact = yield* arena.lab.waitFor(isReached, period - 2 * SECOND);
    if (fact === undefined || arena.isOver) return;
    yield* powerCut(attack, [isSelf ? nameOf(fact.node) : other]);
  };
}

/** A node that has a role stands still. */
function pauseOf(target: Target): Family {
  return function* (attack): Task {
    const { arena, choices, period } = attack;
    const victim = yield* victimOf(target, attack, pick(choices, 'role', ROLES));
    const duration = Math.min(seconds(pick(choices, 'duration', [...PAUSES, 1.9, 2.1, 4, 4.4])), period - MILLISECOND);
    if (victim === undefined || !arena.takeDown([victim.machine])) return;
    attack.tell(`${victim.text} is paused for ${duration / SECOND} s`);
    arena.lab.pause(victim.machine);
    if (!(yield* arena.hold(duration))) return;
    arena.broughtBack([victim.machine]);
    arena.lab.resume(victim.machine);
  };
}

/** A node that has a role is cut off, or some of the others no longer hear it. */
function cutOf(target: Target): Family {
  return function* (attack): Task {
    const { arena, choices, period } = attack;
    const victim = yield* victimOf(target, attack, pick(choices, 'role', ROLES));
    const duration = range(choices, 'hold', 200 * MILLISECOND, period - MILLISECOND);
    const isOneWay = choices.choose('one-way', 2) === 1;
    if (victim === undefined) return;
    const others = arena.machines.filter((machine) => machine !== victim.machine);
    attack.tell(`${victim.text} ${isOneWay ? 'is not heard' : 'is cut off'}`);
    arena.close([victim.machine], others);
    if (!isOneWay) arena.close(others, [victim.machine]);
    if (!(yield* arena.hold(duration))) return;
    arena.open([victim.machine], others);
    if (!isOneWay) arena.open(others, [victim.machine]);
  };
}

/** The links of a node that has a role are slow. */
function slowOf(target: Target): Family {
  return function* (attack): Task {
    const { arena, choices, period } = attack;
    const victim = yield* victimOf(target, attack, pick(choices, 'role', ROLES));
    const delay = range(choices, 'delay', MILLISECOND, 300 * MILLISECOND, 300);
    const duration = range(choices, 'hold', SECOND, period);
    if (victim === undefined) return;
    const changed = { baseLatency: delay, extraLatency: delay, latencyCap: SECOND };
    const ends = choices.choose('end', 2) === 1 ? { to: victim.machine } : { from: victim.machine };
    attack.tell(`the links of ${victim.text} take ${delay / MILLISECOND} ms`);
    arena.setLinks(ends, changed);
    if (yield* arena.hold(duration)) arena.calmLinks(ends, changed);
  };
}

/** The programs that take locks, without the one that keeps registers. */
const WORKERS = 'locks register';

/** The programs of a machine that take locks are killed, those that hold them and those that wait. */
const kill: Family = function* ({ arena, choices, tell }): Task {
  const machine = pick(choices, 'machine', arena.machines);
  const programs = pick(choices, 'programs', [WORKERS, 'locks', 'register']);
  if (!arena.isUp(machine)) return;
  tell(`${programs} on ${machine} are killed`);
  yield* fork(arena.lab.exec(machine, `killall -9 ${programs}`));
};

/** The longest that whoever leaves waits for the lockspace to recover. */
const LEAVES_WITHIN: Nanos = 15 * SECOND;

/** A machine ends its programs, leaves the lockspace in order, and joins it again. */
function leaveOf({ lockspace, away }: Target): Family {
  return function* ({ arena, choices, tell }): Task {
    const machine = pick(choices, 'machine', arena.machines);
    const stays = range(choices, 'stays', 0, 5 * SECOND);
    if (!arena.isUp(machine) || away.has(machine)) return;
    tell(`${machine} leaves the lockspace, for ${(stays / SECOND).toFixed(1)} s`);
    away.add(machine);
    const command = `killall -9 keeper ${WORKERS}; purge ${lockspace}; leave ${lockspace}`;
    yield* brief(arena.lab, machine, command, LEAVES_WITHIN);
    yield* arena.hold(stays);
    away.delete(machine);
  };
}
