import fc from 'fast-check';
import { F } from './lock-table.js';
import type { Command, Program } from './program.js';

const MOST = 200;

/** Flags of a lock call: a value block mostly, and now and then one of the others. */
function flags(others: readonly number[]): fc.Arbitrary<number> {
  const other = fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.constantFrom(...others) },
  );
  const value = fc.constantFrom(0, F.VALBLK, F.VALBLK, F.VALBLK | F.IVVALBLK);
  return fc.tuple(value, other, other).map(([a, b, c]) => a | b | c);
}

const mode = fc.constantFrom(0, 1, 2, 3, 3, 4, 5, 5);
const index = fc.nat({ max: 60 });
const BOTH = [
  F.NOQUEUE,
  F.NOQUEUE | F.NOQUEUEBAST,
  F.HEADQUE,
  F.NOORDER,
  F.ALTPR,
  F.ALTCW,
  F.ALTPR | F.ALTCW,
  F.FORCEUNLOCK,
];

const request: fc.Arbitrary<Command> = fc.record({
  kind: fc.constant('request' as const),
  node: fc.nat({ max: 4 }),
  // Half of them want the same one.
  name: fc.oneof(fc.constant(0), fc.nat({ max: 7 })),
  mode,
  flags: flags([...BOTH, F.EXPEDITE, F.PERSISTENT, F.NODLCKBLK]),
});
const convert: fc.Arbitrary<Command> = fc.record({
  kind: fc.constant('convert' as const),
  lock: index,
  mode,
  flags: flags([...BOTH, F.QUECVT, F.CONVDEADLK, F.NODLCKWT]),
});
const unlock: fc.Arbitrary<Command> = fc.record({
  kind: fc.constant('unlock' as const),
  lock: index,
  flags: fc.constantFrom(0, 0, F.VALBLK, F.IVVALBLK, F.CANCEL, F.CANCEL, F.FORCEUNLOCK),
});
const run: fc.Arbitrary<Command> = fc.record({ kind: fc.constant('run' as const), microseconds: fc.nat({ max: 800 }) });
const rest: fc.Arbitrary<Command> = fc.constant({ kind: 'rest' });
const fault: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ kind: fc.constant('crash' as const), node: fc.nat({ max: 4 }) }),
  fc.constant({ kind: 'boot' as const }),
  fc.record({ kind: fc.constant('break' as const), node: fc.nat({ max: 4 }), other: fc.nat({ max: 4 }) }),
);

/** Up to 200 operations of up to five nodes on eight resources. */
export function programs(faults: number): fc.Arbitrary<Program> {
  const command = fc.oneof(
    { weight: 30, arbitrary: request },
    { weight: 30, arbitrary: convert },
    { weight: 18, arbitrary: unlock },
    { weight: 40, arbitrary: run },
    { weight: 2, arbitrary: rest },
    { weight: faults, arbitrary: fault },
  );
  return fc.record({
    nodes: fc.integer({ min: 1, max: 5 }),
    seed: fc.nat({ max: 0xffff_ffff }),
    isNodir: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    commands: fc.array(command, { maxLength: MOST, size: 'max' }),
  });
}
