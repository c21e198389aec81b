import { readdirSync } from 'node:fs';
import { asciiBytes, Checker, latin1, SECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { type Command, checkTranscript, commandOf } from '../../../tooling/transcript.js';
import {
  type CmanConfig,
  type CmanInput,
  type CmanOutput,
  clusterIdOf,
  formatNodes,
  formatStatus,
  invariants,
  type KillReason,
  multicastAddressOf,
  type NodeId,
} from '../src/index.js';
import { Cluster } from './cluster.js';

/** Runs the commands of one transcript. */
class Scene {
  readonly #cluster: Cluster;
  readonly #said = new Map<string, NodeId[]>();
  #template: Omit<CmanConfig, 'nodeId'> | undefined;

  constructor() {
    this.#cluster = new Cluster((node, output) => this.#hear(node, output));
  }

  get facts(): Cluster['facts'] {
    return this.#cluster.facts;
  }

  run({ words, options }: Command): readonly string[] {
    const [command, ...rest] = words;
    const numbers = rest.filter((word) => /^\d+$/.test(word)).map(Number);
    const [node = 0, second = 0] = numbers;
    const option = (name: string, otherwise = 0): number => Number(options.get(name) ?? otherwise);
    const tell = (input: CmanInput): void => this.#cluster.step(node, input);
    switch (command) {
      case 'cluster':
        this.#template = templateOf(options);
        break;
      case 'boot':
        for (const each of numbers) this.#cluster.boot(this.#configOf(each, options));
        break;
      case 'off':
        for (const each of numbers) this.#cluster.off(each);
        break;
      case 'ring':
        for (const members of rest.join(' ').split('|')) this.#cluster.ring(members.trim().split(' ').map(Number));
        break;
      case 'run':
        this.#cluster.run(Number.parseFloat(rest[0]!) * SECOND);
        break;
      case 'register':
        for (const each of numbers) {
          const name = options.get('name') ?? 'qdisk';
          this.#cluster.step(each, { kind: 'register-device', name, votes: option('votes', 4) });
        }
        break;
      case 'update':
        tell({ kind: 'update-device', name: options.get('name') ?? 'qdisk', votes: option('votes') });
        break;
      case 'poll':
        for (const each of numbers) this.#cluster.step(each, { kind: 'poll-device', isUp: !rest.includes('down') });
        break;
      case 'unregister':
        tell({ kind: 'unregister-device' });
        break;
      case 'open':
        tell({ kind: 'open-port', port: second });
        break;
      case 'close':
        tell({ kind: 'close-port', port: second });
        break;
      case 'send':
        tell({ kind: 'send', port: option('port'), to: option('to'), payload: asciiBytes(options.get('text') ?? '') });
        break;
      case 'listening':
        return [String(this.#cluster.cman(node).isListening(second, option('port')))];
      case 'listeners':
        return [this.#cluster.cman(node).listeners(option('port')).join(' ')];
      case 'kill':
        tell({ kind: 'kill', node: second, reason: (options.get('reason') ?? 'cmantool') as KillReason });
        break;
      case 'leave': {
        const [isRemoved, isForced] = [rest.includes('removed'), rest.includes('forced')];
        tell({ kind: 'leave', isRemoved, isForced, listeners: option('listeners') });
        break;
      }
      case 'reply':
        tell({ kind: 'shutdown-reply', isYes: rest.includes('yes') });
        break;
      case 'expected':
        tell({ kind: 'set-expected', votes: option('votes') });
        break;
      case 'votes':
        tell({ kind: 'set-votes', votes: option('votes'), ...(options.has('of') ? { node: option('of') } : {}) });
        break;
      case 'dirty':
        for (const each of numbers) this.#cluster.step(each, { kind: 'set-dirty' });
        break;
      case 'fenced':
        tell({ kind: 'node-fenced', node: second, at: option('at'), agent: options.get('agent') ?? '' });
        break;
      case 'file': {
        const { nodes, expectedVotes } = templateOf(options);
        const isBroadcast = rest.includes('broadcast');
        tell({ kind: 'reconfigure', configVersion: option('version'), nodes, expectedVotes, isBroadcast });
        break;
      }
      case 'no-file':
        tell({ kind: 'reconfigure-failed', reason: options.get('reason') ?? 'no file' });
        break;
      case 'status':
        return this.#show(formatStatus(this.#cluster.cman(node).status(3)!));
      case 'nodes':
        return this.#show(
          formatNodes(this.#cluster.cman(node).nodes(), {
            isAddressShown: rest.includes('-a'),
            names: options.get('names')?.split(',') ?? [],
            ...(options.has('columns') ? { columns: options.get('columns')!.split(',') } : {}),
          }),
        );
      case 'fences':
        return this.#cluster
          .cman(node)
          .nodes()
          .filter(({ fencedAt, isFenced }) => fencedAt !== 0 || isFenced)
          .map(({ nodeId, isFenced, fencedAt, fenceAgent }) => `${nodeId} ${isFenced} at ${fencedAt} by ${fenceAgent}`);
      default:
        throw new Error(`no such command: ${command}`);
    }
    return this.#tellAll();
  }

  /** A trailing blank would be lost in an editor: a `$` ends each line. */
  #show(text: string): readonly string[] {
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => `${line}$`);
  }

  #configOf(nodeId: NodeId, options: ReadonlyMap<string, string>): CmanConfig {
    const configVersion = Number(options.get('version') ?? this.#template!.configVersion);
    return {
      ...this.#template!,
      nodeId,
      configVersion,
      ...(options.has('expected') && { expectedVotesOverride: Number(options.get('expected')) }),
      ...(options.has('own-votes') && { votesOverride: Number(options.get('own-votes')) }),
    };
  }

  #hear(node: NodeId, output: CmanOutput): void {
    const line = textOf(output);
    if (line === undefined) return;
    const nodes = this.#said.get(line);
    if (nodes === undefined) this.#said.set(line, [node]);
    else nodes.push(node);
  }

  #tellAll(): readonly string[] {
    const lines = [...this.#said].map(([line, nodes]) => `${nodes.join(' ')}: ${line}`);
    this.#said.clear();
    return lines;
  }
}

