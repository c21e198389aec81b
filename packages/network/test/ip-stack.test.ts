import { TAME_WORLD } from '@quorate/kernel';
import { describe, it } from 'vitest';
import { checkTranscript, commandOf } from '../../../tooling/transcript.js';
import { FrameNames } from './describe-frame.js';
import { duration } from './duration.js';
import { type HostConfig, Segment } from './segment.js';

const TEXT = (bytes: Uint8Array): string =>
  bytes.length > 40 ? `${bytes.length} bytes` : String.fromCharCode(...bytes);

/** The commands of the transcripts: hosts, what an administrator or program does on one, and time that passes. */
class Bench {
  readonly #hosts: HostConfig[] = [];
  #segment: Segment | undefined;
  #lines: string[] = [];
  readonly #names = new FrameNames();

  run(command: string): readonly string[] {
    this.#lines = [];
    const { words: plain, options } = commandOf(command);
    const [first = '', verb = '', ...rest] = plain;
    if (first === 'host') this.#addHost(verb, options);
    else if (first === 'run') this.#run(verb);
    else if (first === 'cable') this.#net.networkInput({ kind: 'nic', nic: Number(verb), isUp: rest[0] === 'in' });
    else if (first === 'link') this.#link(Number(verb), Number(rest[0]), options);
    else this.#onHost(first, verb, rest, options);
    return this.#lines;
  }

  get #net(): Segment {
    this.#segment ??= new Segment({
      hosts: this.#hosts,
      world: TAME_WORLD,
      link: { baseLatency: 100_000, extraLatency: 0, bandwidth: 1e12 },
      onFrame: (host, bytes, now) => this.#say(now, host, `sends ${this.#names.describe(bytes)}`),
      onOutput: (host, output, now) => {
        const { kind, ...rest } = output;
        const fields = Object.entries(rest).map(([name, value]) => {
          if (name === 'id' && typeof value === 'number' && value >= 0x4000_0000) return `id=A${value - 0x4000_0000}`;
          if (name === 'fromPort' && Number(value) >= 32_768) return 'fromPort=port';
          return `${name}=${value instanceof Uint8Array ? JSON.stringify(TEXT(value)) : value}`;
        });
        this.#say(now, host, [kind, ...fields].join(' '));
      },
      observe: (fact, host) => {
        if (host === 'network') return;
        const { kind, now, ...rest } = fact;
        this.#say(now, host, `fact ${kind} ${Object.values(rest).join(' ')}`);
      },
    });
    return this.#segment;
  }

  #say(now: number, host: string, text: string): void {
    this.#lines.push(`${(now / 1e9).toFixed(4)} ${host} ${text}`);
  }

  #addHost(name: string, options: ReadonlyMap<string, string>): void {
    const gateway = options.get('gateway');
    const tcp: Record<string, number> = {};
    for (const key of ['synRetries', 'retries', 'window', 'mss']) {
      const value = options.get(key);
      if (value !== undefined) tcp[key] = Number(value);
    }
    this.#hosts.push({
      name,
      mac: `02:00:00:00:00:0${this.#hosts.length + 1}`,
      addresses: options.get('address')?.split(',') ?? [],
      ...(gateway === undefined ? {} : { gateway }),
      options: { tcp },
    });
  }

  #run(span: string): void {
    this.#net.run(duration(span));
  }

  #link(from: number, to: number, options: ReadonlyMap<string, string>): void {
    if (options.get('cut') === 'yes') this.#net.networkInput({ kind: 'partition', from: [from], to: [to] });
    else this.#net.networkInput({ kind: 'heal', from: [from], to: [to] });
  }

  #onHost(host: string, verb: string, rest: readonly string[], options: ReadonlyMap<string, string>): void {
    const [a = '', b = ''] = rest;
    const segment = this.#net;
    const id = Number(options.get('id') ?? 1);
    switch (verb) {
      case 'ping':
        return segment.input(host, {
          kind: 'echo',
          id,
          to: a,
          ttl: Number(options.get('ttl') ?? 64),
          seq: Number(options.get('seq') ?? 1),
          timeout: duration(options.get('timeout') ?? '1s'),
        });
      case 'arping':
        return segment.input(host, { kind: 'probe', id, name: 'eth0', address: a, timeout: 2_000_000_000 });
      case 'announce':
        return segment.input(host, { kind: 'announce', name: 'eth0', address: a });
      case 'add':
        return segment.input(host, { kind: 'add-address', name: options.get('dev') ?? 'eth0', address: a });
      case 'del':
        return segment.input(host, { kind: 'delete-address', name: options.get('dev') ?? 'eth0', address: a });
      case 'ifconfig':
        return segment.input(host, { kind: 'set-interface', name: a, isUp: b === 'up' });
      case 'carrier':
        return segment.input(host, { kind: 'carrier', interface: 0, isUp: a === 'up' });
      case 'bind':
        return segment.input(host, { kind: 'udp-bind', port: Number(a), groups: rest.slice(1) });
      case 'udp': {
        const [to = '', port = ''] = a.split(':');
        const bytes = new Uint8Array(Number(options.get('size') ?? 5)).fill(0x78);
        return segment.input(host, { kind: 'udp-send', port: 5405, to, toPort: Number(port), bytes });
      }
      case 'listen':
        return segment.input(host, {
          kind: 'tcp-listen',
          port: Number(a),
          backlog: Number(options.get('backlog') ?? 128),
        });
      case 'unlisten':
        return segment.input(host, { kind: 'tcp-unlisten', port: Number(a) });
      case 'connect': {
        const [to = '', port = ''] = a.split(':');
        return segment.input(host, { kind: 'tcp-connect', id, to, port: Number(port) });
      }
      case 'send': {
        const size = options.get('size');
        const bytes = size === undefined ? Buffer.from(b) : new Uint8Array(Number(size)).fill(0x78);
        return segment.input(host, { kind: 'tcp-send', id: connection(a), bytes });
      }
      case 'close':
        return segment.input(host, { kind: 'tcp-close', id: connection(a) });
      case 'abort':
        return segment.input(host, { kind: 'tcp-abort', id: connection(a) });
      case 'arp':
        for (const { address, mac, state } of segment.stack(host).neighbours()) {
          this.#lines.push(`${address} ${mac} ${state}`);
        }
        return;
      case 'netstat':
        for (const line of (segment.stack(host).inspect() as { tcp: { connections: Record<string, unknown>[] } }).tcp
          .connections) {
          this.#lines.push(`${line.state} queued ${line.queuedBytes} rto ${Number(line.rto) / 1e6} ms`);
        }
        return;
      default:
        throw new Error(`unknown command ${verb}`);
    }
  }
}

function connection(text: string): number {
  return text.startsWith('A') ? 0x4000_0000 + Number(text.slice(1)) : Number(text);
}

describe('the IP stack', () => {
  it.each([
    ['arp', 'asks, answers, ages, and follows gratuitous ARP'],
    ['echo', 'answers pings, and says why there was no answer'],
    ['addresses', 'a floating address moves; an interface goes down and up'],
    ['udp', 'unicast, groups, broadcast and fragments'],
    ['tcp-open', 'connections open, are refused, and give up'],
    ['tcp-stream', 'streams are acknowledged, repeated, and end'],
    ['tcp-window', 'a small window paces the sender'],
    ['loopback', 'what a host says to itself never reaches the wire'],
  ])('%s: %s', (name) => {
    const bench = new Bench();
    checkTranscript(new URL(`data/${name}.txt`, import.meta.url), (lines) => bench.run(lines.join(' ')));
  });
});
