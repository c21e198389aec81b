import { ByteWriter, type Nanos, SECOND } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cpg } from '../src/cpg/index.js';
import { cman, corosync31, Totem, type TotemConfig, type TotemOutput } from '../src/index.js';
import { isSerialLess } from '../src/serial.js';
import { encodeJoin } from '../src/wire/join.js';
import { Cluster } from './cluster.js';
import { recorded } from './recorded.js';

const NODES = [1, 2, 3].map((id) => ({ id, address: `10.0.0.${id}` }));
const CONFIG: TotemConfig = { nodeId: 1, nodes: NODES, era: 'modern', timings: corosync31(3), ringSeq: 0 };
const real = [...recorded('three-node-form-idle-leave'), ...recorded('recovery-old-messages')].map(
  ({ bytes }) => bytes,
);

/** A real datagram with some bytes changed, cut or prolonged. */
const mutated = fc
  .record({
    bytes: fc.constantFrom(...real),
    changes: fc.array(fc.record({ at: fc.nat(120), value: fc.constantFrom(0, 1, 2, 3, 127, 128, 255) }), {
      maxLength: 4,
    }),
    length: fc.option(fc.nat(1600), { nil: undefined }),
  })
  .map(({ bytes, changes, length }) => {
    const copy = new Uint8Array(length ?? bytes.length);
    copy.set(bytes.subarray(0, copy.length));
    for (const { at, value } of changes) if (at < copy.length) copy[at] = value;
    return copy;
  });

const datagrams = fc.array(fc.oneof({ weight: 4, arbitrary: mutated }, fc.uint8Array({ maxLength: 200 })), {
  maxLength: 40,
});

describe('nothing from the network makes a machine throw', () => {
  it('Totem takes any datagram in any state, and wakes up after it', () => {
    fc.assert(
      fc.property(datagrams, fc.nat(400), (list, stepMs) => {
        const totem = new Totem(CONFIG);
        const outputs: TotemOutput[] = [];
        let now: Nanos = 0;
        totem.step(now, { kind: 'network-up' }, (output) => outputs.push(output));
        for (const bytes of list) {
          now += stepMs * 1_000_000;
          for (let i = 0; i < 100 && totem.deadline() <= now; i++) totem.step(now, { kind: 'wake' }, () => {});
          totem.step(now, { kind: 'datagram', bytes }, (output) => outputs.push(output));
        }
        JSON.stringify(totem.inspect());
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('Cpg takes any message', () => {
    const messages = fc.array(fc.record({ group: fc.constantFrom('a', 'sync'), payload: fc.uint8Array() }));
    fc.assert(
      fc.property(messages, (list) => {
        const cpg = new Cpg({ nodeId: 1 });
        const formed = { type: 'regular', ring: { representative: 1, seq: 5 }, members: [1], joined: [1], left: [] };
        cpg.step(0, { kind: 'configuration', ...formed, type: 'regular' }, () => {});
        for (const message of list) cpg.step(0, { kind: 'deliver', from: 2, ...message }, () => {});
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it.each([
    ['too-short', [0x70, 0xc0]],
    ['bad-magic', new Array<number>(13).fill(7)],
    ['bad-version', [0x70, 0xc0, 2, ...new Array<number>(10).fill(0)]],
    ['bad-type', [0x70, 0xc0, 3, 6, ...new Array<number>(9).fill(0)]],
    ['too-short', [0x70, 0xc0, 3, 0, ...new Array<number>(9).fill(0)]],
  ] as const)('what is dropped is told: %s', (reason, bytes) => {
    const totem = new Totem(CONFIG);
    const outputs: TotemOutput[] = [];
    totem.step(0, { kind: 'network-up' }, () => {});
    totem.step(1, { kind: 'datagram', bytes: Uint8Array.from(bytes) }, (output) => outputs.push(output));
    expect(outputs).toEqual([{ kind: 'reject', reason }]);
    expect(totem.inspect().rejects).toEqual({ [reason]: 1 });
  });
});

describe('a ring that hears noise', () => {
  it('drops it and stays', () => {
    const cluster = new Cluster({ nodes: 3, cpg: true });
    for (const id of cluster.ids) cluster.boot(id);
    cluster.run(2 * SECOND);
    const { ring } = cluster.totem(1).inspect();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), (bytes) => {
        for (const id of cluster.ids) cluster.input(id, { kind: 'datagram', bytes });
      }),
      { numRuns: 100, seed: 2 },
    );
    cluster.run(2 * SECOND);
    expect(cluster.isRingOf([1, 2, 3])).toBe(true);
    expect(cluster.totem(1).inspect().ring).toBe(ring);
  });
});

describe('a flood of joins', () => {
  const flood = (totem: Totem, ringSeq: number, proc: (i: number) => number[]): Totem => {
    const writer = new ByteWriter(true, 4096);
    for (let i = 0; i < 300; i++) {
      encodeJoin(writer, { nodeId: 1000 + i, systemFrom: 1000 + i, ringSeq, proc: proc(i), failed: [] });
      totem.step(1 + i, { kind: 'datagram', bytes: writer.bytes() }, () => {});
    }
    return totem;
  };
  const started = (): Totem => {
    const totem = new Totem(CONFIG);
    totem.step(0, { kind: 'network-up' }, () => {});
    return totem;
  };

  it('makes nobody count on more nodes than a ring can have', () => {
    const { proc, rejects } = flood(started(), 5, (i) =>
      Array.from({ length: 100 }, (_, k) => 1000 + 100 * i + k),
    ).inspect();
    expect(proc).toHaveLength(301);
    expect(rejects).toEqual({ 'bad-count': 297 });
  });

  it('does not drive the ring sequence to where it is not exact', () => {
    const totem = flood(started(), 2 ** 53, () => [1]);
    expect(totem.inspect().rejects).toEqual({ 'bad-ring-seq': 300 });
  });
});

describe('sequence numbers', () => {
  it.each([
    [1, 2, true],
    [2, 1, false],
    [0xffff_fffe, 0xffff_ffff, true],
    [0xffff_ffff, 5, true],
    [5, 0xffff_ffff, false],
  ])('is %i before %i?', (a, b, isLess) => {
    expect(isSerialLess(a, b)).toBe(isLess);
  });
});

describe('a configuration that cannot work is refused', () => {
  it.each([
    ['nodeId', { nodeId: 4 }],
    ['nodes', { nodes: [{ id: 0 }] }],
    ['nodes', { nodes: [{ id: 1 }, { id: 1 }] }],
    ['nodes', { era: 'rhel6', nodes: [{ id: 1 }] }],
    ['netMtu', { netMtu: 100 }],
  ] as const)('%s', (path, wrong) => {
    expect(() => new Totem({ ...CONFIG, ...wrong })).toThrow(path);
  });

  it('timers that are too short', () => {
    expect(() => corosync31(2, { tokenMs: 20 })).toThrow('totem.token');
    expect(() => cman(3, { consensusMs: 40 })).toThrow('totem.consensus');
  });
});
