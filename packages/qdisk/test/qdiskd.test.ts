import { readdirSync } from 'node:fs';
import { Checker, MILLISECOND, type Nanos, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { checkTranscript } from '../../../tooling/transcript.js';
import { DiskState, decodeStatus, encodeStatus, invariants, Qdiskd, type Quorumd, statusSector } from '../src/index.js';
import { DiskCluster } from './disk-cluster.js';

const data = new URL('data/', import.meta.url);

/** A cluster that obeys the commands of the transcripts in test/data/qdiskd. */
class Session {
  readonly #quorumd = new Map<string, Quorumd>();
  readonly #cluster: DiskCluster;
  #seen = 0;
  #nodeCount = 5;
  #heuristic: { takes: Nanos; status: number } = { takes: 5 * MILLISECOND, status: 0 };

  constructor() {
    this.#cluster = new DiskCluster({
      nodes: [1, 2, 3, 4, 5],
      config: (node) => ({
        quorumd: this.#quorumd.get(String(node)) ?? this.#quorumd.get('all') ?? {},
        clusterNodes: Array.from({ length: this.#nodeCount }, (_, i) => ({
          nodeId: i + 1,
          name: `my-vm${i + 1}`,
          votes: 1,
        })),
      }),
      heuristic: () => this.#heuristic,
    });
  }

  execute(commands: readonly string[]): string {
    const answers = commands.map((command) => this.#execute(command)).filter((answer) => answer !== undefined);
    return [...answers, ...this.#newEvents()].join('\n') || 'nothing';
  }

  check(): void {
    const checker = new Checker(invariants);
    for (const fact of this.#cluster.facts) checker.observe(fact);
    expect(checker.violations).toEqual([]);
  }

  #execute(command: string): string | undefined {
    const cluster = this.#cluster;
    const [verb, ...words] = command.split(' ');
    const node = Number(words[0]);
    switch (verb) {
      // quorumd all|NODE JSON
      case 'quorumd':
        this.#quorumd.set(words[0]!, JSON.parse(words.slice(1).join(' ')) as Quorumd);
        return undefined;
      case 'nodes':
        this.#nodeCount = node;
        return undefined;
      // start NODE [NODE...]: 10 ms apart
      case 'start':
        for (const [i, word] of words.entries()) {
          cluster.at(cluster.now + i * 10 * MILLISECOND, () => cluster.start(Number(word)));
        }
        return undefined;
      case 'run':
        cluster.run(cluster.now + Number.parseFloat(words[0]!) * SECOND);
        return undefined;
      case 'kill':
        cluster.kill(node);
        return undefined;
      case 'pause':
        cluster.pause(node);
        return undefined;
      case 'resume':
        cluster.resume(node);
        return undefined;
      case 'view':
        cluster.view(node, words.slice(1).map(Number));
        return undefined;
      // heuristic TAKES STATUS
      case 'heuristic':
        this.#heuristic = { takes: Number.parseFloat(words[0]!) * SECOND, status: Number(words[1]) };
        return undefined;
      // hang|fail NODE read|write
      case 'hang':
        cluster.delayOf = (who, kind) => (who === node && kind === words[1] ? Infinity : 0);
        return undefined;
      case 'slow':
        cluster.delayOf = (who, kind) =>
          who === node && kind === words[1] ? Number.parseFloat(words[2]!) * SECOND : 0;
        return undefined;
      case 'fail':
        cluster.failsOf = (who, kind) => who === node && kind === words[1];
        return undefined;
      case 'heal':
        cluster.delayOf = () => 0;
        cluster.failsOf = () => false;
        return undefined;
      // block NODE STATE WRITER: somebody overwrites a status block
      case 'block':
        this.#overwrite(node, words[1]! as keyof typeof DiskState, Number(words[2]));
        return undefined;
      // fake NODE STATE SECONDS: another implementation's node, which writes its block every half second
      case 'fake':
        for (let i = 0; i < Number(words[2]) * 2; i++) {
          cluster.at(cluster.now + (i * SECOND) / 2, () =>
            this.#overwrite(node, words[1]! as keyof typeof DiskState, node),
          );
        }
        return undefined;
      case 'corrupt':
        cluster.disk.bytes[statusSector(node, 512) * 512 + 60]! ^= 0xff;
        return undefined;
      // split NODE...: these get a copy of the disk for themselves; merge: all have one again, with the blocks of both
      case 'split':
        cluster.split(words.map(Number));
        return undefined;
      case 'merge':
        cluster.merge();
        return undefined;
      // input NODE JSON
      case 'input':
        cluster.input(node, JSON.parse(words.slice(1).join(' ')));
        return undefined;
      case 'status-file':
        return cluster.statusFiles.get(node)?.trimEnd();
      case 'inspect': {
        const { phase, state, master, votes, granted, rejects } = cluster.inspect(node);
        return JSON.stringify({ phase, state, master, votes, granted, rejects });
      }
      default:
        throw new Error(`unknown command ${command}`);
    }
  }

  #overwrite(node: number, state: keyof typeof DiskState, writer: number): void {
    const sector = this.#cluster.disk.read(statusSector(node, 512));
    const status = decodeStatus(sector);
    if (typeof status === 'string') throw new Error(status);
    const timestamp = status.timestamp + 1;
    encodeStatus(sector, { ...status, state: DiskState[state], updateNode: writer, timestamp });
    this.#cluster.disk.write(statusSector(node, 512), sector);
  }

  /** Events since the last command. Polls of a row are counted, and lines of the start-up are left out. */
  #newEvents(): string[] {
    const events = this.#cluster.events.slice(this.#seen).filter(({ text }) => !isRoutine(text));
    this.#seen = this.#cluster.events.length;
    const polls = new Map<number, number>();
    const lines: string[] = [];
    for (const { at, node, text } of events) {
      if (text === 'CMAN poll 1') polls.set(node, (polls.get(node) ?? 0) + 1);
      else lines.push(`${(at / SECOND).toFixed(2).padStart(6)} ${node} ${text}`);
    }
    for (const [node, count] of [...polls].sort(([a], [b]) => a - b)) lines.push(`polls of ${node}: ${count}`);
    return lines;
  }
}

