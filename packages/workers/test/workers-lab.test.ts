import { concatBytes, defineInvariant, type Fact, hex, latin1, SECOND, type Stamped } from '@quorate/kernel';
import { type Fault, type LogLine, plainTopology, type Topology } from '@quorate/lab';
import { SparseStore } from '@quorate/scsi';
import { administratorsPrograms } from '@quorate/shell';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type FrameWatcher,
  inProcessWorker,
  type OpenStores,
  Recording,
  replay,
  type WorkerLike,
  type WorkersConfig,
  WorkersLab,
  type WorkersResult,
  watchFrames,
} from '../src/index.js';
import { threadWorker } from '../src/node/index.js';
import { bundlePairWorker } from './bundled-worker.js';
import { type PingResult, pingScenario, twoMachines } from './two-machines.js';

const SEED = { hi: 0, lo: 1 };

function newLab(config: Partial<WorkersConfig>): WorkersLab {
  return new WorkersLab({
    scenario: pingScenario(),
    topologyName: 'pair',
    topology: twoMachines(),
    seed: SEED,
    speed: 20,
    invariants: [],
    spawn: () => inProcessWorker({ pair: twoMachines }),
    ...config,
  });
}

function withTools(): Topology {
  return plainTopology({ machines: 2, programs: administratorsPrograms });
}

it('disks are written where the embedder says, and are durable when the run has ended', async () => {
  const opened: SparseStore[] = [];
  let closed = 0;
  const openStores: OpenStores = (options, disks) => {
    expect(options).toEqual({ where: 'here' });
    for (const { image } of disks) opened.push(new SparseStore({ base: image }));
    return {
      stores: new Map(disks.map(({ lun }, i) => [lun, opened[i]!])),
      close: () => {
        closed += 1;
      },
    };
  };
  const result = await newLab({
    scenario: {
      ...pingScenario(),
      *script(lab) {
        lab.powerOn('node1');
        yield* lab.waitFor((fact) => 'state' in fact && fact.state === 'up', 60 * SECOND);
        return yield* lab.exec('node1', 'echo y | mkqdisk -c /dev/sdb -l here');
      },
    },
    storeOptions: { where: 'here' },
    topology: withTools(),
    spawn: () => inProcessWorker({ pair: withTools }, openStores),
  }).run();
  expect(result).toMatchObject({ reason: 'ended', exception: undefined, result: { status: 0 } });
  expect([...opened[0]!.pages()].some(({ bytes }) => latin1(bytes).includes('here'))).toBe(true);
  expect([opened.length, closed]).toEqual([1, 1]);
});

it('a worker that opens no stores says so', async () => {
  const { reason, gone } = await newLab({ storeOptions: {} }).run();
  expect(reason).toBe('gone');
  expect(gone!.message).toContain('this worker opens no stores');
});

let bundle: Awaited<ReturnType<typeof bundlePairWorker>>;
beforeAll(async () => {
  bundle = await bundlePairWorker();
});
afterAll(() => bundle.remove());

/** Writes down what it hears of frames. */
function frameLines(lines: string[]): FrameWatcher {
  return {
    sends: (frame) => lines.push(`sends ${hex(frame)}`),
    arrives: (at, nic, id, bytes) => lines.push(`${at} ${nic} ${id} ${bytes.length}`),
    fact: ({ kind, at }) => lines.push(`${at} ${kind}`),
  };
}

