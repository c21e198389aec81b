import { MILLISECOND, type Nanos, SECOND, type Task } from '@quorate/kernel';
import { ServiceState } from '@quorate/rgmanager';
import type { AnyFact } from '../../lab.js';
import { seconds } from '../../nemesis/arena.js';
import { pick, range } from '../../nemesis/draw.js';
import { failing } from '../../nemesis/families/agents.js';
import { FAMILIES, type FamilyName } from '../../nemesis/families/index.js';
import { PAUSES, powerCut } from '../../nemesis/families/proc.js';
import type { Attack, Family } from '../../nemesis/family.js';
import { GUEST, SERVICES, WORKERS } from './configuration.js';
import type { ServicePicture } from './service-picture.js';

/** The families that aim at services. */
const AIMED = [
  'svc.fail',
  'svc.hang',
  'svc.no-stop',
  'svc.owner-crash',
  'svc.step-crash',
  'svc.owner-pause',
  'svc.owner-cut',
  'cfg.reload',
] as const;

type AimedName = (typeof AIMED)[number];

/** Those of storms, and for that of agents others. */
type StormName = Exclude<FamilyName, 'svc.fail'>;

export type ServiceFamilyName = AimedName | StormName;

/** Names of families of which a run has some: those that aim at services, those of machines as well, all. */
export const WEATHERS: readonly (readonly ServiceFamilyName[])[] = [
  AIMED,
  [
    ...AIMED,
    'part.sym',
    'part.asym',
    'part.shape',
    'net.latency',
    'clock.step',
    'proc.crash',
    'proc.pause',
    'fence.slow',
  ],
  [...AIMED, ...(Object.keys(FAMILIES) as FamilyName[]).filter((name) => name !== 'svc.fail')],
];

/** What the families that aim at services know. */
export interface Target {
  readonly picture: ServicePicture;
  /** Changes the configuration. */
  readonly reload: Family;
  /** Host name of a node. */
  nameOf(node: number): string;
}

/** The families that aim at services, and those of storms. */
export function serviceFamilies(target: Target): Readonly<Record<ServiceFamilyName, Family>> {
  return {
    ...FAMILIES,
    'svc.fail': agentFails,
    'svc.hang': agentHangs,
    'svc.no-stop': stopFails,
    'svc.owner-crash': ownerCrash(target),
    'svc.step-crash': stepCrash(target),
    'svc.owner-pause': ownerPause(target),
    'svc.owner-cut': ownerCut(target),
    'cfg.reload': target.reload,
  };
}

/** Agents, and the init scripts behind script.sh. */
const PROGRAMS = [...WORKERS, 'apache.sh', 'ip.sh', 'clusterfs.sh', 'service.sh'] as const;
const ACTIONS = ['status', 'start', 'stop'] as const;

/** An agent fails a few times, so that its service is restarted, moved, or given up. */
const agentFails: Family = function* (attack): Task {
  const { choices } = attack;
  const program = pick(choices, 'agent', PROGRAMS);
  const argument = pick(choices, 'action', ACTIONS);
  const runs = 1 + choices.choose('runs', 5);
  yield* failing(
    attack,
    { program, argument, runs, delay: 0, status: 1 },
    `${program} ${argument} fails ${runs} times`,
  );
};

/** An agent hangs for a while, and then does what it should, or fails. */
const agentHangs: Family = function* (attack): Task {
  const { choices } = attack;
  const program = pick(choices, 'agent', PROGRAMS);
  const argument = pick(choices, 'action', ACTIONS);
  const delay = range(choices, 'delay', SECOND, MOST_HANGING, 40);
  const isFailure = choices.choose('failure', 3) === 2;
  const fault = { program, argument, runs: 1 + choices.choose('runs', 2), delay, ...(isFailure && { status: 1 }) };
  yield* failing(attack, fault, `${program} ${argument} hangs for ${(delay / SECOND).toFixed(1)} s`);
};

/** So long an agent hangs at most. */
export const MOST_HANGING: Nanos = 40 * SECOND;

/** Nothing stops any more, so that services fail for good. */
const stopFails: Family = function* (attack): Task {
  const program = pick(attack.choices, 'agent', PROGRAMS);
  yield* failing(attack, { program, argument: 'stop', runs: 20, delay: 0, status: 1 }, `${program} does not stop`);
};

/** The host of a service, and a phrase about it. */
function ownerOf(
  { picture, nameOf }: Target,
  { arena, choices }: Attack,
): { machine: string; text: string } | undefined {
  const service = pick(choices, 'service', [...SERVICES, GUEST]);
  const { owner } = picture.of(service);
  if (owner === 0 || arena.isOver) return undefined;
  return { machine: nameOf(owner), text: `${nameOf(owner)}, owner of ${service},` };
}

/** The owner of a service loses its power. */
function ownerCrash(target: Target): Family {
  return function* (attack): Task {
    const owner = ownerOf(target, attack);
    if (owner !== undefined) yield* powerCut(attack, [owner.machine]);
  };
}

/** States that a service passes through. */
const PASSING = [ServiceState.STARTING, ServiceState.STOPPING, ServiceState.ERROR, ServiceState.RECOVER] as const;

/** A node loses its power when a service that it starts, stops or recovers has come so far: that node, or another one. */
function stepCrash({ nameOf }: Target): Family {
  return function* (attack): Task {
    const { arena, choices, period } = attack;
    const state = pick(choices, 'state', PASSING);
    const isSelf = choices.choose('self', 2) === 1;
    const other = pick(choices, 'other', arena.machines);
    const after = range(choices, 'after', 0, 2 * SECOND, 201);
    const fact = yield* arena.lab.waitFor(
      (each) => each.kind === 'rg.service' && (each as AnyFact).state === state,
      period - 4 * SECOND,
    );
    if (fact === undefined || !(yield* arena.hold(after))) return;
    yield* powerCut(attack, [isSelf ? nameOf(fact.node) : other]);
  };
}

/** The owner of a service stands still. */
function ownerPause(target: Target): Family {
  return function* (attack): Task {
    const { arena, choices, period } = attack;
    const owner = ownerOf(target, attack);
    const duration = Math.min(seconds(pick(choices, 'duration', PAUSES)), period - MILLISECOND);
    if (owner === undefined || !arena.takeDown([owner.machine])) return;
    attack.tell(`${owner.text} is paused for ${duration / SECOND} s`);
    arena.lab.pause(owner.machine);
    if (!(yield* arena.hold(duration))) return;
    arena.broughtBack([owner.machine]);
    arena.lab.resume(owner.machine);
  };
}

/** The owner of a service is cut off, or not heard. */
function ownerCut(target: Target): Family {
  return function* (attack): Task {
    const { arena, choices, period } = attack;
    const owner = ownerOf(target, attack);
    const duration = range(choices, 'hold', SECOND, period - MILLISECOND);
    const isOneWay = choices.choose('one-way', 2) === 1;
    if (owner === undefined) return;
    const others = arena.machines.filter((machine) => machine !== owner.machine);
    attack.tell(`${owner.text} ${isOneWay ? 'is not heard' : 'is cut off'}`);
    arena.close([owner.machine], others);
    if (!isOneWay) arena.close(others, [owner.machine]);
    if (!(yield* arena.hold(duration))) return;
    arena.open([owner.machine], others);
    if (!isOneWay) arena.open(others, [owner.machine]);
  };
}
