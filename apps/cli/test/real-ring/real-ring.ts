import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RingNetwork, run } from '../../../../tooling/ring-network.js';
import { OurNode, RealNode, type RingFiles, type RingNode } from './ring-node.js';

/** Patience with a ring, on a machine that does other things, too. */
const PATIENCE_MS = 60_000;

/** Waits until it is so; throws what `what` says when that takes too long. */
export async function until(what: () => string, isSo: () => boolean): Promise<void> {
  const last = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > last) throw new Error(`not after ${PATIENCE_MS / 1000} s: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A ring of real nodes of corosync and of ours, in namespaces of its own. */
export class RealRing {
  readonly network: RingNetwork;
  readonly nodes: readonly RingNode[];
  readonly reals: readonly RealNode[];
  readonly ours: readonly OurNode[];
  readonly #directory: string;

  /** Node i of `kinds` has id i + 1. `quorate` is the bundled command. */
  constructor(kinds: readonly ('corosync' | 'quorate')[], quorate: string, totem = 'transport: udpu') {
    this.#directory = mkdtempSync(join(tmpdir(), 'quorate-ring-'));
    const ids = kinds.map((_, i) => i + 1);
    this.network = new RingNetwork(`q${process.pid}`, ids);
    const files: RingFiles = { directory: this.#directory, client: join(this.#directory, 'cpg-client'), quorate };
    const source = fileURLToPath(new URL('./cpg-client.c', import.meta.url));
    run('gcc', '-O2', '-o', files.client, source, '-lcpg');
    const conf = confOf(ids, this.network, totem);
    this.nodes = kinds.map((kind, i) => {
      const Node = kind === 'corosync' ? RealNode : OurNode;
      return new Node(i + 1, this.network, files, conf);
    });
    this.reals = this.nodes.filter((node) => node instanceof RealNode);
    this.ours = this.nodes.filter((node) => node instanceof OurNode);
  }

  node(id: number): RingNode {
    return this.nodes[id - 1]!;
  }

  /** Waits until those nodes are one ring, and their processes one group. */
  async formed(ids: readonly number[] = this.nodes.map(({ id }) => id)): Promise<void> {
    const nodes = ids.map((id) => this.node(id));
    const members = ids.join(' ');
    await until(
      () => `a ring of ${members}; there is ${nodes.map(describe).join('; ')}`,
      () => {
        const group = nodes.map(({ process }) => process).join(' ');
        const ring = nodes[0]!.ring;
        return nodes.every(
          (node) => node.ring === ring && node.members.join(' ') === members && node.group.join(' ') === group,
        );
      },
    );
  }

  async remove(): Promise<void> {
    for (const node of this.nodes) if (node.isRunning) await node.kill();
    this.network.remove();
    rmSync(this.#directory, { recursive: true });
  }
}

function describe({ id, isRunning, ring, members, group }: RingNode): string {
  return `${id}${isRunning ? '' : ' (ended)'}: ring ${ring} of ${members.join(' ')}, group ${group.join(' ')}`;
}

/** With a token of one second a dead node is out after 2 to 2.2 s. */
function confOf(ids: readonly number[], network: RingNetwork, totem: string): string {
  const nodes = ids.map(
    (id) => ` node {\n  ring0_addr: ${network.addressOf(id)}\n  nodeid: ${id}\n  name: n${id}\n }\n`,
  );
  return (
    `totem {\n version: 2\n cluster_name: ring\n token: 1000\n token_coefficient: 0\n ${totem}\n}\n` +
    `nodelist {\n${nodes.join('')}}\nquorum {\n provider: corosync_votequorum\n}\n`
  );
}