describe.each<[string, () => WorkerLike]>([
  ['in worker threads', () => threadWorker(bundle.url)],
  ['in one process', () => inProcessWorker({ pair: twoMachines })],
])('two machines %s', (_where, spawn) => {
  const facts: Stamped[] = [];
  const lines: LogLine[] = [];
  const recorded: Uint8Array[] = [];
  const live: string[] = [];
  let result: WorkersResult;

  beforeAll(async () => {
    result = await newLab({
      spawn,
      recordTo: (bytes) => recorded.push(bytes.slice()),
      frames: frameLines(live),
      watcher: {
        fact: (fact) => facts.push(fact),
        log: (line) => lines.push(line),
      },
    }).run();
  });

  it('boot, and one pings the other', () => {
    expect(result).toMatchObject({ reason: 'ended', gone: undefined, exception: undefined, violations: [] });
    const { ping, status } = result.result as PingResult;
    expect(status).toBe(0);
    expect(ping).toContain('2 packets transmitted, 2 received, 0% packet loss');
  });

  it('tell their frames while they run as their recording does', () => {
    const later: string[] = [];
    watchFrames(new Recording(concatBytes(...recorded)), twoMachines(), frameLines(later));
    expect(live.length).toBeGreaterThan(10);
    expect(live).toEqual(later);
  });

  it('lose their power at the same instant, and answer no command after it', () => {
    const offs = facts.filter((fact) => 'state' in fact && fact.state === 'off');
    expect(offs.map(({ node }) => node).sort()).toEqual([1, 2]);
    expect(offs[0]!.at).toBe(offs[1]!.at);
    expect((result.result as PingResult).whenOff).toBeUndefined();
  });

  it('tell their facts in the order of time, each its own without a gap', () => {
    const seqs = new Map<number, number>();
    let at = 0;
    for (const fact of facts) {
      expect(fact.at).toBeGreaterThanOrEqual(at);
      expect(fact.seq).toBe((seqs.get(fact.node) ?? 0) + 1);
      at = fact.at;
      seqs.set(fact.node, fact.seq);
    }
    expect([...seqs.keys()].sort()).toEqual([0, 1, 2]);
    expect(lines.map(({ machine, tag }) => `${machine} ${tag}`)).toContain('node2 corosync');
  });

  it('hear a frame after it was sent', () => {
    const sentAt = new Map<unknown, number>();
    let delivered = 0;
    for (const fact of facts as (Stamped & { id?: unknown })[]) {
      if (fact.kind === 'network.sent') sentAt.set(fact.id, fact.at);
      if (fact.kind !== 'network.delivered') continue;
      expect(fact.at).toBeGreaterThanOrEqual(sentAt.get(fact.id)!);
      delivered += 1;
    }
    expect(delivered).toBeGreaterThan(100);
  });

  it('leave their disk to whoever looks at it at the end', () => {
    expect(facts.at(-1)).toMatchObject({ kind: 'test.disk', first: 0x5a });
    expect([...result.stores.keys()]).toEqual([0]);
  });

  it('do the same again, byte by byte, when each of them, the network and the disks are stepped through the recording', () => {
    const recording = new Recording(concatBytes(...recorded));
    expect(recording.header).toMatchObject({ scenario: 'ping', topologyName: 'pair', seed: SEED, speed: 20 });
    expect(recording.end).toMatchObject({ reason: 'ended', threw: null });
    const parts = [...replay(recording, { pair: twoMachines })];
    expect(parts.map(({ name, isEqual, difference }) => ({ name, isEqual, difference }))).toEqual(
      ['switch', 'disks', 'node1', 'node2'].map((name) => ({ name, isEqual: true, difference: undefined })),
    );
    for (const { name, inputs, outputs } of parts) {
      expect(inputs).toBeGreaterThan(3);
      // Nobody has asked the disks for anything.
      expect(outputs > 20).toBe(name !== 'disks');
    }
  });
});

it('stands while it is held, longer than a worker may be silent, and goes on at another speed', async () => {
  let downAt = 0;
  const lab = newLab({
    speed: 20,
    hangTimeoutMs: 100,
    scenario: {
      name: 'wait',
      title: 'nothing happens by itself',
      kinds: [],
      *script(lab) {
        lab.powerOn('node1');
        yield* lab.wait(60 * SECOND);
      },
    },
    watcher: {
      fact: (fact) => {
        if (fact.kind === 'node.state' && fact.at > 0) standStill();
      },
    },
  });
  let isStanding = () => {};
  const stood = new Promise<void>((resolve) => {
    isStanding = resolve;
  });
  const standStill = (): void => {
    lab.hold();
    const before = lab.now();
    setTimeout(() => {
      downAt = lab.now() - before;
      lab.setSpeed(200);
      lab.release();
      isStanding();
    }, 400);
  };
  const result = await lab.run();
  await stood;
  // Two slices were granted already, and one was not heard.
  expect(downAt).toBeLessThan(0.5 * SECOND);
  expect(result).toMatchObject({ reason: 'ended', gone: undefined });
});

describe('an invariant', () => {
  const never = defineInvariant<Fact & { kind: 'node.state'; state: string }>({
    id: 'T1',
    name: 'nobody is off',
    statement: 'no machine is off',
    kinds: ['node.state'],
    start: () => ({
      observe: (fact, verdict) => {
        if (fact.state === 'off') verdict.violate('off', [fact.node]);
      },
    }),
  });

  it.each([
    ['ends the run when it is violated', {}, 'violation', 1],
    ['is only noted when the run is to go on', { keepGoing: true }, 'ended', 2],
  ])('%s', async (_what, config, reason, violations) => {
    const result = await newLab({ ...config, invariants: [never], speed: 100 }).run();
    expect(result).toMatchObject({ reason, checked: ['T1'] });
    expect(result.violations).toHaveLength(violations);
  });
});

