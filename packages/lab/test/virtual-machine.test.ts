import { parseSeed, SECOND, type Stamped } from '@quorate/kernel';
import { beforeEach, describe, expect, it } from 'vitest';
import { machineConfig, plainTopology, VirtualMachine, type VirtualMachineInput } from '../src/index.js';

const topology = plainTopology({ machines: 1 });

/** One machine without a network, whose disk commands stay under way, and all that it said. */
class Bench {
  readonly said: string[] = [];
  readonly tags: number[] = [];
  readonly vm: VirtualMachine;
  now = 0;

  constructor() {
    const observe = (fact: Omit<Stamped, 'at'>): void => {
      if (fact.kind === 'node.state') this.said.push(`fact life ${fact.life}`);
    };
    this.vm = new VirtualMachine(machineConfig(topology, topology.machines[0]!, parseSeed('1')!, observe));
  }

  step(input: VirtualMachineInput): this {
    this.vm.step(this.now, input, (output) => {
      if (output.kind === 'power') this.said.push(output.state);
      else if (output.kind === 'link') this.said.push(`link ${output.isUp ? 'up' : 'down'}`);
      else if (output.kind === 'session') this.said.push(`session ${output.state}`);
      else if (output.kind === 'replied') this.said.push(`replied ${output.result?.status ?? 'nothing'}`);
      else if (output.kind === 'io') this.tags.push(output.tag);
    });
    return this;
  }

  until(at: number): this {
    for (let due = this.vm.deadline(); due <= at; due = this.vm.deadline()) {
      this.now = due;
      this.step({ kind: 'wake' });
    }
    this.now = at;
    return this;
  }

  boot(): this {
    this.step({ kind: 'power-on' }).until(31 * SECOND);
    this.said.length = 0;
    return this;
  }
}

describe('a machine with power', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });

  it('boots after 30 s: first power, then links, then its session with the disks', () => {
    bench.step({ kind: 'power-on' });
    expect([bench.vm.state, bench.vm.deadline()]).toEqual(['booting', 30 * SECOND]);
    bench.until(30 * SECOND);
    const booting = ['fact life 1', 'booting'];
    expect(bench.said).toEqual([...booting, 'fact life 1', 'up', 'link up', 'session begun']);
  });

  it.each<[string, VirtualMachineInput[], string[]]>([
    ['power on is nothing new to one that is up', [{ kind: 'power-on' }], []],
    ['resume is nothing to one that runs', [{ kind: 'resume' }], []],
    [
      'loses session and links with its power',
      [{ kind: 'power-off' }],
      ['link down', 'session lost', 'fact life 1', 'off'],
    ],
    ['pause', [{ kind: 'pause' }], ['fact life 1', 'paused']],
    [
      'a paused one answers when it is resumed',
      [{ kind: 'pause' }, { kind: 'exec', id: 1, command: 'hostname' }, { kind: 'resume' }],
      ['fact life 1', 'paused', 'fact life 1', 'up', 'replied 127'],
    ],
    [
      'a paused one can lose its power',
      [{ kind: 'pause' }, { kind: 'exec', id: 1, command: 'true' }, { kind: 'power-off' }],
      ['fact life 1', 'paused', 'link down', 'session lost', 'fact life 1', 'off'],
    ],
    [
      'a pulled cable and a pulled disk cable are told',
      [
        { kind: 'carrier', nic: 0, isUp: false },
        { kind: 'disk-path', isUp: false },
        { kind: 'disk-path', isUp: false },
      ],
      ['link down', 'session broken'],
    ],
    [
      'what is unplugged stays so over a power cycle',
      [{ kind: 'carrier', nic: 0, isUp: false }, { kind: 'disk-path', isUp: false }, { kind: 'power-off' }],
      ['link down', 'session broken', 'fact life 1', 'off'],
    ],
  ])('%s', (_, inputs, said) => {
    bench.boot();
    for (const input of inputs) bench.step(input);
    expect(bench.said).toEqual(said);
  });

  it('one that is off answers no command', () => {
    expect(bench.step({ kind: 'exec', id: 1, command: 'true' }).said).toEqual(['replied nothing']);
  });

  it('a command that its machine does not survive is answered with nothing', () => {
    bench.boot().step({ kind: 'exec', id: 1, command: 'ping -c9 10.0.0.9' }).step({ kind: 'power-off' });
    expect(bench.said.at(-1)).toBe('replied nothing');
  });

  it('a command at the disks ends when the cable is pulled, and its late answer is not heard', () => {
    bench.boot();
    const before = bench.tags.length;
    bench.step({ kind: 'exec', id: 1, command: 'mkqdisk -L' });
    expect(bench.tags.length).toBe(before + 1);
    bench.step({ kind: 'disk-path', isUp: false });
    expect(bench.said).toContain('session broken');
    const tag = bench.tags.at(-1)!;
    const nothing = new Uint8Array(0);
    bench.step({ kind: 'io-done', tag, status: 0, sense: nothing, data: new Uint8Array(512) }).until(40 * SECOND);
    expect(bench.said.at(-1)).toMatch(/^replied \d+$/);
  });

  it('its root disk outlives it', () => {
    bench.boot().step({ kind: 'exec', id: 1, command: 'ifconfig eth0 down > /etc/kept' });
    bench
      .step({ kind: 'power-off' })
      .step({ kind: 'power-on' })
      .until(70 * SECOND);
    const view = bench.vm.inspect() as { life: number };
    expect([bench.vm.state, view.life]).toEqual(['up', 2]);
  });
});
