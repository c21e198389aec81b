// Programs that differed once, made short.
import { describe, expect, it } from 'vitest';
import { CR, CW, EX, F, NL, PR, PW } from './lock-table.js';
import { type Command, ModelRun } from './program.js';

const rest: Command = { kind: 'rest' };
const request = (node: number, mode: number, flags = 0): Command => ({ kind: 'request', node, name: 0, mode, flags });
const convert = (lock: number, mode: number, flags = 0): Command => ({ kind: 'convert', lock, mode, flags });
const unlock = (lock: number, flags = 0): Command => ({ kind: 'unlock', lock, flags });
const run = (microseconds: number): Command => ({ kind: 'run', microseconds });
const crash = (node: number): Command => ({ kind: 'crash', node });

function problemsOf(nodes: number, commands: readonly Command[]): string[] {
  return new ModelRun({ nodes, seed: 0, isNodir: false, commands }).run();
}

describe('a demoted conversion says so', () => {
  it('after a cancel that overtook the reply', () => {
    const commands = [
      request(0, PR),
      rest,
      request(1, PR),
      rest,
      convert(0, EX),
      run(400),
      convert(1, EX, F.CONVDEADLK),
    ];
    expect(problemsOf(2, [...commands, unlock(1, F.CANCEL)])).toEqual([]);
  });

  it('when it is granted by the next master, which does not know', () => {
    const commands = [request(2, NL), rest, request(0, PR), rest, request(1, PR), rest];
    const conversions = [convert(1, EX), rest, convert(2, EX, F.CONVDEADLK), rest];
    expect(problemsOf(3, [...commands, ...conversions, crash(2), rest, unlock(0)])).toEqual([]);
    const ended = [unlock(0), run(250), unlock(1, F.CANCEL), unlock(1, F.FORCEUNLOCK), rest];
    expect(problemsOf(3, [...commands, ...conversions, crash(2), rest, ...ended])).toEqual([]);
  });
});

it('a conversion from PR to CW that is demoted while it is queued reads the value block, also from elsewhere', () => {
  const held = [request(1, NL), rest, request(0, NL), rest, request(0, PR), rest, request(1, PR), rest];
  const queued = [convert(2, CW, F.VALBLK | F.CONVDEADLK), rest, convert(1, PW, F.VALBLK | F.HEADQUE), rest];
  expect(problemsOf(2, [...held, ...queued, unlock(3), rest, unlock(1, F.VALBLK), rest])).toEqual([]);
});

it('a lock whose unlock is carried out a second time, by the next master, is gone', () => {
  const taken = [{ kind: 'request', node: 1, name: 2, mode: NL, flags: F.NOQUEUE } as const, rest];
  const ended = [convert(0, NL), unlock(0, F.FORCEUNLOCK), { kind: 'boot' } as const, rest];
  const commands = [crash(1), rest, ...taken, ...ended];
  // With this seed its owner hears of the newcomer before it hears that the first master has carried the unlock out.
  expect(new ModelRun({ nodes: 3, seed: 1, isNodir: true, commands }).run()).toEqual([]);
});

describe('a conversion between PR and CW whose master dies', () => {
  const held = [request(2, NL), rest, request(0, PR), rest, request(1, PR), rest];

  it('is refused if it does not queue and cannot be granted', () => {
    expect(problemsOf(3, [...held, convert(1, CW, F.NOQUEUE), crash(2), rest, unlock(1), rest])).toEqual([]);
  });

  it('does not wait for another one that waits for it', () => {
    expect(problemsOf(3, [...held, convert(1, CW), convert(2, CW), crash(2), rest, unlock(1), rest])).toEqual([]);
  });

  it('is canceled if it was not granted', () => {
    expect(problemsOf(3, [...held, convert(1, CW), unlock(1, F.CANCEL), crash(2), rest])).toEqual([]);
  });

  it('is unlocked if it was to be', () => {
    const commands = [...held, convert(1, CW), unlock(1, F.CANCEL), unlock(1, F.FORCEUNLOCK), crash(2), rest];
    expect(problemsOf(3, commands)).toEqual([]);
  });
});

it.each([0, 1])(
  'a conversion that holds what another one waits for stays before it when the master dies (node %i)',
  (a) => {
    const b = 1 - a;
    const held = [request(2, NL), rest, request(a, PR), rest, request(b, NL), rest, request(b, PR), rest];
    const queued = [convert(1, EX), rest, convert(2, EX), rest];
    expect(problemsOf(3, [...held, ...queued, crash(2), rest, unlock(2), rest])).toEqual([]);
  },
);

it('a lock that a demotion let pass hears of what waits for it', () => {
  const queued = [convert(1, PW), convert(2, CR, F.QUECVT), request(0, EX)];
  const commands = [request(0, CW), request(0, CW), request(0, NL), ...queued, convert(0, PW, F.CONVDEADLK)];
  expect(problemsOf(1, commands)).toEqual([]);
});

it('a conversion that is canceled before an earlier cancel of the lock is answered completes', () => {
  const first = [convert(1, PR), unlock(1, F.CANCEL), run(450)];
  const commands = [request(1, NL), rest, request(0, NL), rest, ...first, convert(1, EX), unlock(1, F.CANCEL), rest];
  expect(problemsOf(2, commands)).toEqual([]);
});

it('a lock that is unlocked behind its conversion may come to the next master beside one that excludes it', () => {
  const commands: readonly Command[] = [
    ...[request(2, NL), rest, request(0, CW), rest, request(1, PR), run(2000)],
    ...[convert(1, EX, F.NOQUEUE), unlock(1, F.FORCEUNLOCK), run(260), crash(2), rest],
  ];
  // With this seed the waiting lock hears of its grant before the master dies, and the other one of nothing.
  expect(new ModelRun({ nodes: 3, seed: 8, isNodir: false, commands }).run()).toEqual([]);
});
