import { ConfigError, SeededWorld, TAME_WORLD, type World } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { Network, type NetworkFact, parseMac } from '../src/index.js';
import { EVERYBODY, frame, macOf, Wire } from './wire.js';

const MS = 1_000_000;
const PLAIN = { baseLatency: MS, extraLatency: 0, bandwidth: 1e12 };

describe('the pipeline of a frame', () => {
  it('unicast reaches the card with that address, a group everybody but the sender', () => {
    const wire = new Wire(TAME_WORLD, { link: PLAIN });
    wire.send(1, 2, 100, 7);
    wire.send(2, EVERYBODY, 100, 8);
    wire.send(3, '01:00:5e:40:63:36', 100, 9);
    wire.drain();
    expect(wire.arrivals.map(({ from, nic, label }) => `${from}>${nic} ${label}`)).toEqual([
      '1>2 7',
      '2>1 8',
      '2>3 8',
      '3>1 9',
      '3>2 9',
    ]);
  });

  it('a card behind which nobody joins a group gets broadcasts, but no multicast', () => {
    const wire = new Wire(TAME_WORLD, { link: PLAIN, withoutGroups: 3 });
    wire.send(1, '01:00:5e:40:63:36', 100, 7);
    wire.send(1, EVERYBODY, 100, 8);
    wire.drain();
    expect(wire.arrivals.map(({ nic, label }) => `${nic} ${label}`)).toEqual(['2 7', '2 8', '3 8']);
  });

  it('every stage drops with its reason, and the earlier stage wins', () => {
    const wire = new Wire(TAME_WORLD, { link: { ...PLAIN, mtuBytes: 1000 } });
    wire.step({ kind: 'send', nic: 1, bytes: new Uint8Array(13) });
    wire.send(1, 2, 1015);
    wire.send(1, '02:00:00:00:00:99');
    wire.send(1, 1);
    wire.step({ kind: 'partition', from: [1], to: [2] });
    wire.send(1, 2);
    wire.send(1, EVERYBODY);
    wire.step({ kind: 'nic', nic: 1, isUp: false });
    wire.send(1, 2, 1015);
    expect(wire.reasons()).toEqual([
      '1>-1 runt',
      '1>2 mtu',
      '1>-1 no-receiver',
      '1>-1 no-receiver',
      '1>2 partition',
      '1>2 partition',
      '1>2 down',
    ]);
    wire.drain();
    expect(wire.arrivals.map(({ nic }) => nic)).toEqual([3]);
  });

  it('a frame of 1500 bytes of payload fits, one of 1501 does not', () => {
    const wire = new Wire(TAME_WORLD);
    wire.send(1, 2, 1514);
    wire.send(1, 2, 1515);
    expect(wire.reasons()).toEqual(['1>2 mtu']);
  });

  it('egress sends one frame after the other at the bandwidth, and drops the one that finds the queue full', () => {
    const link = { ...PLAIN, bandwidth: 8e6, queueFrames: 3 };
    const wire = new Wire(TAME_WORLD, { link });
    for (let label = 1; label <= 5; label++) wire.send(1, 2, 1000, label);
    wire.until(1000_000);
    wire.send(1, 2, 1000, 6);
    wire.drain();
    expect(wire.arrivals.map(({ at, label }) => [label, at / MS])).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
      [6, 5],
    ]);
    expect(wire.reasons()).toEqual(['1>2 queue', '1>2 queue']);
  });

  it('a multicast leaves by the queue to everybody, but overtakes nothing on its way to a receiver', () => {
    const wire = new Wire(TAME_WORLD, { link: PLAIN });
    wire.step({ kind: 'link', from: 1, to: 2, parameters: { bandwidth: 8e3 } });
    wire.send(1, 2, 100);
    wire.send(1, EVERYBODY, 100, 1);
    wire.drain();
    expect(wire.arrivals.map(({ nic, at }) => [nic, at])).toEqual([
      [3, MS + 1],
      [2, MS + 100 * MS],
      [2, MS + 100 * MS],
    ]);
  });

  it('a card whose cable is pulled receives nothing; what it sent before arrives', () => {
    const wire = new Wire(TAME_WORLD, { link: PLAIN });
    wire.send(1, 2);
    wire.send(2, 1);
    wire.step({ kind: 'nic', nic: 2, isUp: false });
    wire.drain();
    expect(wire.arrivals.map(({ nic }) => nic)).toEqual([1]);
    expect(wire.reasons()).toEqual(['1>2 receiver-down']);
  });

  it('frames due at the same instant come in the order in which they were sent', () => {
    const wire = new Wire(TAME_WORLD, { nics: 5, link: { ...PLAIN, bandwidth: 1e15 } });
    for (const [label, from] of [4, 2, 5, 1].entries()) wire.send(from, 3, 100, label);
    wire.drain();
    expect(wire.arrivals.map(({ label }) => label)).toEqual([0, 1, 2, 3]);
    expect(new Set(wire.arrivals.map(({ at }) => at)).size).toBe(1);
  });

  it('buffers come back to the pool, also for copies, damage and drops', () => {
    const wire = new Wire(new SeededWorld({ hi: 0, lo: 1 }), {
      link: { ...PLAIN, loss: 0.2, duplicate: 0.3, corrupt: 0.3, reorder: 0.2, reorderDelay: MS },
    });
    for (let i = 0; i < 20; i++) {
      for (let k = 0; k < 20; k++) wire.send(1, EVERYBODY);
      wire.drain();
    }
    expect(wire.network.underWay).toBe(0);
    expect((wire.network.inspect() as { buffers: number }).buffers).toBeLessThan(150);
  });
});

