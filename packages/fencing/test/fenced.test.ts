import { readdirSync } from 'node:fs';
import { Checker, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { type FenceConf, type FenceDaemon, Fenced, fenceDomainText, invariants } from '../src/index.js';
import { GroupBus } from './group-bus.js';
import { checkTranscript } from './transcript.js';

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
  #isLogShown = false;
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
      case 'debug':
        this.#isLogShown = words[0] === 'on';
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
      case 'override-victim':
        return String(bus.fenced(node).overrideVictim);
      default:
        throw new Error(`unknown command ${verb}`);
    }
    return undefined;
  }

  #newEvents(): string[] {
    const bus = this.#theBus();
    const events = bus.events.slice(this.#seen);
    this.#seen = bus.events.length;
    return events
      .filter(({ text }) => this.#isLogShown || !text.startsWith('(debug)'))
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