it('an embedder types commands and asks for pages beside the script, and cuts power and cables', async () => {
  const kept: string[] = [];
  const lab = newLab({
    speed: 20,
    maxTime: 60 * SECOND,
    scenario: {
      name: 'wait',
      title: 'nothing happens by itself',
      kinds: [],
      *script(lab) {
        yield* lab.wait(Infinity);
      },
    },
    watcher: {
      fact: (fact) => {
        if (fact.kind !== 'node.state' || !('state' in fact)) return;
        kept.push(`${fact.node} ${fact.state}`);
        if (fact.node === 1 && fact.state === 'up') isUp();
      },
    },
  });
  let isUp = () => {};
  const up = new Promise<void>((resolve) => {
    isUp = resolve;
  });
  const run = lab.run();
  lab.command({ kind: 'power-on', machine: 'node1' });
  await up;
  expect((await lab.exec('node1', 'ping -c1 10.0.0.254'))?.output).toContain('1 received');
  expect(await lab.fetch({ address: '10.0.0.1', path: '/', timeout: SECOND })).toMatchObject({ isAnswered: false });
  expect(await lab.inspect('node1')).toMatchObject({ state: 'up', life: 1 });
  lab.command({ kind: 'link', machine: 'node1', isUp: false });
  expect((await lab.exec('node1', 'ping -c1 10.0.0.254'))?.output).toContain('0 received');
  lab.command({ kind: 'power-off', machine: 'node1' });
  expect(await lab.exec('node1', 'true')).toBeUndefined();
  lab.stop();
  expect((await run).reason).toBe('stopped');
  expect(kept).toEqual(['1 booting', '1 up', '1 off']);
});

describe('a fault', () => {
  const withTools = (): Topology => plainTopology({ machines: 2, programs: administratorsPrograms });
  const keys = 'sg_persist -i -k /dev/sdb';

  interface Done {
    readonly status: number | undefined;
    readonly last: string | undefined;
    readonly seconds: number;
  }

  /** Two machines boot, a fault is set, and node1 types a command: in worker time, and again in the recording. */
  async function afterFault(fault: Fault, command: string): Promise<Done> {
    const recorded: Uint8Array[] = [];
    const result = await newLab({
      topology: withTools(),
      spawn: () => inProcessWorker({ pair: withTools }),
      recordTo: (bytes) => recorded.push(bytes.slice()),
      scenario: {
        name: 'fault',
        title: 'a fault',
        kinds: ['node.state'],
        *script(lab) {
          lab.powerOn(...lab.machines);
          yield* lab.wait(31 * SECOND);
          lab.fault(fault);
          const from = lab.now();
          const done = yield* lab.exec('node1', command);
          const seconds = (lab.now() - from) / SECOND;
          return { status: done?.status, last: done?.output.trim().split('\n').at(-1), seconds };
        },
      },
    }).run();
    expect(result).toMatchObject({ reason: 'ended', exception: undefined, gone: undefined });
    const parts = [...replay(new Recording(concatBytes(...recorded)), { pair: withTools })];
    expect(parts.filter(({ isEqual }) => !isEqual)).toEqual([]);
    return result.result as Done;
  }

  // The script hears of a command's end up to three slices later, 0.15 s: it takes at least as long as in the simulator.
  it.each<readonly [string, Fault, string, number, string, number]>([
    [
      'links',
      { kind: 'links', from: 'node1', parameters: { loss: 1 } },
      'ping -c1 -W1 10.0.0.2',
      1,
      '1 packets transmitted, 0 received, 100% packet loss, time 1000ms',
      1,
    ],
    [
      'clog',
      { kind: 'clog', from: 'node2', to: 'node1', duration: 3 * SECOND },
      'ping -c1 -W5 10.0.0.2',
      0,
      'rtt min/avg/max/mdev',
      2.9,
    ],
    [
      'clock-drift',
      { kind: 'clock-drift', machine: 'node1', ppm: 400_000 },
      'ping -c1 -W3 10.0.0.99',
      1,
      '1 packets transmitted, 0 received, 100% packet loss, time 3000ms',
      2.1,
    ],
    [
      'clock-step',
      { kind: 'clock-step', machine: 'node1', offset: -3600 * SECOND },
      'date',
      0,
      'Wed Dec 31 23:00:3',
      0,
    ],
    ['disks', { kind: 'disks', machine: 'node1', impairment: { hungFor: 4 * SECOND } }, keys, 0, '', 3.9],
    [
      'program',
      { kind: 'program', machine: 'node1', fault: { program: 'date', runs: 1, delay: 2 * SECOND, status: 7 } },
      'date',
      7,
      '',
      2,
    ],
  ])(
    'of %s changes what a command finds, as in the simulator',
    async (_kind, fault, command, status, last, seconds) => {
      const done = await afterFault(fault, command);
      expect(done.status).toBe(status);
      expect(done.last).toContain(last);
      expect(done.seconds).toBeGreaterThanOrEqual(seconds);
      expect(done.seconds).toBeLessThan(seconds + 1);
    },
  );

  it("of a machine that there is not is the script's mistake", async () => {
    for (const fault of [
      { kind: 'links', to: 'node9', parameters: {} },
      { kind: 'disks', machine: 'node9', impairment: {} },
      { kind: 'clock-drift', machine: 'node9', ppm: 1 },
    ] satisfies Fault[]) {
      const lab = newLab({
        scenario: {
          name: 'mistake',
          title: 'a wrong name',
          kinds: [],
          *script(lab) {
            lab.fault(fault);
            yield* lab.wait(SECOND);
          },
        },
      });
      expect(await lab.run()).toMatchObject({
        reason: 'exception',
        exception: expect.stringContaining('no machine named node9'),
      });
    }
  });
});