describe('partitions', () => {
  it('are one-way', () => {
    const wire = new Wire(TAME_WORLD, { link: PLAIN });
    wire.step({ kind: 'partition', from: [1], to: [2, 3] });
    wire.send(1, 2);
    wire.send(2, 1);
    wire.send(3, 2);
    wire.drain();
    expect(wire.arrivals.map(({ from, nic }) => `${from}>${nic}`)).toEqual(['2>1', '3>2']);
  });

  it('are two-way when both ways are closed, and leave each side whole', () => {
    const wire = new Wire(TAME_WORLD, { nics: 5, link: PLAIN });
    const [some, others] = [
      [1, 2],
      [3, 4, 5],
    ] as const;
    wire.step({ kind: 'partition', from: some, to: others });
    wire.step({ kind: 'partition', from: others, to: some });
    for (let nic = 1; nic <= 5; nic++) wire.send(nic, EVERYBODY);
    wire.drain();
    expect(wire.arrivals.map(({ from, nic }) => `${from}>${nic}`)).toEqual([
      '1>2',
      '2>1',
      '3>4',
      '3>5',
      '4>3',
      '4>5',
      '5>3',
      '5>4',
    ]);
    expect(wire.reasons()).toHaveLength(2 * some.length * others.length);
  });

  it('cut frames in flight, unless the network is told not to', () => {
    for (const cutInFlight of [true, false]) {
      const wire = new Wire(TAME_WORLD, { link: PLAIN, cutInFlight });
      wire.send(1, 2);
      wire.until(MS / 2);
      wire.step({ kind: 'partition', from: [1], to: [2] });
      wire.drain();
      expect(wire.arrivals).toHaveLength(cutInFlight ? 0 : 1);
      expect(wire.reasons()).toEqual(cutInFlight ? ['1>2 cut'] : []);
    }
  });

  it('heal altogether, or in part', () => {
    const wire = new Wire(TAME_WORLD, { link: PLAIN });
    wire.step({ kind: 'partition', from: [1, 2, 3], to: [1, 2, 3] });
    wire.step({ kind: 'heal', from: [1], to: [2] });
    wire.send(1, 2);
    wire.send(2, 1);
    wire.step({ kind: 'heal' });
    wire.send(2, 1);
    wire.drain();
    expect(wire.arrivals.map(({ from, nic }) => `${from}>${nic}`)).toEqual(['1>2', '2>1']);
    expect(wire.reasons()).toEqual(['2>1 partition']);
  });
});

