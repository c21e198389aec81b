import { ConfigError, parseSeed, SeededWorld, type World } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DecisionLog,
  decisionCount,
  decodeLog,
  encodeLog,
  filterLog,
  LoggedWorld,
  type LogOrigin,
  logText,
  parseLogText,
  ReplayDiverged,
  ReplayedWorld,
  SurroundedWorld,
} from '../src/index.js';

const ORIGIN: LogOrigin = {
  scenario: 'storm',
  seed: '0000000000000007',
  options: { nemesis: 'swarm' },
  commit: null,
  seeded: ['net', 'disk'],
};

/** Asks a few hundred questions of two streams, and gives all answers. */
function ask(world: World): readonly (number | boolean)[] {
  const answers: (number | boolean)[] = [];
  for (let i = 0; i < 100; i++) {
    const [left, right] = [world.choices('net/1>2'), world.choices('disk/0/1')];
    answers.push(left.happens('loss', 0x1000_0000), left.exponential('latency', 90_000), right.choose('crash', 3));
  }
  return answers;
}

function logged(): { readonly log: DecisionLog; readonly answers: readonly (number | boolean)[] } {
  const world = new LoggedWorld(new SeededWorld(parseSeed('7')!));
  const answers = ask(world);
  return { log: world.log(), answers };
}

const logs = fc
  .dictionary(
    fc.stringMatching(/^[a-z]{1,5}\/[0-9>]{1,3}$/),
    fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.constantFrom('loss', 'latency'), fc.nat(9), fc.nat())),
  )
  .map((streams): DecisionLog => {
    const log = new Map(
      Object.entries(streams).map(([stream, entries]) => {
        let counter = -1;
        return [
          stream,
          entries.map(([distance, kind, n, value]) => {
            counter += distance;
            return { counter, kind, n, value: value + 1 };
          }),
        ] as const;
      }),
    );
    return filterLog(log, () => true);
  });

describe('a log of decisions', () => {
  it('replays strictly to the same answers', () => {
    const { log, answers } = logged();
    expect(decisionCount(log)).toBeGreaterThan(100);
    const replayed = new ReplayedWorld(log, 'strict');
    expect(ask(replayed)).toEqual(answers);
    expect(replayed.misfits()).toEqual({ answered: 0, unasked: 0 });
  });

  it('without its entries is the tame world', () => {
    const tame = new Set(ask(new ReplayedWorld(new Map(), 'strict')));
    expect([...tame]).toEqual([false, 0]);
  });

  it('keeps the other entries when one is left out', () => {
    const { log, answers } = logged();
    const { counter } = log.get('disk/0/1')![3]!;
    const less = filterLog(log, (stream, decision) => stream !== 'disk/0/1' || decision.counter !== counter);
    const expected = answers.map((answer, i) => (i === 3 * counter + 2 ? 0 : answer));
    expect(ask(new ReplayedWorld(less, 'strict'))).toEqual(expected);
  });

  it('replayed strictly stops at the first question that is not the one in the log', () => {
    const choices = new ReplayedWorld(new Map([['a', [{ counter: 1, kind: 'loss', n: 2, value: 1 }]]]), 'strict');
    expect(choices.choices('a').choose('anything', 9)).toBe(0);
    expect(() => choices.choices('a').choose('delay', 2)).toThrow(
      new ReplayDiverged('a', 1, 'delay of 2', 'loss of 2'),
    );
  });

  it.each([
    ['another kind is answered tamely', 'delay', 10, 0],
    ['fewer outcomes: modulo', 'loss', 4, 3],
    ['no bound any more: tame', 'loss', 0, 0],
  ] as const)('replayed tolerantly: %s, and counted', (_, kind, n, expected) => {
    const world = new ReplayedWorld(new Map([['a', [{ counter: 0, kind: 'loss', n: 10, value: 7 }]]]), 'tolerant');
    const answer = n === 0 ? world.choices('a').exponential(kind, 5) : world.choices('a').choose(kind, n);
    expect([answer, world.misfits().answered]).toEqual([expected, 1]);
  });

  it('counts entries that nobody asked for', () => {
    const decision = { counter: 4, kind: 'loss', n: 2, value: 1 };
    const world = new ReplayedWorld(
      new Map([
        ['a', [decision]],
        ['b', [decision, { ...decision, counter: 9 }]],
      ]),
      'strict',
    );
    world.choices('a').choose('loss', 2);
    expect(world.misfits()).toEqual({ answered: 0, unasked: 3 });
  });
});

it('a world is decided by another one in some areas, and what those decide is in no log', () => {
  const { log, answers } = logged();
  const bare = filterLog(log, (stream) => stream !== 'net/1>2');
  const written = new LoggedWorld(new ReplayedWorld(bare, 'strict'));
  expect(ask(new SurroundedWorld(written, new SeededWorld(parseSeed('7')!), ['net']))).toEqual(answers);
  expect(written.log()).toEqual(bare);
});

describe('the forms of a log', () => {
  it('both come back as they were', () => {
    fc.assert(
      fc.property(logs, (log) => {
        expect(decodeLog(encodeLog(ORIGIN, log))).toEqual({ origin: ORIGIN, log });
        expect(parseLogText(logText(ORIGIN, log))).toEqual({ origin: ORIGIN, log });
      }),
    );
  });

  it('a log that does not say what is left to the seed leaves nothing to it', () => {
    const { seeded: _, ...before } = ORIGIN;
    const bytes = encodeLog(before as LogOrigin, new Map());
    expect(decodeLog(bytes).origin).toEqual({ ...ORIGIN, seeded: [] });
  });

  it('the text has a line for each decision', () => {
    const log = new Map([
      [
        'net/1>2',
        [
          { counter: 17, kind: 'loss', n: 2, value: 1 },
          { counter: 22, kind: 'latency', n: 0, value: 93_110 },
        ],
      ],
    ]);
    expect(logText({ ...ORIGIN, commit: 'abc' }, log)).toBe(
      '# quorate decisions 1\n# scenario storm\n# seed 0000000000000007\n# commit abc\n# seeded net\n# seeded disk\n' +
        '# option nemesis swarm\n' +
        'net/1>2#17 loss=1/2\nnet/1>2#22 latency=93110\n',
    );
  });

  it.each([
    ['', 'line 1'],
    ['# quorate decisions 1\nnet loss\n', 'line 2'],
    ['# quorate decisions 1\na#2 x=1/2\na#2 x=1/2\n', 'line 3'],
    ['# quorate decisions 1\n# scenario storm\n', 'header'],
  ])('a text that is none is refused: %j', (text, path) => {
    expect(() => parseLogText(text)).toThrow(expect.objectContaining({ name: 'ConfigError', path }));
  });

  it('bytes that are none are refused, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(() => decodeLog(bytes)).toThrow(ConfigError);
      }),
    );
  });
});
