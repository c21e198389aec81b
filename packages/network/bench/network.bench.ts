import { EventQueue, Prng, SeededWorld } from '@quorate/kernel';
import { bench, describe } from 'vitest';
import {
  encodeEthernet,
  type IpOutput,
  IpStack,
  type LinkParameters,
  Network,
  type NetworkOutput,
} from '../src/index.js';

/** Operations of one iteration: what the table calls `hz` times this is operations per second. */
const BATCH = 10_000;
const OPTIONS = { time: 1500, warmupTime: 500 };

const macOf = (nic: number): number => 0x0200_0000_0000 + nic;
const text = (nic: number): string => `02:00:00:00:00:0${nic}`;

/** A network of five cards whose clock and frames are its own; gives the number of frames delivered. */
function segment(link: Partial<LinkParameters>, isMulticast: boolean): () => number {
  const network = new Network({
    nics: [1, 2, 3, 4, 5].map((nic) => ({ nic, mac: text(nic) })),
    world: new SeededWorld({ hi: 0, lo: 1 }),
    link,
  });
  const frames = [1, 2, 3, 4, 5].map((nic) => {
    const bytes = new Uint8Array(100);
    encodeEthernet(bytes, isMulticast ? 0x0100_5e40_6336 : macOf((nic % 5) + 1), macOf(nic), 0x0800);
    return { kind: 'send', nic, bytes } as const;
  });
  const wake = { kind: 'wake' } as const;
  let now = 0;
  let delivered = 0;
  const count = (output: { readonly kind: string }): void => {
    if (output.kind === 'deliver') delivered += 1;
  };
  return () => {
    const before = delivered;
    for (let i = 0; delivered - before < BATCH; i++) {
      now += 5_000;
      network.step(now, frames[i % 5]!, count);
      while (network.deadline() <= now) network.step(now, wake, count);
    }
    return delivered - before;
  };
}

/** Two hosts with nothing between them: datagrams of 100 bytes, or a TCP stream in pieces of 1000, from one to the other. */
function hosts(transport: 'udp' | 'tcp'): () => number {
  const [a, b] = [1, 2].map((n) => {
    const interfaces = [{ name: 'eth0', mac: text(n), addresses: [`10.0.0.${n}/24`] }];
    return new IpStack({ interfaces, prng: new Prng(1, 2, 3, n) });
  }) as [IpStack, IpStack];
  let now = 0;
  let received = 0;
  const queue: { readonly to: IpStack; readonly bytes: Uint8Array }[] = [];
  const onA = (output: IpOutput): void => {
    if (output.kind === 'frame') queue.push({ to: b, bytes: output.bytes.slice() });
  };
  const onB = (output: IpOutput): void => {
    if (output.kind === 'frame') queue.push({ to: a, bytes: output.bytes.slice() });
    else if (output.kind === 'udp-received') received += 1;
    else if (output.kind === 'tcp-received') received += 1;
  };
  const settle = (): void => {
    for (let i = 0; i < queue.length; i++) {
      const { to, bytes } = queue[i]!;
      to.step(now, { kind: 'frame', interface: 0, bytes }, to === a ? onA : onB);
    }
    queue.length = 0;
  };
  b.step(now, { kind: 'udp-bind', port: 5405 }, onB);
  b.step(now, { kind: 'tcp-listen', port: 21064 }, onB);
  a.step(now, { kind: 'tcp-connect', id: 1, to: '10.0.0.2', port: 21064 }, onA);
  settle();
  const datagram = { kind: 'udp-send', port: 5404, to: '10.0.0.2', toPort: 5405, bytes: new Uint8Array(100) } as const;
  const piece = { kind: 'tcp-send', id: 1, bytes: new Uint8Array(1000) } as const;
  return () => {
    const before = received;
    for (let i = 0; i < BATCH; i++) {
      now += 1_000;
      a.step(now, transport === 'udp' ? datagram : piece, onA);
      settle();
    }
    return received - before;
  };
}