describe('a clog', () => {
  it('holds what is sent and lets it go in order when it ends', () => {
    const wire = new Wire(TAME_WORLD, { link: PLAIN });
    wire.send(1, 2, 100, 1);
    wire.step({ kind: 'clog', from: 1, until: 50 * MS });
    wire.send(1, 2, 100, 2);
    wire.until(10 * MS);
    wire.send(1, 2, 100, 3);
    wire.send(2, 1, 100, 4);
    wire.drain();
    expect(wire.arrivals.map(({ label, at }) => [label, Math.floor(at / MS)])).toEqual([
      [1, 1],
      [4, 11],
      [2, 51],
      [3, 51],
    ]);
  });

  it('comes by itself about as often as asked', () => {
    const wire = new Wire(new SeededWorld({ hi: 0, lo: 5 }), {
      link: { ...PLAIN, clog: 0.25, clogDuration: 200 * MS },
    });
    let clogs = 0;
    for (let second = 0; second < 1000; second++) {
      wire.until(Math.max(wire.now, second * 1000 * MS + MS));
      const sentAt = wire.now;
      wire.send(1, 2);
      wire.drain();
      if (wire.arrivals.pop()!.at - sentAt > 2 * MS) clogs += 1;
    }
    // 250 expected, less those that end within a millisecond; sigma 13.7
    expect(clogs).toBeGreaterThan(205);
    expect(clogs).toBeLessThan(292);
  });
});

/** A world that answers every question tamely but those named. */
function worldWith(stream: string, answers: Readonly<Record<string, number | boolean>>): World {
  const tame = TAME_WORLD.choices('');
  return {
    choices: (name) =>
      name !== stream
        ? tame
        : {
            choose: (kind) => Number(answers[kind] ?? 0),
            happens: (kind) => Boolean(answers[kind] ?? false),
            exponential: (kind) => Number(answers[kind] ?? 0),
          },
  };
}

