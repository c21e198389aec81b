import { fork, type Nanos, type Task } from '@quorate/kernel';
import type { Arena } from './arena.js';
import type { Family } from './family.js';
import type { NemesisPlan } from './presets.js';

/**
 * Who breaks things: at the end of each period a family may attack, and is done before the next.
 *
 * Whether it attacks is one choice of the stream `nemesis/<family>`, one for each period, and all that an attack draws comes
 * from a stream of its own, `nemesis/<family>/<period>`. So an attack that is left out of a log moves no other, in time
 * or in kind.
 */
export class Nemesis<Name extends string> {
  readonly #arena: Arena;
  readonly #plan: NemesisPlan<Name>;
  readonly #families: Readonly<Record<Name, Family>>;

  constructor(arena: Arena, plan: NemesisPlan<Name>, families: Readonly<Record<Name, Family>>) {
    this.#arena = arena;
    this.#plan = plan;
    this.#families = families;
  }

  /** Attacks for so long. Attacks that go on at its end are `Arena.heal`'s. */
  *run(duration: Nanos): Task {
    const { families, isOneAtATime } = this.#plan;
    if (isOneAtATime) yield* this.#oneAtATime(duration);
    else {
      for (const { family, period } of families) yield* fork(this.#attacks(family, period, duration));
      yield* this.#arena.lab.wait(duration);
    }
  }

  *#attacks(family: Name, period: Nanos, duration: Nanos): Task {
    const { lab } = this.#arena;
    const choices = lab.choices(`nemesis/${family}`);
    for (let i = 0; (i + 1) * period < duration; i++) {
      yield* lab.wait(period);
      if (this.#arena.isOver) return;
      if (choices.choose('attack', 2) === 1) yield* fork(this.#attack(family, i, period));
    }
  }

  *#oneAtATime(duration: Nanos): Task {
    const { lab } = this.#arena;
    const choices = lab.choices('nemesis');
    const { families } = this.#plan;
    const period = families[0]!.period;
    for (let i = 0; (i + 1) * period < duration; i++) {
      yield* lab.wait(period);
      // 0 is none of them.
      const next = families[choices.choose('attack', families.length + 1) - 1];
      if (next !== undefined) yield* fork(this.#attack(next.family, i, period));
    }
    yield* lab.wait(period);
  }

  *#attack(family: Name, number: number, period: Nanos): Task {
    const { lab } = this.#arena;
    const choices = lab.choices(`nemesis/${family}/${number}`);
    let text: string | undefined;
    const tell = (told: string): void => {
      text = told;
      lab.progress({ kind: 'attack-began', family, text: told });
    };
    yield* this.#families[family]({ arena: this.#arena, choices, period, tell });
    if (text !== undefined) lab.progress({ kind: 'attack-ended', family, text });
  }
}
