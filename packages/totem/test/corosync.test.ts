import { ByteWriter, hex, type Machine, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { decodeConfigVersion, encodeConfigVersion } from '../src/corosync/config-version.js';
import { Corosync, type CorosyncInput, type ServiceInput, type ServiceOutput } from '../src/corosync/index.js';
import { corosync31 } from '../src/index.js';

/** A service whose part in the synchronisation is one message. */
class Greeter implements Machine<ServiceInput, ServiceOutput> {
  readonly heard: string[] = [];
  readonly #greeting: Uint8Array;

  constructor(node: number) {
    this.#greeting = Uint8Array.of(0, 0, 5, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, node);
  }

  step(_now: number, input: ServiceInput, emit: (output: ServiceOutput) => void): void {
    if (input.kind === 'sync-process') emit({ kind: 'cast', payload: this.#greeting } as ServiceOutput);
    if (input.kind === 'sync-activate') emit({ kind: 'greeted' });
    if (input.kind === 'deliver' && input.payload.length === 17) this.heard.push(`${input.from}: ${input.payload[16]}`);
  }

  deadline(): number {
    return Infinity;
  }
}

interface Node {
  readonly machine: Corosync;
  readonly greeter: Greeter;
}

/** Nodes on a network that is always there and takes no time. */
class Nodes {
  readonly said: string[] = [];
  readonly nodes: readonly Node[];
  readonly #queue: { readonly to: number; readonly input: CorosyncInput }[] = [];
  #now = 0;

  constructor(versions: readonly number[]) {
    const nodes = versions.map((_, i) => ({ id: i + 1 }));
    this.nodes = versions.map((configVersion, i) => {
      const greeter = new Greeter(i + 1);
      const services = [{ id: 3 }, { id: 5, machine: greeter }];
      const timings = corosync31(nodes.length);
      return { greeter, machine: new Corosync({ nodeId: i + 1, nodes, timings, ringSeq: 0, configVersion, services }) };
    });
  }

  run(until: number): void {
    const deadline = (): number => Math.min(...this.nodes.map(({ machine }) => machine.deadline()));
    for (; this.#now <= until; this.#now = deadline()) {
      for (const [i, { machine }] of this.nodes.entries()) {
        if (machine.deadline() <= this.#now) this.step(i + 1, { kind: 'wake' });
      }
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.step(next.to, next.input);
    }
    this.#now = until;
  }

  step(id: number, input: CorosyncInput): void {
    this.nodes[id - 1]!.machine.step(this.#now, input, (output) => {
      switch (output.kind) {
        case 'unicast':
          return this.#send(output.to, output.bytes);
        case 'multicast':
          return this.nodes.forEach((_, i) => {
            if (i + 1 !== id) this.#send(i + 1, output.bytes);
          });
        case 'message':
          return void this.said.push(`${id}: ${output.from.node}/${output.from.pid} ${output.payload.join(' ')}`);
        case 'service':
          return void this.said.push(`${id}: service ${output.service} ${output.output.kind}`);
        case 'cpg-refused':
          return void this.said.push(`${id}: ${output.refused.operation} refused ${output.refused.code}`);
        case 'synced':
        case 'left':
          return void this.said.push(`${id}: ${output.kind}`);
        case 'other-configuration':
          return void this.said.push(`${id}: has ${output.mine}, others ${output.highest}`);
        default:
      }
    });
  }

  #send(to: number, bytes: Uint8Array): void {
    this.#queue.push({ to, input: { kind: 'datagram', bytes: bytes.slice() } });
  }
}

function started(...versions: readonly number[]): Nodes {
  const nodes = new Nodes(versions);
  for (const id of versions.keys()) nodes.step(id + 1, { kind: 'network-up' });
  nodes.run(SECOND);
  return nodes;
}

describe('a node of corosync', () => {
  it('has its services tell each other what they know before groups may speak', () => {
    const { nodes, said } = started(0, 0);
    expect(said.slice(-4)).toEqual(['1: service 5 greeted', '1: synced', '2: service 5 greeted', '2: synced']);
    for (const { greeter } of nodes) expect(greeter.heard.slice(-2).sort()).toEqual(['1: 1', '2: 2']);
  });

  it('carries the messages of its groups', () => {
    const nodes = started(0, 0);
    nodes.said.length = 0;
    for (const id of [1, 2]) nodes.step(id, { kind: 'join', group: 'g', pid: id });
    nodes.run(2 * SECOND);
    nodes.step(2, { kind: 'mcast', group: 'g', pid: 2, payload: Uint8Array.of(7) });
    nodes.run(3 * SECOND);
    expect(nodes.said).toEqual(['2: 2/2 7', '1: 2/2 7']);
  });

  it('refuses calls of processes while its services synchronise', () => {
    const nodes = new Nodes([0]);
    nodes.step(1, { kind: 'join', group: 'g', pid: 1 });
    expect(nodes.said).toEqual(['1: join refused 6']);
  });

  it('hears what a service casts at any time', () => {
    const nodes = started(0, 0);
    nodes.step(1, { kind: 'cast', payload: new Uint8Array(17) });
    nodes.run(2 * SECOND);
    expect(nodes.nodes[1]!.greeter.heard.at(-1)).toBe('1: 0');
  });

  it('says nothing after it has departed', () => {
    const nodes = started(0, 0);
    nodes.said.length = 0;
    nodes.step(2, { kind: 'depart' });
    nodes.run(2 * SECOND);
    expect(nodes.said).toEqual(['2: left', '1: service 5 greeted', '1: synced']);
  });

  it.each([
    [[4, 4], []],
    [[4, 5], ['1: has 4, others 5']],
    [[0, 5], []],
  ])('with config versions %j says: %j', (versions, said) => {
    expect(started(...versions).said.filter((line) => line.includes('has'))).toEqual(said);
  });
});

describe('the version of the configuration', () => {
  it.each([0, 1, 34, 2 ** 40])('%i is read as it was written', (version) => {
    const bytes = encodeConfigVersion(new ByteWriter(true, 16), version);
    expect(bytes.length).toBe(version === 0 ? 328 : 336);
    expect(decodeConfigVersion(bytes)).toBe(version);
  });

  it('that there is none is written as by corosync 3.1.7', () => {
    const head = `${'0'.repeat(16)}4801${'0'.repeat(28)}01${'0'.repeat(46)}`;
    const name = '1400000000000000746f74656d2e636f6e6669675f76657273696f6e';
    const bytes = hex(encodeConfigVersion(new ByteWriter(true, 16), 0));
    expect(bytes).toBe((head + name).padEnd(656, '0'));
  });
});