function textOf(output: CmanOutput): string | undefined {
  switch (output.kind) {
    case 'cast':
      return undefined;
    case 'state-change': {
      const quorum = `${output.isQuorate ? 'quorate' : 'inquorate'}${output.quorumGained ? ', gained' : ''}`;
      const members = output.memberships.map(({ node, incarnation }) => `${node}@${incarnation}`).join(' ');
      return `state-change {${members}} ring ${output.ring.representative}.${output.ring.seq} ${quorum}`;
    }
    case 'data':
      return `data port ${output.port} from ${output.from} "${latin1(output.payload)}"`;
    case 'log':
      return `log ${output.priority} ${output.text}`;
    default: {
      const { kind, ...rest } = output;
      return [kind, ...Object.values(rest).map(String)].join(' ');
    }
  }
}

function templateOf(options: ReadonlyMap<string, string>): Omit<CmanConfig, 'nodeId'> {
  const count = Number(options.get('nodes') ?? 5);
  const votes = options.get('votes')?.split(',').map(Number) ?? [];
  const nodes = Array.from({ length: count }, (_, i) => ({
    nodeId: i + 1,
    name: `my-vm${i + 1}`,
    votes: votes[i] ?? 1,
    addresses: [`10.156.76.${74 + i}`],
  }));
  const clusterId = clusterIdOf('my-cluster', true);
  return {
    clusterName: options.get('name') ?? 'my-cluster',
    clusterId,
    configVersion: Number(options.get('version') ?? 34),
    nodes,
    expectedVotes: options.has('expected') ? Number(options.get('expected')) : undefined,
    isTwoNode: options.get('two-node') === 'yes',
    isDisallowedEnabled: options.get('disallowed') === 'yes',
    quorumDevPoll: 10 * SECOND,
    multicastAddresses: [multicastAddressOf(clusterId)],
  };
}

const data = new URL('./data/', import.meta.url);

/** Where an administrator or the double-quorum window makes both sides quorate, and how often. */
const DEPARTURES: Readonly<Record<string, readonly string[]>> = {
  'device.txt': ['quorum-double-window'],
  'two-node.txt': ['quorum-two-node'],
};

it.each(readdirSync(data).filter((file) => file.endsWith('.txt')))('%s', (file) => {
  const scene = new Scene();
  checkTranscript(new URL(file, data), (lines) => lines.flatMap((line) => scene.run(commandOf(line))));
  const checker = new Checker(invariants);
  for (const fact of scene.facts) checker.observe(fact);
  checker.end(scene.facts.at(-1)?.at ?? 0);
  expect(checker.violations).toEqual([]);
  expect([...checker.counts.keys()].sort()).toEqual(DEPARTURES[file] ?? []);
});
