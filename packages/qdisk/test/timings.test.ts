import { ConfigError } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { heuristicTiming, type Quorumd, quorumTimings } from '../src/index.js';
import { type ClusterNode, dynamicSettings, staticSettings } from '../src/settings.js';

describe('automatic timings with an interval of 1 s', () => {
  it.each([
    // token  tko  tko_up  master_wait  R      ceiling  heuristic interval and tko
    [10_000, 4, 2, 3, 9000, 3, [1, 3]],
    [21_000, 10, 3, 5, 17_000, 9, [2, 4]],
    [30_000, 14, 4, 7, 23_000, 13, [2, 6]],
    [45_000, 22, 7, 11, 35_000, 21, [2, 10]],
    [60_000, 29, 9, 14, 45_000, 28, [3, 9]],
  ] as const)(
    'token %i ms',
    (tokenMs, tko, tkoUp, masterWait, failoverMs, heuristicCeilingSec, [intervalSec, heuristicTko]) => {
      const timings = quorumTimings({ tokenMs });
      expect(timings).toEqual({
        tokenMs,
        intervalSec: 1,
        tko,
        tkoUp,
        upgradeWait: 2,
        masterWait,
        failoverMs,
        heuristicCeilingSec,
      });
      expect(heuristicTiming(heuristicCeilingSec)).toEqual({ intervalSec, tko: heuristicTko });
    },
  );

  it('an absent token is 10000 ms', () => {
    expect(quorumTimings({})).toEqual(quorumTimings({ tokenMs: 10_000 }));
  });
});

describe('explicit timings', () => {
  it.each([
    [{ intervalSec: 0 }, { intervalSec: 1 }],
    [
      { tokenMs: 60_000, intervalSec: 2 },
      { tko: 29, heuristicCeilingSec: 56 },
    ],
    [
      { tokenMs: 60_000, tko: 5, tkoUp: 1 },
      { tko: 5, tkoUp: 2, masterWait: 3 },
    ],
    [{ tokenMs: 60_000, upgradeWait: 0 }, { upgradeWait: 1 }],
    [
      { tokenMs: 60_000, masterWait: 9 },
      { tkoUp: 9, masterWait: 10 },
    ],
    [
      { tokenMs: 60_000, tko: 19, masterWait: 12 },
      { tko: 19, tkoUp: 6, masterWait: 12 },
    ],
  ] as const)('%j', (attributes, expected) => {
    if ('intervalSec' in attributes && attributes.intervalSec === 2) {
      // 2 * (29 + 14 + 2) s would outlast the token
      expect(() => quorumTimings(attributes)).toThrow(ConfigError);
      return;
    }
    expect(quorumTimings(attributes)).toMatchObject(expected);
  });

  it.each([
    [{ tokenMs: 9999 }, '/cluster/totem/@token: found "9999", expected at least 10000 with a quorum disk'],
    [
      { tko: 5 },
      '/cluster/totem/@token: found "10000", expected at least 11000 for a quorum disk with interval 1 and tko 5',
    ],
    [
      { intervalSec: 2 },
      '/cluster/totem/@token: found "10000", expected at least 20000 for a quorum disk with interval 2 and tko 4',
    ],
  ] as const)('%j is refused', (attributes, message) => {
    expect(() => quorumTimings(attributes)).toThrow(message);
  });
});

describe('timing of a heuristic', () => {
  it.each([
    // ceiling  interval  tko          result
    [2, undefined, undefined, 2, 1],
    [3, undefined, undefined, 1, 3],
    [4, undefined, undefined, 1, 4],
    [22, undefined, undefined, 2, 11],
    [39, undefined, undefined, 3, 13],
    [50, undefined, undefined, 4, 12],
    [51, undefined, undefined, 5, 10],
    [3, undefined, 10, 1, 10],
    [3, 0, 0, 2, 1],
    [3, 5, -1, 5, 1],
  ])('ceiling %i s, interval %s, tko %s', (ceiling, interval, tko, intervalSec, resultingTko) => {
    expect(heuristicTiming(ceiling, interval, tko)).toEqual({ intervalSec, tko: resultingTko });
  });
});

describe('settings', () => {
  const nodes = (count: number): ClusterNode[] =>
    Array.from({ length: count }, (_, i) => ({ nodeId: i + 1, name: `my-vm${i + 1}`, votes: 1 }));
  const settle = (quorumd: Quorumd, clusterNodes: readonly ClusterNode[]) => {
    const texts: string[] = [];
    const log = ({ text }: { text: string }): void => {
      texts.push(text);
    };
    const dynamic = dynamicSettings(quorumd, clusterNodes, log);
    return { dynamic, fixed: staticSettings(quorumd, undefined, dynamic, log), texts };
  };

  it.each([
    // nodes  quorumd                                    votes  master wins
    [5, {}, 4, false],
    [2, {}, 1, true],
    [2, { votes: 1 }, 1, false],
    [2, { votes: 1, masterWins: true }, 1, true],
    [2, { heuristics: [{ program: 'true' }] }, 1, false],
    [2, { masterWins: true, heuristics: [{ program: 'true' }] }, 1, false],
    [3, { masterWins: true }, 2, false],
    [5, { votes: -3 }, 0, false],
  ] as const)('%i nodes, %j', (count, quorumd, votes, masterWins) => {
    const { dynamic, fixed } = settle(quorumd, nodes(count));
    expect([dynamic.votes, fixed.masterWins]).toEqual([votes, masterWins]);
  });

  it('master-wins that cannot be is dropped with a reason', () => {
    expect(settle({ masterWins: true }, nodes(3)).texts).toContain(
      'Master-wins mode disabled (not compatible with more than 2 nodes)',
    );
    expect(settle({ masterWins: true, heuristics: [{ program: 'true' }] }, nodes(2)).texts).toContain(
      'Master-wins mode disabled (not compatible with heuristics)',
    );
  });

  it('votes cannot be derived when a node has more than one', () => {
    const odd = [...nodes(2), { nodeId: 3, name: 'my-vm3', votes: 2 }];
    expect(() => settle({}, odd)).toThrow(ConfigError);
    expect(settle({ votes: 3 }, odd).texts.slice(0, 2)).toEqual([
      "my-vm3's vote count is 2",
      "Set all node vote counts to 1 or specify qdiskd's votes",
    ]);
  });

  it('max_error_cycles has no effect beside io_timeout', () => {
    expect(settle({ maxErrorCycles: 3 }, nodes(5)).dynamic.maxErrorCycles).toBe(3);
    expect(settle({ maxErrorCycles: 3, ioTimeout: true }, nodes(5)).dynamic.maxErrorCycles).toBe(0);
  });

  it('more than 10 heuristics are refused', () => {
    const heuristics = Array.from({ length: 11 }, () => ({ program: 'true' }));
    expect(() => settle({ heuristics }, nodes(5))).toThrow(ConfigError);
  });

  it('a low tko is worth a warning', () => {
    expect(settle({ tko: 3 }, nodes(5)).texts).toContain('Quorum disk TKO (3) is too low!');
  });
});