describe('what the world decides', () => {
  it('a copy more, asked again for each copy, at most four', () => {
    const wire = new Wire({ choices: (name) => worldWith(name, { duplicate: true }).choices(name) }, { link: PLAIN });
    wire.send(1, 2);
    wire.drain();
    expect(wire.arrivals).toHaveLength(4);
    const once = new Wire(worldWith('net/1>2', { duplicate: true }), { link: PLAIN });
    once.send(1, 2);
    once.drain();
    expect(once.arrivals).toHaveLength(2);
  });

  it('a reordered frame is overtaken; the others keep their order', () => {
    let answers: Record<string, number | boolean> = { reorder: true, 'reorder-delay': 0x8_0000 };
    const world: World = { choices: (name) => worldWith(name, answers).choices(name) };
    const live: World = {
      choices: (name) => ({
        choose: (kind, n) => world.choices(name).choose(kind, n),
        happens: (kind, threshold) => world.choices(name).happens(kind, threshold),
        exponential: (kind, mean) => world.choices(name).exponential(kind, mean),
      }),
    };
    const wire = new Wire(live, { link: { ...PLAIN, reorder: 0.5, reorderDelay: 4 * MS } });
    wire.send(1, 2, 100, 1);
    answers = {};
    wire.send(1, 2, 100, 2);
    wire.send(1, 2, 100, 3);
    wire.drain();
    expect(wire.arrivals.map(({ label, at }) => [label, Math.floor(at / MS)])).toEqual([
      [2, 1],
      [3, 1],
      [1, 3],
    ]);
  });

  it.each([
    ['bit', 0x8_0000, 1],
    ['byte', 0x8_0000, 1],
  ] as const)('damage by %s changes one byte', (damage, step, count) => {
    const wire = new Wire(worldWith('net/1>2', { corrupt: true, damage: step }), {
      link: { ...PLAIN, damage },
      keepsBytes: true,
    });
    wire.send(1, 2, 100, 5);
    wire.drain();
    const [arrival] = wire.arrivals;
    const original = frame(1, macOf(2), 100, 5);
    expect([...arrival!.bytes].filter((byte, i) => byte !== original[i])).toHaveLength(count);
    expect(arrival!.bytes).toHaveLength(100);
  });

  it('damage by truncation cuts the end off, by splicing it puts the end of the frame before on', () => {
    const world = worldWith('net/1>2', { corrupt: true, damage: 0x8_0000 });
    const cut = new Wire(world, { link: { ...PLAIN, damage: 'truncate' }, keepsBytes: true });
    cut.send(1, 2, 100, 5);
    cut.drain();
    expect(cut.arrivals[0]!.bytes).toEqual(frame(1, macOf(2), 100, 5).subarray(0, 50));
    const spliced = new Wire(world, { link: { ...PLAIN, damage: 'splice' }, keepsBytes: true });
    const before = frame(1, macOf(2), 80).fill(0xee, 14);
    spliced.step({ kind: 'send', nic: 1, bytes: before });
    spliced.send(1, 2, 100, 5);
    spliced.drain();
    const [, second] = spliced.arrivals;
    expect(second!.bytes).toEqual(
      Uint8Array.from([...frame(1, macOf(2), 100, 5).subarray(0, 50), ...before.subarray(50)]),
    );
  });

  it('loss spares what the pattern does not name', () => {
    const wire = new Wire(worldWith('net/1>2', { loss: true }), {
      link: { ...PLAIN, lossOnly: [{ at: 17, byte: 2 }] },
    });
    for (const label of [1, 2, 3]) wire.send(1, 2, 100, label);
    wire.drain();
    expect(wire.arrivals.map(({ label }) => label)).toEqual([1, 3]);
  });

  it('asks ten questions for each frame and receiver, whatever happens to the frame', () => {
    const kinds = [
      'burst',
      'loss',
      'duplicate',
      'corrupt',
      'damage',
      'latency',
      'tail',
      'slow',
      'reorder',
      'reorder-delay',
    ];
    const asked: string[] = [];
    const note = (name: string, kind: string): number => {
      asked.push(`${name} ${kind}`);
      return 0;
    };
    const world: World = {
      choices: (name) => ({
        choose: (kind) => note(name, kind),
        happens: (kind) => note(name, kind) > 0 || kind === 'loss',
        exponential: (kind) => note(name, kind),
      }),
    };
    const wire = new Wire(world, { link: PLAIN });
    wire.step({ kind: 'partition', from: [1], to: [2] });
    wire.send(1, 2);
    expect(asked).toEqual(kinds.map((kind) => `net/1>2 ${kind}`));
    wire.send(1, EVERYBODY);
    expect(asked.slice(10)).toEqual(['net/1>2', 'net/1>3'].flatMap((name) => kinds.map((kind) => `${name} ${kind}`)));
  });

  it('a fault on one link, or of another kind on the same, moves no latency', () => {
    const latencies = (faults: Parameters<Wire['step']>[0][]): Map<number, number> => {
      const wire = new Wire(new SeededWorld({ hi: 0, lo: 42 }), { link: 'lan' });
      for (const fault of faults) wire.step(fault);
      for (let label = 0; label < 300; label++) {
        wire.until(label * 10 * MS);
        wire.send(1, 2, 100, label);
        wire.send(1, 3, 100, label + 1000);
        // On a FIFO link a frame waits for the one before it, and a lost one is not waited for: keep them apart.
        wire.until((label * 10 + 5) * MS);
        wire.send(1, EVERYBODY, 100, label + 2000);
      }
      wire.drain();
      const first = new Map<number, number>();
      for (const { label, nic, at } of wire.arrivals) {
        if (!first.has(label * 4 + nic)) first.set(label * 4 + nic, at);
      }
      return first;
    };
    const calm = latencies([]);
    const stormy = latencies([
      { kind: 'link', from: 1, to: 2, parameters: { loss: 0.3, duplicate: 0.3 } },
      { kind: 'partition', from: [1], to: [3] },
      { kind: 'link', from: 2, parameters: 'wan' },
    ]);
    expect(stormy.size).toBeGreaterThan(300);
    for (const [key, at] of stormy) expect(calm.get(key)).toBe(at);
  });

  it('one seed is one run', () => {
    const run = (): string => {
      const facts: NetworkFact[] = [];
      const link = {
        loss: 0.1,
        duplicate: 0.1,
        corrupt: 0.1,
        reorder: 0.1,
        reorderDelay: MS,
        clog: 0.5,
        clogDuration: MS,
      };
      const wire = new Wire(new SeededWorld({ hi: 1, lo: 2 }), { link, observe: (fact) => facts.push(fact) });
      for (let i = 0; i < 500; i++) {
        wire.until(i * 3 * MS);
        wire.send(1 + (i % 3), i % 7 === 0 ? EVERYBODY : 1 + ((i + 1) % 3), 60 + i);
      }
      wire.drain();
      return JSON.stringify(facts);
    };
    expect(run()).toBe(run());
  });
});

