import { readdirSync } from 'node:fs';
import { Checker, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { checkTranscript } from '../../../tooling/transcript.js';
import {
  type FenceConf,
  type FenceDaemon,
  Fenced,
  type FencedInput,
  type FencedOutput,
  fenceDomainText,
  invariants,
} from '../src/index.js';
import { GroupBus } from './group-bus.js';

const data = new URL('data/', import.meta.url);

function confOf(nodes: readonly number[], methodless: readonly number[] = []): FenceConf {
  return {
    nodes: nodes.map((nodeId) => ({
      nodeId,
      name: `my-vm${nodeId}`,
      fenceMethods: methodless.includes(nodeId)
        ? []
        : [{ name: 'scsi', devices: [{ name: 'pr', arguments: new Map() }] }],
      unfenceDevices: [],
    })),
    devices: [{ name: 'pr', agent: 'fence_scsi', arguments: new Map([['agent', 'fence_scsi']]) }],
  };
}

/** A bus that obeys the commands of the transcripts in test/data/fenced. */
class Session {
  #nodes = [1, 2, 3, 4, 5];
  #methodless: number[] = [];
  #daemon: FenceDaemon = {};
  #isTwoNode = false;
  #words: readonly string[] = [];
  #bus: GroupBus | undefined;
  #seen = 0;

  execute(commands: readonly string[]): string {
    const answers = commands.map((command) => this.#execute(command)).filter((answer) => answer !== undefined);
    return [...answers, ...this.#newEvents()].join('\n') || 'nothing';
  }

  check(): void {
    const checker = new Checker(invariants);
    for (const fact of this.#theBus().facts) checker.observe(fact);
    expect(checker.violations).toEqual([]);
  }

  #theBus(): GroupBus {
    this.#bus ??= new GroupBus({
      nodes: this.#nodes,
      conf: confOf(this.#nodes, this.#methodless),
      config: { daemon: this.#daemon, isTwoNode: this.#isTwoNode },
    });
    return this.#bus;
  }

  #execute(command: string): string | undefined {
    const [verb, ...words] = command.split(' ');
    const numbers = words.map(Number);
    const node = numbers[0]!;
    switch (verb) {
      case 'nodes':
        this.#nodes = numbers;
        return undefined;
      case 'methodless':
        this.#methodless = numbers;
        return undefined;
      case 'two-node':
        this.#isTwoNode = true;
        return undefined;
      // daemon JSON: fence_daemon of cluster.conf
      case 'daemon':
        this.#daemon = JSON.parse(words.join(' ')) as FenceDaemon;
        return undefined;
      // debug WORD…: shows debug messages that have one of these words
      case 'debug':
        this.#words = words;
        return undefined;
      default:
        return this.#onBus(this.#theBus(), verb!, words, numbers, node);
    }
  }

  #onBus(bus: GroupBus, verb: string, words: string[], numbers: number[], node: number): string | undefined {
    switch (verb) {
      case 'boot':
        for (const each of numbers) bus.boot(each);
        break;
      case 'boot-dirty':
        bus.boot(node, {}, words.slice(1));
        break;
      case 'join':
      case 'leave':
      case 'stop':
      case 'cluster-down':
        for (const each of numbers) bus.input(each, { kind: verb });
        break;
      case 'run':
        bus.run(bus.now + Number.parseFloat(words[0]!) * SECOND);
        break;
      case 'kill':
        bus.kill(...numbers);
        break;
      case 'kill-daemon':
        bus.killDaemon(node);
        break;
      // split 1 2 | 3 4 5
      case 'split':
        bus.split(
          ...words
            .join(' ')
            .split('|')
            .map((side) => side.trim().split(' ').map(Number)),
        );
        break;
      case 'merge':
        bus.merge();
        break;
      // votes NUMBER: so many members are needed for quorum
      case 'votes':
        bus.votesChanged((members) => members.length >= node);
        break;
      // agent SECONDS STATUS
      case 'agent':
        bus.agent = () => ({ takes: Number.parseFloat(words[0]!) * SECOND, status: numbers[1]! });
        break;
      // check NODE [PID]: a fence_check runs there, or none
      case 'check':
        if (numbers.length > 1) bus.fenceChecks.set(node, numbers[1]!);
        else bus.fenceChecks.delete(node);
        break;
      // external|override BY NODE
      case 'external':
        bus.input(node, { kind: 'external', node: numbers[1]! });
        break;
      case 'override':
        bus.input(node, { kind: 'override', node: numbers[1]! });
        break;
      case 'ls':
      case 'ls-n': {
        const domain = bus.fenced(node).domain();
        return domain === undefined ? 'no domain' : fenceDomainText(domain, verb === 'ls-n').trimEnd();
      }
      case 'dump':
        return bus.fenced(node).dump().trimEnd();
      case 'override-victim':
        return String(bus.fenced(node).overrideVictim);
      default:
        throw new Error(`unknown command ${verb}`);
    }
    return undefined;
  }

  #isShown(text: string): boolean {
    const isQuiet = text.startsWith('(debug)') || text.endsWith(' started');
    return !isQuiet || this.#words.some((word) => text.includes(word));
  }

  #newEvents(): string[] {
    const bus = this.#theBus();
    const events = bus.events.slice(this.#seen);
    this.#seen = bus.events.length;
    return events
      .filter(({ text }) => this.#isShown(text))
      .map(({ at, node, text }) => `${(at / SECOND).toFixed(2).padStart(6)} ${node} ${text}`);
  }
}

describe('histories', () => {
  it.each(readdirSync(new URL('fenced/', data)))('%s', (name) => {
    const session = new Session();
    checkTranscript(new URL(`fenced/${name}`, data), (commands) => session.execute(commands));
    session.check();
  });
});

describe('misuse by the embedder', () => {
  it('a node that is not in the configuration is refused', () => {
    expect(() => new Fenced({ nodeId: 9, conf: confOf([1, 2]) })).toThrow(RangeError);
  });

  it('starting twice', () => {
    const fenced = new Fenced({ nodeId: 1, conf: confOf([1]) });
    fenced.step(0, { kind: 'start', wall: 1 }, () => {});
    expect(() => fenced.step(0, { kind: 'start', wall: 1 }, () => {})).toThrow(RangeError);
  });
});

describe('rings', () => {
  const conf = confOf([1, 2]);
  const start = (): { fenced: Fenced; step: (input: FencedInput) => string[] } => {
    const fenced = new Fenced({ nodeId: 1, conf, daemon: { isCleanStart: true } });
    const waiting: FencedInput[] = [];
    const step = (first: FencedInput): string[] => {
      const kinds: string[] = [];
      waiting.push(first);
      for (let input = waiting.shift(); input !== undefined; input = waiting.shift()) {
        fenced.step(0, input, (output) => {
          kinds.push(output.kind);
          if (output.kind === 'cpg-join') {
            waiting.push({ kind: 'confchg', group: output.group, members: [1], joined: [1], left: [] });
          } else if (output.kind === 'cpg-mcast') {
            waiting.push({ kind: 'message', group: output.group, from: 1, payload: output.payload.slice() });
          }
        });
      }
      return kinds;
    };
    return { fenced, step };
  };
  const ring = (seq: number) => ({ representative: 1, seq });
  const members = (nodes: number[], seq: number): FencedInput => ({
    kind: 'membership',
    members: nodes,
    ring: ring(seq),
    isQuorate: true,
  });

  it('a daemon that CPG has told no ring completes its start cycle', () => {
    const { fenced, step } = start();
    for (const input of [{ kind: 'start', wall: 1 }, members([1], 4), { kind: 'join' }] as const) step(input);
    expect(fenced.domain()).toMatchObject({ waitState: 'none', members: [1] });
  });

  it.each([
    ['CPG first', [{ kind: 'ring-confchg', ring: ring(8), members: [1] }, members([1], 8)]],
    ['cman first', [members([1], 8), { kind: 'ring-confchg', ring: ring(8), members: [1] }]],
  ] as const)('after a death nothing is done before both are on the new ring: %s', (_, [first, second]) => {
    const { fenced, step } = start();
    for (const input of [{ kind: 'start', wall: 1 }, members([1, 2], 4), { kind: 'join' }] as const) step(input);
    const left = [{ node: 2, reason: 'nodedown' as const }];
    step({ kind: 'confchg', group: 'fenced:default', members: [1], joined: [], left });
    expect(fenced.domain()?.waitState).toBe('quorum');
    step(first);
    expect(fenced.domain()?.waitState).toBe('quorum');
    expect(step(second)).toContain('run-agent');
  });
});

describe('what a fenced refuses', () => {
  it.each([
    ['too short', new Uint8Array(10), 'short'],
    ['another version', new Uint8Array(40).fill(9, 0, 2), 'unknown-type'],
  ] as const)('a message of its domain that is %s', (_, payload, reason) => {
    const fenced = new Fenced({ nodeId: 1, conf: confOf([1]) });
    const rejected: string[] = [];
    const emit = (output: FencedOutput): void => {
      if (output.kind === 'reject') rejected.push(output.reason);
    };
    fenced.step(0, { kind: 'start', wall: 1 }, emit);
    fenced.step(0, { kind: 'message', group: 'fenced:daemon', from: 2, payload }, emit);
    expect(rejected).toEqual([reason]);
    expect(fenced.inspect().rejects).toBe(1);
  });

  it('joining before it started', () => {
    const outputs: FencedOutput[] = [];
    const fenced = new Fenced({ nodeId: 1, conf: confOf([1]) });
    fenced.step(0, { kind: 'join' }, (output) => outputs.push(output));
    expect(outputs).toEqual([{ kind: 'refused', reason: 'not-started' }]);
  });

  it('joining twice, leaving and fencing by hand outside of a domain', () => {
    const bus = new GroupBus({ nodes: [1], conf: confOf([1]) });
    bus.boot(1);
    bus.input(1, { kind: 'leave' });
    bus.input(1, { kind: 'external', node: 1 });
    bus.run(SECOND);
    bus.input(1, { kind: 'join' });
    bus.input(1, { kind: 'join' });
    bus.run(2 * SECOND);
    expect(bus.events.filter(({ text }) => text.includes('refused')).map(({ text }) => text)).toEqual([
      '=> refused not-joined',
      '=> refused not-joined',
      '=> refused exists',
    ]);
  });

  it('messages of the domain of another version or sender', () => {
    const bus = new GroupBus({ nodes: [1, 2, 3], conf: confOf([1, 2, 3]) });
    for (const node of [1, 2, 3]) bus.boot(node);
    for (const node of [1, 2, 3]) bus.input(node, { kind: 'join' });
    bus.run(SECOND);
    bus.tamper = (payload, from) => {
      payload[from === 2 ? 0 : 8] = 7;
      return payload;
    };
    bus.input(2, { kind: 'external', node: 3 });
    bus.input(3, { kind: 'external', node: 2 });
    bus.run(2 * SECOND);
    const rejects = bus.events.filter(({ node, text }) => node === 1 && text.includes('reject'));
    expect(rejects.map(({ text }) => text)).toEqual([
      'reject message from 2 version 7.1.1 vs 1.1.1',
      '=> reject from 2: wrong-version',
      '=> reject from 3: wrong-sender',
    ]);
  });
});
