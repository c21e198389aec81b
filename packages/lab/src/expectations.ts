import { type Nanos, SECOND, type Task } from '@quorate/kernel';
import type { Lab, Observed } from './lab.js';

/**
 * What a scenario expects, step by step: each expectation is told to whoever watches at once, and kept with its step.
 *
 * A fact that does not hold does not end the script: what comes after it may tell more.
 */
export class Expectations {
  readonly #lab: Lab;
  #step = '';
  #observed: Observed[] = [];

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  begin(step: string): void {
    this.#step = step;
    this.#observed = [];
  }

  /** Everything that was expected in the step that runs. */
  get observed(): readonly Observed[] {
    return this.#observed;
  }

  expect(text: string, isTrue: boolean, found: string): void {
    const observed: Observed = { text, isTrue, found: isTrue ? '' : found };
    this.#observed.push(observed);
    this.#lab.progress({ kind: 'observed', step: this.#step, observed });
  }

  *within(seconds: number, text: string, holds: () => boolean): Task {
    const isTrue = yield* this.waitUntil(seconds, holds);
    this.expect(text, isTrue, `not within ${seconds} s`);
  }

  /** Waits until something holds, looking again at every fact. */
  *waitUntil(seconds: number, holds: () => boolean): Task<boolean> {
    const until: Nanos = this.#lab.now() + seconds * SECOND;
    while (!holds()) {
      const left = until - this.#lab.now();
      if (left <= 0) return false;
      yield* this.#lab.waitFor(() => true, left);
    }
    return true;
  }

  /** A command prints exactly that. */
  *output(machine: string, command: string, expected: string): Task {
    const done = yield* this.#lab.exec(machine, command);
    const found = done === undefined ? 'no answer' : done.output + done.errors;
    this.expect(`${command} on ${machine}`, found === expected, found);
  }

  /** A command prints all of these lines, among others. */
  *lines(machine: string, command: string, lines: readonly string[]): Task {
    const done = yield* this.#lab.exec(machine, command);
    const found = done === undefined ? [] : done.output.split('\n');
    for (const line of lines) {
      this.expect(`${command}: ${line.trim()}`, found.includes(line), done?.output ?? 'no answer');
    }
  }
}