describe('configuration', () => {
  const nic = { nic: 1, mac: macOf(1) };

  it.each([
    ['a group address', [{ nic: 1, mac: EVERYBODY }], 'nics[0].mac'],
    ['a malformed address', [{ nic: 1, mac: '02:00' }], 'nics[0].mac'],
    ['an address twice', [nic, { nic: 2, mac: macOf(1) }], 'nics[1].mac'],
    ['a number twice', [nic, { nic: 1, mac: macOf(2) }], 'nics[1].nic'],
  ])('refuses %s', (_, nics, path) => {
    expect(() => new Network({ nics, world: TAME_WORLD })).toThrow(
      expect.objectContaining({ name: 'ConfigError', path }),
    );
  });

  it.each([
    ['link.loss', { loss: 1.5 }],
    ['link.loss', { loss: Number.NaN }],
    ['link.baseLatency', { baseLatency: 0.5 }],
    ['link.bandwidth', { bandwidth: 0 }],
    ['link.queueFrames', { queueFrames: 0 }],
    ['link', 'warp' as 'lan'],
  ])('refuses a bad %s', (path, link) => {
    expect(() => new Network({ nics: [nic], world: TAME_WORLD, link })).toThrow(ConfigError);
    expect(() => new Network({ nics: [nic], world: TAME_WORLD, link })).toThrow(expect.objectContaining({ path }));
  });

  it('refuses a card it does not have', () => {
    const wire = new Wire(TAME_WORLD);
    expect(() => wire.step({ kind: 'nic', nic: 9, isUp: true })).toThrow(RangeError);
    expect(() => wire.network.counters(1, 1)).toThrow(RangeError);
  });

  it('counts by link and reason', () => {
    const wire = new Wire(worldWith('net/1>2', { loss: true }));
    wire.send(1, 2);
    wire.send(1, EVERYBODY);
    wire.drain();
    expect(wire.network.counters(1, 2)).toEqual({ sent: 2, delivered: 0, bytes: 0, dropped: new Map([['loss', 2]]) });
    expect(wire.network.counters(1, 3)).toEqual({ sent: 1, delivered: 1, bytes: 100, dropped: new Map() });
    expect(wire.network.counters(1, -1).sent).toBe(0);
    expect(parseMac(macOf(1))).toBe(0x0200_0000_0001);
  });
});
