import { afterEach, beforeEach } from 'vitest';

// A core test that reaches for the clock or for chance fails: core packages take `now` and a `Prng` as arguments.
const real = { random: Math.random, now: Date.now };

function refuse(name: string): () => number {
  return () => {
    throw new Error(`${name} in a core package`);
  };
}

beforeEach(() => {
  Math.random = refuse('Math.random');
  Date.now = refuse('Date.now');
});

afterEach(() => {
  Math.random = real.random;
  Date.now = real.now;
});