/**
 * Seven hosts on a segment, five of them in a group, which send to it in turn: from the datagram of the sender to the
 * datagrams of the other four, with the two that have not joined listening to every frame. Datagrams of 40 bytes.
 */
function group(): () => number {
  const network = new Network({
    nics: [1, 2, 3, 4, 5, 6, 7].map((nic) => ({ nic, mac: text(nic) })),
    world: new SeededWorld({ hi: 0, lo: 1 }),
  });
  let now = 0;
  let received = 0;
  const underWay: { nic: number; length: number; readonly buffer: Uint8Array }[] = [];
  let arrived = 0;
  const onNetwork = (output: NetworkOutput): void => {
    if (output.kind !== 'deliver') return;
    underWay[arrived] ??= { nic: 0, length: 0, buffer: new Uint8Array(1514) };
    const parcel = underWay[arrived++]!;
    parcel.nic = output.nic;
    parcel.length = output.bytes.length;
    parcel.buffer.set(output.bytes);
  };
  const hosts = [1, 2, 3, 4, 5, 6, 7].map((nic) => {
    const interfaces = [{ name: 'eth0', mac: text(nic), addresses: [`10.0.0.${nic}/24`] }];
    const stack = new IpStack({ interfaces, prng: new Prng(1, 2, 3, nic) });
    const onStack = (output: IpOutput): void => {
      if (output.kind === 'frame') network.step(now, { kind: 'send', nic, bytes: output.bytes }, onNetwork);
      else if (output.kind === 'udp-received') received += 1;
    };
    return { stack, onStack };
  });
  for (const { stack, onStack } of hosts.slice(0, 5)) {
    stack.step(now, { kind: 'udp-bind', port: 5405, groups: ['239.192.99.54'] }, onStack);
  }
  const datagram = {
    kind: 'udp-send',
    port: 5404,
    to: '239.192.99.54',
    toPort: 5405,
    bytes: new Uint8Array(40),
  } as const;
  return () => {
    const before = received;
    for (let i = 0; received - before < BATCH; i++) {
      now += 5_000_000;
      const sender = hosts[i % 5]!;
      sender.stack.step(now, datagram, sender.onStack);
      while (network.deadline() < Infinity) {
        now = network.deadline();
        network.step(now, { kind: 'wake' }, onNetwork);
        for (let k = 0; k < arrived; k++) {
          const { nic, length, buffer } = underWay[k]!;
          const { stack, onStack } = hosts[nic - 1]!;
          stack.step(now, { kind: 'frame', interface: 0, bytes: buffer.subarray(0, length) }, onStack);
        }
        arrived = 0;
      }
    }
    return received - before;
  };
}

/** The calibration loop of the simulation specification, section 19: a 4-ary heap that holds 32 events. */
function heap(): () => number {
  const queue = new EventQueue();
  for (let i = 0; i < 32; i++) queue.push(i, i, i);
  let order = 32;
  return () => {
    for (let i = 0; i < BATCH; i++) {
      const time = queue.time;
      const slot = queue.pop();
      queue.push(time + 1 + ((order * 7919) % 64), order, slot);
      order += 1;
    }
    return BATCH;
  };
}

/** Checks once that the answer is right, then times it. */
function time(name: string, run: () => number): void {
  if (run() < BATCH) throw new Error(`${name}: too few operations`);
  bench(`${name}, x ${BATCH}`, () => void run(), OPTIONS);
}

describe('frames of 100 bytes delivered, with random streams and without observers', () => {
  time('calibration: heap pop and push, N = 32', heap());
  time('unicast, lan', segment({}, false));
  time('multicast to four, lan', segment({}, true));
  time(
    'unicast, every fault on',
    segment({ loss: 0.05, duplicate: 0.05, corrupt: 0.01, reorder: 0.05, reorderDelay: 1e6 }, false),
  );
});

describe('from host to host, without a network', () => {
  time('UDP datagrams of 100 bytes', hosts('udp'));
  time('TCP pieces of 1000 bytes', hosts('tcp'));
});

describe('from host to host, through the network', () => {
  time('UDP datagrams of 40 bytes received, one to four in a group, two strangers', group());
});
