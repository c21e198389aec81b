import { type Fact, type Program, SECOND, type Stamped } from '@quorate/kernel';
import { plainTopology, type Scenario, stackInvariants, type Topology } from '@quorate/lab';
import { describe, expect, it } from 'vitest';
import { inProcessWorker, type WorkersConfig, WorkersLab } from '../src/index.js';
import { threadWorker } from '../src/node/index.js';
import { twoMachines } from './two-machines.js';

/** Waits for a command that nobody answers. */
const patient: Scenario = {
  name: 'patient',
  title: 'a command is typed',
  kinds: [],
  *script(lab) {
    yield* lab.exec('node1', 'true');
  },
};

function newLab(config: Pick<WorkersConfig, 'spawn'> & Partial<WorkersConfig>): WorkersLab {
  const topology = twoMachines();
  return new WorkersLab({
    scenario: patient,
    topologyName: 'pair',
    topology,
    seed: { hi: 0, lo: 1 },
    speed: 1,
    invariants: [],
    ...config,
  });
}

function fake(name: string) {
  return threadWorker(new URL(`fake-workers/${name}.mjs`, import.meta.url), { maxOldGenerationSizeMb: 16 });
}

describe('a worker that is no more', () => {
  it.each([
    // what the second machine's worker does  reason    message
    ['throws', 'threw', 'Error: planted'],
    ['exits', 'exited', 'exit code 3'],
    ['fills-its-heap', 'threw', 'JS heap out of memory'],
    ['is-not-there', 'threw', 'Cannot find module'],
    ['hangs', 'hung', 'slice 1 is not acknowledged'],
    ['never-ready', 'hung', 'not ready'],
  ])(
    'as it %s ends the run and is named',
    async (name, reason, message) => {
      const facts: Fact[] = [];
      const result = await newLab({
        spawn: (worker) => fake(worker === 'node2' ? name : 'good'),
        hangTimeoutMs: name === 'never-ready' ? 1000 : 2000,
        watcher: { fact: (fact) => facts.push(fact) },
      }).run();
      expect(result).toMatchObject({ reason: 'gone', gone: { worker: 'node2', reason }, result: undefined });
      expect(result.gone?.message).toContain(message);
      expect(facts).toEqual([expect.objectContaining({ kind: 'workers.gone', worker: 'node2', reason })]);
    },
    180_000,
  );

  it('answers what was asked of it with nothing', async () => {
    const lab = newLab({ spawn: (worker) => fake(worker === 'node2' ? 'hangs' : 'good'), hangTimeoutMs: 1500 });
    const run = lab.run();
    const answers = await Promise.all([lab.exec('node2', 'true'), lab.inspect('node2')]);
    expect(answers).toEqual([undefined, undefined]);
    expect((await run).reason).toBe('gone');
    expect(await lab.exec('node2', 'true')).toBeUndefined();
  }, 180_000);

  it('as it does not confirm that its machine loses its power is not waited for', async () => {
    const scenario: Scenario = {
      ...patient,
      *script(lab) {
        yield* lab.wait(20_000_000);
        lab.powerOff('node2');
        yield* lab.wait(Infinity);
      },
    };
    const spawn = (worker: string) => fake(worker === 'node2' ? 'takes-no-command' : 'good');
    const result = await newLab({ scenario, spawn, hangTimeoutMs: 1500 }).run();
    expect(result.gone).toMatchObject({ worker: 'node2', reason: 'hung', message: 'a command is not confirmed' });
  }, 180_000);

  it('because it serves another topology says which it serves', async () => {
    const result = await newLab({ spawn: () => inProcessWorker({ other: twoMachines }) }).run();
    expect(result.gone).toMatchObject({ worker: 'switch', reason: 'threw' });
    expect(result.gone?.message).toContain('no topology pair: this worker serves other');
  });

  it('because its machine threw violates S32, and another part of the lab nothing', async () => {
    const throwing: Program = function* () {
      throw new Error('planted');
    };
    const build = (): Topology => plainTopology({ machines: 2, programs: new Map([['throwing', throwing]]) });
    const scenario: Scenario = {
      ...patient,
      kinds: ['node.state'],
      *script(lab) {
        lab.powerOn('node2');
        yield* lab.waitFor((fact) => fact.node === 2 && 'state' in fact && fact.state === 'up', 60 * SECOND);
        yield* lab.exec('node2', 'throwing');
      },
    };
    const spawn = () => inProcessWorker({ pair: build });
    const result = await newLab({ scenario, topology: build(), spawn, speed: 50, invariants: stackInvariants }).run();
    expect(result).toMatchObject({
      reason: 'gone',
      gone: { worker: 'node2', reason: 'threw' },
      violations: [{ invariant: 'S32', nodes: [2], message: 'node2 threw on exec: planted' }],
    });
    const other = await newLab({
      spawn: () => inProcessWorker({ other: twoMachines }),
      invariants: stackInvariants,
    }).run();
    expect([other.gone?.reason, other.violations]).toEqual(['threw', []]);
  });

  it('at the end of the script is missed when the disks are asked for', async () => {
    const scenario: Scenario = {
      ...patient,
      *script() {},
      atEnd: (stores): Stamped[] => {
        throw new Error(`looked at ${stores.size} disks`);
      },
    };
    const result = await newLab({ scenario, spawn: () => fake('good'), hangTimeoutMs: 1500 }).run();
    expect(result).toMatchObject({ reason: 'gone', gone: { worker: 'disks', reason: 'hung' }, exception: undefined });
  }, 180_000);
});

describe('a run', () => {
  it('ends when it is stopped', async () => {
    const lab = newLab({ spawn: () => fake('good'), speed: 1 });
    const run = lab.run();
    lab.stop();
    expect(await run).toMatchObject({ reason: 'stopped', gone: undefined });
  });

  it('ends at its time limit', async () => {
    const result = await newLab({ spawn: () => fake('good'), speed: 100, maxTime: 2_000_000_000 }).run();
    expect(result).toMatchObject({ reason: 'time', at: 2_000_000_000 });
  });

  it.each<[string, Partial<WorkersConfig>]>([
    [
      'the script',
      {
        scenario: {
          ...patient,
          *script() {
            throw new Error('planted');
          },
        },
      },
    ],
    [
      'a watcher',
      {
        scenario: {
          ...patient,
          *script(lab) {
            lab.progress({ kind: 'step-ended', id: 'a' });
            yield* lab.wait(1);
          },
        },
        watcher: {
          progress: () => {
            throw new Error('planted');
          },
        },
      },
    ],
  ])('ends with an exception when %s throws', async (_who, config) => {
    const result = await newLab({ spawn: () => fake('good'), ...config }).run();
    expect(result).toMatchObject({ reason: 'exception', exception: expect.stringContaining('Error: planted') });
  });

  it('ends with an exception when a worker cannot be spawned', async () => {
    const spawn = (name: string) => {
      if (name === 'node1') throw new Error('no more threads');
      return fake('good');
    };
    expect(await newLab({ spawn }).run()).toMatchObject({
      reason: 'exception',
      exception: expect.stringContaining('no more threads'),
    });
  });
});
