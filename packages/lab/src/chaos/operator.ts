import { type Nanos, SECOND, type Task } from '@quorate/kernel';
import type { Lab } from '../lab.js';
import type { MachineView, Overview } from './overview.js';

/** A fenced that still waits then for a node that it refuses waits for ever: a kick, and the ring without it, take less. */
const STANDS_OFF: Nanos = 30 * SECOND;

/** So long after a boot a machine has all its daemons. */
export const STARTED_AFTER: Nanos = 30 * SECOND;

export interface OperatorConfig {
  readonly lab: Lab;
  readonly overview: Overview;
  /** Host names by node id. */
  readonly names: ReadonlyMap<number, string>;
  /** Why a machine needs a reset beside what is known as its illness. */
  defectOf(view: MachineView): string | undefined;
  /** How long it takes to notice that a machine is ill. */
  readonly notice: Nanos;
}

/** Somebody who looks after the machines, and resets those that only a reset helps. */
export class Operator {
  notice: Nanos;
  /** Machines that nobody looks after. */
  abandoned: ReadonlySet<string> = new Set();
  /** Nobody is reset any more. */
  isOff = false;
  #resets = 0;
  readonly #config: OperatorConfig;

  constructor(config: OperatorConfig) {
    this.#config = config;
    this.notice = config.notice;
  }

  /** Resets so far. */
  get resets(): number {
    return this.#resets;
  }

  /** Why a machine needs a reset; undefined when it does not. */
  illnessOf(node: number): string | undefined {
    const view = this.#config.overview.of(node);
    return view.illness ?? (view.state === 'up' ? this.#config.defectOf(view) : undefined);
  }

  *lookAfter(): Task {
    const { lab, overview, names } = this.#config;
    const since = new Map<string, Nanos>();
    while (!this.isOff) {
      yield* lab.wait(SECOND);
      for (const [node, machine] of names) {
        const illness = this.illnessOf(node);
        if (illness === undefined || overview.of(node).state !== 'up' || this.abandoned.has(machine) || this.isOff) {
          since.delete(machine);
          continue;
        }
        const seen = since.get(machine) ?? lab.now();
        since.set(machine, seen);
        if (lab.now() - seen < this.notice) continue;
        this.#resets += 1;
        lab.progress({ kind: 'attack-began', family: 'operator', text: `${machine} ${illness}: reset` });
        lab.powerOff(machine);
        lab.powerOn(machine);
        // Of two that wait for each other one is enough.
        overview.forget(node);
        overview.waitAnew(lab.now());
      }
    }
  }
}

/**
 * Why a fence domain has no end without somebody: it has met another half, and a node that joined in between, or one that is not as
 * large, so that their changes do not match, and fences nobody until either is gone; when that was the half that knew all victims, a
 * member that stays can be left with one that the new master has never heard of. A node whose fenced was killed where no other runs
 * stays in the cluster, and its dlm_controld waits for somebody to fence the dead. So does one whose fenced had assumed at its start
 * that a node was dead, and dropped that when it had died for good meanwhile.
 */
export function fenceDefect(view: MachineView, names: ReadonlyMap<number, string>, now: Nanos): string | undefined {
  if (!view.hasFenced && now - Math.max(view.upSince, view.fencedSince) >= STARTED_AFTER) return 'has no fenced';
  const other = [...view.refused].find(([, since]) => now - since >= STANDS_OFF)?.[0];
  if (other !== undefined) return `waits in its fence domain for ${names.get(other)}, which it refuses`;
  if (now - view.awaitsSince >= STANDS_OFF) return 'waits in its fence domain for messages that match no change';
  const stale = view.ring.find((node) => view.victims.has(node));
  if (stale !== undefined && now - view.restsSince >= STANDS_OFF)
    return `takes ${names.get(stale)}, which is back, for a victim that nobody fences`;
  const hasWaited = [...view.awaitsFencing.values()].some((since) => now - since >= STANDS_OFF);
  if (hasWaited && view.victims.size === 0 && now - view.restsSince >= STANDS_OFF)
    return 'has a lockspace that waits for a fencing of which its fence domain knows nothing';
  return undefined;
}
