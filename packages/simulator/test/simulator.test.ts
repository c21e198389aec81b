import { type Fact, type Invariant, type Program, parseSeed, SECOND, type Stamped, type Task } from '@quorate/kernel';
import { type Lab, plainTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { describe, expect, it } from 'vitest';
import { Simulator, type SimulatorConfig } from '../src/index.js';

const TWO = plainTopology({ machines: 2, programs: administratorsPrograms });

type Script<Result> = (lab: Lab) => Task<Result>;

function scenarioOf<Result>(script: Script<Result>, kinds: readonly string[] = ['node.state']): Scenario<Result> {
  return { name: 'test', title: 'test', kinds, script };
}

function simulate<Result>(script: Script<Result>, changes: Partial<SimulatorConfig> = {}) {
  const simulator = new Simulator({
    scenario: scenarioOf(script),
    topology: TWO,
    seed: parseSeed('1')!,
    invariants: [],
    ...changes,
  });
  return { simulator, result: simulator.run() };
}

/** Both machines boot and run their first processes. */
function* boot(lab: Lab): Task {
  lab.powerOn(...lab.machines);
  yield* lab.wait(31 * SECOND);
}

function* output(lab: Lab, machine: string, command: string): Task<string> {
  const done = yield* lab.exec(machine, command);
  return done === undefined ? 'no answer' : `${done.status} ${done.output.trim().split('\n').at(-1)}`;
}

function* bootAndPing(lab: Lab): Task<string> {
  yield* boot(lab);
  return yield* output(lab, 'node1', 'ping -c1 10.0.0.2');
}

describe('one seed is one run', () => {
  const facts: Stamped[] = [];
  const base = simulate(bootAndPing).result;

  it.each<[string, Partial<SimulatorConfig>]>([
    ['run again', {}],
    ['with all checkers', { invariants: stackInvariants }],
    ['with a watcher', { watcher: { fact: (fact) => facts.push(fact), log: () => {}, progress: () => {} } }],
  ])('%s it has the same hash', (_, changes) => {
    const { result } = simulate(bootAndPing, changes);
    expect([result.hash, result.events, result.at]).toEqual([base.hash, base.events, base.at]);
  });

  it('in slices it has the same hash', () => {
    const sliced = new Simulator({
      scenario: scenarioOf(bootAndPing),
      topology: TWO,
      seed: parseSeed('1')!,
      invariants: [],
    });
    let result = sliced.run(0);
    for (let at = 0; result.reason === 'time'; at += 0.7 * SECOND) result = sliced.run(at);
    expect([result.reason, result.hash]).toEqual(['ended', base.hash]);
  });

  it('another seed is another run', () => {
    expect(simulate(bootAndPing, { seed: parseSeed('2')! }).result.hash).not.toBe(base.hash);
  });

  it('a clock that drifts is another run', () => {
    expect(simulate(bootAndPing, { drift: new Map([['node1', 50]]) }).result.hash).not.toBe(base.hash);
  });
});

describe('power', () => {
  it.each<[string, Script<string>, string]>([
    ['a machine that is off does not answer', (lab) => output(lab, 'node1', 'hostname'), 'no answer'],
    [
      'a machine that boots does not answer yet',
      function* (lab) {
        lab.powerOn('node1');
        yield* lab.wait(SECOND);
        return yield* output(lab, 'node1', 'true');
      },
      'no answer',
    ],
    [
      'a command dies with its machine',
      function* (lab) {
        yield* boot(lab);
        lab.powerOn('node2');
        const done = yield* lab.exec('node1', 'poweroff');
        return done === undefined ? 'no answer' : 'answered';
      },
      'no answer',
    ],
    [
      'a machine that is off does not answer pings',
      function* (lab) {
        yield* boot(lab);
        lab.powerOff('node2');
        return yield* output(lab, 'node1', 'ping -c1 -W1 10.0.0.2');
      },
      '1 1 packets transmitted, 0 received, 100% packet loss, time 1000ms',
    ],
    [
      'it answers again in its next life, and its root disk is still there',
      function* (lab) {
        yield* boot(lab);
        lab.powerOff('node2');
        lab.powerOn('node2');
        yield* lab.wait(31 * SECOND);
        return (yield* output(lab, 'node1', 'ping -c1 10.0.0.2')).slice(0, 1);
      },
      '0',
    ],
  ])('%s', (_, script, expected) => {
    expect(simulate(script).result.result).toBe(expected);
  });

  it('a paused machine does nothing and notices nothing', () => {
    const { result } = simulate(function* (lab) {
      yield* boot(lab);
      lab.pause('node2');
      const paused = yield* output(lab, 'node1', 'ping -c1 -W1 10.0.0.2');
      lab.resume('node2');
      return [paused.slice(0, 1), (yield* output(lab, 'node1', 'ping -c1 10.0.0.2')).slice(0, 1)];
    });
    expect(result.result).toEqual(['1', '0']);
  });
});

describe('cables', () => {
  const ping = (lab: Lab): Task<string> => output(lab, 'node1', 'ping -c1 -W1 10.0.0.2');

  it.each<[string, (lab: Lab) => void, (lab: Lab) => void]>([
    ['network cable', (lab) => lab.setLink('node2', false), (lab) => lab.setLink('node2', true)],
    ['partition', (lab) => lab.partition(['node1'], ['node2']), (lab) => lab.heal()],
    ['one-way partition', (lab) => lab.partition(['node2'], ['node1'], false), (lab) => lab.heal()],
  ])('%s: pulled, nothing comes through; put back, it does', (_, pull, putBack) => {
    const { result } = simulate(function* (lab) {
      yield* boot(lab);
      pull(lab);
      const without = yield* ping(lab);
      putBack(lab);
      return [without.slice(0, 1), (yield* ping(lab)).slice(0, 1)];
    });
    expect(result.result).toEqual(['1', '0']);
  });

  it('disk cable: pulled, a command ends with a transport error; put back, the disk answers', () => {
    const { result } = simulate(function* (lab) {
      yield* boot(lab);
      const keys = 'sg_persist -i -k /dev/sdb';
      const before = yield* lab.exec('node1', keys);
      lab.setDiskPath('node1', false);
      const without = yield* lab.exec('node1', keys);
      lab.setDiskPath('node1', true);
      const after = yield* lab.exec('node1', keys);
      return [before, without, after].map((done) => done?.status === 0);
    });
    expect(result.result).toEqual([true, false, true]);
  });
});

describe('a run stops', () => {
  const rule: Invariant = {
    id: 'T1',
    name: 'no-machine',
    statement: 'no machine ever boots',
    kinds: ['node.state'],
    start: () => ({ observe: (fact, verdict) => verdict.violate('a machine boots', [fact.node]) }),
  };

  it.each<[string, Partial<SimulatorConfig>, Script<unknown>, string]>([
    ['when its script ends', {}, bootAndPing, 'ended'],
    ['at the first violation', { invariants: [rule] }, bootAndPing, 'violation'],
    ['at the end of its time', { maxTime: 5 * SECOND }, bootAndPing, 'time'],
    ['at the end of its events', { maxEvents: 100 }, bootAndPing, 'events'],
    [
      'when its script throws',
      {},
      function* () {
        throw new Error('planted');
      },
      'exception',
    ],
    [
      'when it names a machine that there is not',
      {},
      function* (lab) {
        lab.powerOn('nobody');
        yield* lab.wait(SECOND);
      },
      'exception',
    ],
  ])('%s', (_, changes, script, reason) => {
    expect(simulate(script, changes).result.reason).toBe(reason);
  });

  it('when a machine throws, which violates S32', () => {
    const throwing: Program = function* () {
      throw new Error('planted');
    };
    const topology = { ...TWO, programs: new Map([['throwing', throwing]]) };
    const script: Script<unknown> = function* (lab) {
      yield* boot(lab);
      yield* lab.exec('node2', 'throwing');
    };
    const { result } = simulate(script, { topology, invariants: stackInvariants });
    expect(result.reason).toBe('exception');
    expect(result.violations).toMatchObject([
      { invariant: 'S32', nodes: [2], message: 'node2 threw on exec: planted' },
    ]);
  });

  it('when its script throws, which is no machine', () => {
    const script: Script<unknown> = function* () {
      throw new Error('planted');
    };
    expect(simulate(script, { invariants: stackInvariants }).result.violations).toEqual([]);
  });

  it('goes on after a violation when told so', () => {
    const { result } = simulate(bootAndPing, { invariants: [rule], keepGoing: true });
    expect([result.reason, result.violations.length > 1]).toEqual(['ended', true]);
  });
});

it('a page can be asked for, and nobody serves it', () => {
  const { result } = simulate(function* (lab) {
    yield* boot(lab);
    return yield* lab.fetch('10.0.0.1', '/', 2 * SECOND);
  });
  expect(result.result).toEqual({ isAnswered: false, outcome: 'ECONNREFUSED', body: '' });
});

it('what is on the disks at the end is told as facts, and checked', () => {
  const told: Fact[] = [];
  const scenario: Scenario<void> = {
    ...scenarioOf(function* (lab) {
      yield* lab.wait(SECOND);
    }),
    atEnd: (stores, now) => [{ kind: 'test.disks', now, luns: [...stores.keys()] } as Fact],
  };
  const watcher = { fact: (fact: Fact) => told.push(fact) };
  new Simulator({
    scenario,
    topology: TWO,
    seed: parseSeed('1')!,
    invariants: [],
    watcher,
    watchedKinds: ['test.disks'],
  }).run();
  expect(told).toMatchObject([{ kind: 'test.disks', luns: [0], node: 0 }]);
});