function isRoutine(text: string): boolean {
  // Of sixteen blocks that cannot be read, the first two speak for all.
  if (/^Error reading node ID block ([3-9]|1\d)$/.test(text)) return true;
  return /^(Timings|I\/O Size|Permanently|Quorum Daemon|Auto-conf|Setting auto|\d heuristics|Heuristic: .* score=)/.test(
    text,
  );
}

describe('histories', () => {
  it.each(readdirSync(new URL('qdiskd/', data)))('%s', (name) => {
    const session = new Session();
    checkTranscript(new URL(`qdiskd/${name}`, data), (commands) => session.execute(commands));
    session.check();
  });
});

describe('misuse by the embedder', () => {
  const config = { nodeId: 1, device: 'DEV', quorumd: { votes: 1 }, clusterNodes: [] };
  it.each([
    ['a node id without a status block', { ...config, nodeId: 17 }],
    ['no node id', { ...config, nodeId: 0 }],
    ['an impossible sector size', { ...config, sectorSize: 500 }],
  ])('%s', (_, wrong) => {
    expect(() => new Qdiskd(wrong)).toThrow(RangeError);
  });

  it('starting twice', () => {
    const qdiskd = new Qdiskd(config);
    qdiskd.step(0, { kind: 'start', wall: 1 }, () => {});
    expect(() => qdiskd.step(0, { kind: 'start', wall: 1 }, () => {})).toThrow(RangeError);
  });
});

describe('details', () => {
  it('an I/O that ends twice, or is not ours, changes nothing', () => {
    const cluster = new DiskCluster({ nodes: [1] });
    cluster.start(1);
    const before = cluster.events.length;
    cluster.input(1, { kind: 'io-done', id: 99 });
    expect(cluster.events.length).toBe(before);
  });

  it('the heartbeat is wall time carried forward, also over a step of the clock', () => {
    const cluster = new DiskCluster({ nodes: [1], wall: 1_000_000 });
    cluster.start(1);
    const heartbeat = (): number => {
      const status = decodeStatus(cluster.disk.read(statusSector(1, 512)));
      return typeof status === 'string' ? 0 : status.timestamp;
    };
    cluster.run(10.5 * SECOND);
    expect(heartbeat()).toBe(1_000_010);
    cluster.input(1, { kind: 'clock-step', offset: 3600 * SECOND });
    cluster.run(12.5 * SECOND);
    expect(heartbeat()).toBe(1_003_612);
  });

  it('wants no wake-up before it started and after it ended', () => {
    const qdiskd = new Qdiskd({ nodeId: 1, device: 'DEV', quorumd: { votes: 1 }, clusterNodes: [] });
    expect(qdiskd.deadline()).toBe(Infinity);
    qdiskd.step(0, { kind: 'stop' }, () => {});
    expect(qdiskd.deadline()).toBe(Infinity);
    expect(qdiskd.inspect().phase).toBe('stopped');
  });
});
