import { Prng, SeededWorld } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IpOutput, IpStack } from '../src/index.js';
import { Segment } from './segment.js';

const MAC = '02:00:00:00:00:01';

function makeStack(): IpStack {
  return new IpStack({
    interfaces: [{ name: 'eth0', mac: MAC, addresses: ['10.0.0.1/24'] }],
    gateway: '10.0.0.254',
    prng: new Prng(1, 2, 3, 4),
  });
}

describe('whatever arrives', () => {
  it('arbitrary bytes behind a header for us never throw', () => {
    const frames = fc.tuple(fc.constantFrom(0x0800, 0x0806), fc.uint8Array({ maxLength: 80 }));
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 20 }), (all) => {
        const stack = makeStack();
        for (const [type, content] of all) {
          const bytes = new Uint8Array(14 + content.length);
          bytes.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, type >> 8, type & 255]);
          bytes.set(content, 14);
          stack.step(0, { kind: 'frame', interface: 0, bytes }, () => {});
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each(['bit', 'byte', 'truncate', 'splice'] as const)('frames damaged by %s never throw', (damage) => {
    const outputs: string[] = [];
    const segment = new Segment({
      hosts: [
        { name: 'a', mac: MAC, addresses: ['10.0.0.1/24'] },
        { name: 'b', mac: '02:00:00:00:00:02', addresses: ['10.0.0.2/24'] },
      ],
      world: new SeededWorld({ hi: 0, lo: 4 }),
      link: { corrupt: 0.5, damage, duplicate: 0.1 },
      onOutput: (_, output) => outputs.push(output.kind),
    });
    segment.input('b', { kind: 'tcp-listen', port: 80 });
    segment.input('b', { kind: 'udp-bind', port: 5405 });
    for (let i = 0; i < 200; i++) {
      segment.input('a', { kind: 'tcp-connect', id: i, to: '10.0.0.2', port: 80 });
      segment.input('a', { kind: 'tcp-send', id: i, bytes: new Uint8Array(3000).fill(i) });
      segment.input('a', { kind: 'udp-send', port: 9, to: '10.0.0.2', toPort: 5405, bytes: new Uint8Array(2000) });
      segment.input('a', { kind: 'echo', id: i, to: '10.0.0.2', ttl: 64, seq: i, timeout: 1_000_000_000 });
      segment.run(100_000_000);
    }
    expect(outputs).toContain('reject');
    expect(outputs).toContain('udp-received');
    expect(outputs).toContain('tcp-accepted');
  });
});

describe('a misuse by the embedder is thrown at once', () => {
  it.each([
    ['an interface that is not there', { kind: 'carrier', interface: 3, isUp: true }],
    ['a text that is no address', { kind: 'udp-send', port: 1, to: 'my-vm1', toPort: 2, bytes: new Uint8Array(1) }],
    ['a port out of range', { kind: 'tcp-listen', port: 70_000 }],
    ['a datagram too long', { kind: 'udp-send', port: 1, to: '10.0.0.2', toPort: 2, bytes: new Uint8Array(65_508) }],
  ] as const)('%s', (_, input) => {
    expect(() => makeStack().step(0, input, () => {})).toThrow(RangeError);
  });

  it.each([
    ['gateway', { gateway: '10.0.0' }],
    ['mtuBytes', { mtuBytes: 100 }],
    ['tcp.window', { tcp: { window: 70_000 } }],
    ['interfaces[0].mac', { interfaces: [{ name: 'eth0', mac: 'x', addresses: [] }] }],
    ['interfaces[0].addresses[0]', { interfaces: [{ name: 'eth0', mac: MAC, addresses: ['1.2.3'] }] }],
    [
      'interfaces[1].name',
      {
        interfaces: [
          { name: 'eth0', mac: MAC, addresses: [] },
          { name: 'eth0', mac: MAC, addresses: [] },
        ],
      },
    ],
  ])('%s', (path, change) => {
    const config = { interfaces: [{ name: 'eth0', mac: MAC, addresses: [] }], prng: new Prng(1, 2, 3, 4), ...change };
    expect(() => new IpStack(config)).toThrow(expect.objectContaining({ name: 'ConfigError', path }));
  });
});

describe('a host with two interfaces', () => {
  const config = {
    interfaces: [
      { name: 'eth0', mac: MAC, addresses: ['10.0.0.1/24'] },
      { name: 'eth1', mac: '02:00:00:00:01:01', addresses: ['10.0.0.129/25', '192.168.1.1/24'] },
    ],
    prng: new Prng(1, 2, 3, 4),
  };
  const outOf = (stack: IpStack, to: string): number | undefined => {
    const outputs: IpOutput[] = [];
    stack.step(0, { kind: 'udp-send', port: 1, to, toPort: 2, bytes: new Uint8Array(1) }, (output) => {
      outputs.push(output);
    });
    return outputs.find((output) => output.kind === 'frame')?.interface;
  };

  it.each([
    ['10.0.0.2', 0],
    ['10.0.0.200', 1],
    ['192.168.1.7', 1],
    ['172.16.0.1', undefined],
    ['239.1.2.3', 0],
  ])('%s leaves by interface %s: the longest prefix wins', (to, expected) => {
    expect(outOf(new IpStack(config), to)).toBe(expected);
  });

  it('is reached at every address through each of them', () => {
    const stack = new IpStack(config);
    stack.step(0, { kind: 'set-interface', name: 'eth1', isUp: false }, () => {});
    expect(outOf(stack, '10.0.0.200')).toBe(0);
    expect(stack.interfaces().map(({ name, isUp }) => `${name} ${isUp}`)).toEqual(['eth0 true', 'eth1 false']);
  });
});

describe('fragments of a datagram', () => {
  it('of which one is lost end after 30 s with time exceeded to their sender', () => {
    const frames: string[] = [];
    const segment = new Segment({
      hosts: [
        { name: 'a', mac: MAC, addresses: ['10.0.0.1/24'] },
        { name: 'b', mac: '02:00:00:00:00:02', addresses: ['10.0.0.2/24'] },
      ],
      world: new SeededWorld({ hi: 0, lo: 4 }),
      onFrame: (host, bytes, now) => frames.push(`${now / 1e9} ${host} protocol ${bytes[23]} type ${bytes[34]}`),
      // The second fragment begins at byte 1480 of the payload: 185 units.
      link: { loss: 1, lossOnly: [{ at: 21, byte: 185 }] },
    });
    segment.input('a', { kind: 'echo', id: 1, to: '10.0.0.2', ttl: 64, seq: 1, timeout: 1 });
    segment.run(1_000_000_000);
    segment.input('b', { kind: 'udp-bind', port: 5405 });
    segment.input('a', { kind: 'udp-send', port: 1, to: '10.0.0.2', toPort: 5405, bytes: new Uint8Array(1500) });
    segment.run(40_000_000_000);
    expect(frames.at(-1)).toMatch(/^31\.0000.* b protocol 1 type 11$/);
  });
});
