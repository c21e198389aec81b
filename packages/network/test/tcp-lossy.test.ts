import { type Nanos, Prng, SeededWorld } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import type { IpOutput, LinkParameters } from '../src/index.js';
import { Segment } from './segment.js';

const MS = 1_000_000;
const SECOND = 1_000_000_000;
const STORM: Partial<LinkParameters> = {
  loss: 0.2,
  duplicate: 0.2,
  reorder: 0.2,
  reorderDelay: 20 * MS,
  extraLatency: MS,
};

function randomBytes(prng: Prng, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => prng.below(256));
}

/** Both directions of one connection, each sent in random pieces at random times, and closed at the end. */
class Conversation {
  readonly segment: Segment;
  readonly received = { a: [] as number[], b: [] as number[] };
  readonly ended: string[] = [];
  readonly failed: string[] = [];
  now: Nanos = 0;
  #accepted = -1;
  #isFound = false;
  #isConnected = false;

  constructor(seed: number, link: Partial<LinkParameters>) {
    this.segment = new Segment({
      hosts: [
        { name: 'a', mac: '02:00:00:00:00:01', addresses: ['10.0.0.1/24'] },
        { name: 'b', mac: '02:00:00:00:00:02', addresses: ['10.0.0.2/24'] },
      ],
      world: new SeededWorld({ hi: 0, lo: seed }),
      link,
      onOutput: (host, output) => this.#onOutput(host as 'a' | 'b', output),
    });
    this.segment.input('b', { kind: 'tcp-listen', port: 21064 });
  }

  /** Runs until `isDone`, at most for so long. */
  run(isDone: () => boolean, most: Nanos): void {
    for (let spent = 0; spent < most && !isDone(); spent += 50 * MS) this.segment.run(50 * MS);
  }

  open(): void {
    // An attempt ends when three ARP requests in a row get no answer, so the address is found out first.
    for (let seq = 1; !this.#isFound; seq++) {
      this.segment.input('a', { kind: 'echo', id: seq, to: '10.0.0.2', ttl: 64, seq, timeout: SECOND });
      this.segment.run(SECOND);
    }
    this.segment.input('a', { kind: 'tcp-connect', id: 1, to: '10.0.0.2', port: 21064 });
    this.run(() => this.#isConnected && this.#accepted >= 0, 60 * SECOND);
    expect(this.failed).toEqual([]);
  }

  send(host: 'a' | 'b', bytes: Uint8Array): void {
    this.segment.input(host, { kind: 'tcp-send', id: this.#id(host), bytes });
  }

  close(host: 'a' | 'b'): void {
    this.segment.input(host, { kind: 'tcp-close', id: this.#id(host) });
  }

  connections(host: 'a' | 'b'): readonly unknown[] {
    return (this.segment.stack(host).inspect() as { tcp: { connections: unknown[] } }).tcp.connections;
  }

  #id(host: 'a' | 'b'): number {
    return host === 'a' ? 1 : this.#accepted;
  }

  #onOutput(host: 'a' | 'b', output: IpOutput): void {
    if (output.kind === 'tcp-accepted') this.#accepted = output.id;
    else if (output.kind === 'echo-replied') this.#isFound = true;
    else if (output.kind === 'tcp-connected') this.#isConnected = true;
    else if (output.kind === 'tcp-received') this.received[host].push(...output.bytes);
    else if (output.kind === 'tcp-closed') this.ended.push(host);
    else if (output.kind === 'tcp-failed') this.failed.push(`${host} ${output.errno}`);
  }
}

describe('TCP over a link with 20 % loss, duplication and reordering', () => {
  it.each(Array.from({ length: 40 }, (_, index) => index + 1))(
    'seed %i: both streams arrive whole and in order',
    (seed) => {
      const prng = Prng.derive({ hi: 0, lo: seed }, 'workload');
      const talk = new Conversation(seed, STORM);
      talk.open();
      const streams = { a: randomBytes(prng, 60_000), b: randomBytes(prng, 30_000) };
      for (const host of ['a', 'b'] as const) {
        let at = 0;
        while (at < streams[host].length) {
          const size = 1 + prng.below(9000);
          talk.send(host, streams[host].subarray(at, at + size));
          at += size;
          if (prng.below(2) === 0) talk.segment.run(prng.below(300) * MS);
        }
        talk.close(host);
      }
      const isDone = (): boolean => talk.connections('a').length + talk.connections('b').length === 0;
      talk.run(isDone, 1800 * SECOND);
      expect(talk.failed).toEqual([]);
      expect(Buffer.from(talk.received.b).equals(streams.a)).toBe(true);
      expect(Buffer.from(talk.received.a).equals(streams.b)).toBe(true);
      expect(talk.ended.sort()).toEqual(['a', 'b']);
      expect(isDone()).toBe(true);
    },
  );

  it('damaged segments are refused by their checksum and sent again', () => {
    const talk = new Conversation(77, { corrupt: 0.1, loss: 0.02 });
    talk.open();
    const stream = randomBytes(new Prng(1, 2, 3, 4), 100_000);
    talk.send('a', stream);
    talk.run(() => talk.received.b.length >= stream.length, 900 * SECOND);
    expect(Buffer.from(talk.received.b).equals(stream)).toBe(true);
    const { counts } = talk.segment.stack('b').inspect() as { counts: Record<string, number> };
    expect(counts['bad-tcp-checksum']).toBeGreaterThan(0);
  });

  it('a saturated link moves its bandwidth once the stream runs', () => {
    const talk = new Conversation(3, { baseLatency: 100_000, extraLatency: 0, bandwidth: 1e8 });
    talk.open();
    const before = talk.segment.now;
    const stream = new Uint8Array(1_000_000).fill(7);
    talk.send('a', stream);
    talk.run(() => talk.received.b.length >= stream.length, 10 * SECOND);
    const seconds = (talk.segment.now - before) / SECOND;
    expect(talk.received.b).toHaveLength(stream.length);
    // 1 MB is 80 ms at 100 Mbit/s, headers make it 84; the clock of this test moves in steps of 50 ms.
    expect(seconds).toBeLessThanOrEqual(0.1);
  });

  it('a partition ends a connection, on the side that has something to say, after 15 retries', () => {
    const talk = new Conversation(5, {});
    talk.open();
    talk.segment.networkInput({ kind: 'partition', from: [1], to: [2] });
    const sentAt = talk.segment.now;
    talk.send('a', new Uint8Array([1]));
    talk.run(() => talk.failed.length > 0, 3600 * SECOND);
    // By then nobody has answered ARP either, and that is the reason given, as on Linux.
    expect(talk.failed).toEqual(['a EHOSTUNREACH']);
    // 0.2 + 0.4 + … + 51.2, then 60 s seven times.
    const seconds = (talk.segment.now - sentAt) / SECOND;
    expect(Math.abs(seconds - 522.2)).toBeLessThan(1);
  });
});
