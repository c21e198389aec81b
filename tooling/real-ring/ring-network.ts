import { execFileSync } from 'node:child_process';
import { oracleEnv, pathOf } from '../oracle-env.js';
import { isThorough } from '../thorough.js';

/** Runs a program to its end; throws with what it said when it failed. */
export function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { env: oracleEnv, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Why rings of real daemons cannot be made; undefined: they can. Where oracles are required that is an error. */
export function lacksRealRings(...programs: readonly string[]): string | undefined {
  const missing = ['corosync', 'gcc', 'ip', 'nsenter', ...programs].filter((each) => pathOf(each) === undefined);
  const why = missing.length > 0 ? `${missing.join(' and ')} not installed` : lacksNamespaces();
  if (why !== undefined && isThorough) throw new Error(why);
  return why;
}

function lacksNamespaces(): string | undefined {
  try {
    run('unshare', '--net', '--mount', 'true');
    return undefined;
  } catch {
    return 'no right to make network namespaces';
  }
}

/** Nodes' network namespaces on one bridge: node i has 10.99.0.i, and a cable that can be pulled. */
export class RingNetwork {
  readonly #prefix: string;
  readonly #nodes: readonly number[];

  /** At most 9 characters of prefix: interfaces have 15. */
  constructor(prefix: string, nodes: readonly number[]) {
    this.#prefix = prefix;
    this.#nodes = nodes;
    run('ip', 'link', 'add', this.#bridge, 'type', 'bridge');
    run('ip', 'link', 'set', this.#bridge, 'up');
    for (const node of nodes) this.#addNode(node);
  }

  namespaceOf(node: number): string {
    return `${this.#prefix}-${node}`;
  }

  addressOf(node: number): string {
    return `10.99.0.${node}`;
  }

  /** Carrier loss: the address stays. */
  pull(node: number): void {
    run('ip', 'link', 'set', this.#cableOf(node), 'down');
  }

  plug(node: number): void {
    run('ip', 'link', 'set', this.#cableOf(node), 'up');
  }

  /** Loses that share of the datagrams that come to a node. */
  lose(node: number, share: number): void {
    this.#filter(node, '-A', share);
  }

  loseNoMore(node: number, share: number): void {
    this.#filter(node, '-D', share);
  }

  /** Takes a node's address away. */
  removeAddress(node: number): void {
    run('ip', '-n', this.namespaceOf(node), 'addr', 'del', `${this.addressOf(node)}/24`, 'dev', 'eth0');
  }

  addAddress(node: number): void {
    run('ip', '-n', this.namespaceOf(node), 'addr', 'add', `${this.addressOf(node)}/24`, 'dev', 'eth0');
  }

  remove(): void {
    for (const node of this.#nodes) {
      run('ip', 'link', 'del', this.#cableOf(node));
      run('ip', 'netns', 'del', this.namespaceOf(node));
    }
    run('ip', 'link', 'del', this.#bridge);
  }

  get #bridge(): string {
    return `${this.#prefix}-br`;
  }

  #cableOf(node: number): string {
    return `${this.#prefix}-v${node}`;
  }

  #addNode(node: number): void {
    const namespace = this.namespaceOf(node);
    const cable = this.#cableOf(node);
    run('ip', 'netns', 'add', namespace);
    run('ip', 'link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    run('ip', 'link', 'set', cable, 'master', this.#bridge, 'up');
    run('ip', '-n', namespace, 'link', 'set', 'eth0', 'up');
    run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
    this.addAddress(node);
  }

  #filter(node: number, action: '-A' | '-D', share: number): void {
    const rule = [
      'INPUT',
      '-p',
      'udp',
      '-m',
      'statistic',
      '--mode',
      'random',
      '--probability',
      `${share}`,
      '-j',
      'DROP',
    ];
    run('ip', 'netns', 'exec', this.namespaceOf(node), 'iptables', action, ...rule);
  }
}
