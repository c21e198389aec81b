import { type Machine, type Nanos, SECOND } from '../src/index.js';

type In = { readonly kind: 'feed' } | { readonly kind: 'wake' };
type Out = { readonly kind: 'hungry' };

/** Complains when it was not fed for ten seconds. */
class Watchdog implements Machine<In, Out> {
  #hungryAt: Nanos = 10 * SECOND;

  step(now: Nanos, input: In, emit: (output: Out) => void): void {
    if (input.kind === 'wake' && now >= this.#hungryAt) emit({ kind: 'hungry' });
    this.#hungryAt = now + 10 * SECOND;
  }

  deadline(): Nanos {
    return this.#hungryAt;
  }
}

/** A driver whose clock jumps to whatever is due. The dog is fed once, after seven seconds. */
export function example(): string[] {
  const dog = new Watchdog();
  const lines: string[] = [];
  const bark = (now: Nanos) => (output: Out) => lines.push(`${now / SECOND} s: ${output.kind}`);
  dog.step(7 * SECOND, { kind: 'feed' }, bark(7 * SECOND));
  for (let now = dog.deadline(); now < 40 * SECOND; now = dog.deadline()) dog.step(now, { kind: 'wake' }, bark(now));
  return lines;
}
