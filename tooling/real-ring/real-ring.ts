import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RingNetwork, run } from './ring-network.js';
import { OurNode, RealNode, type RingNode } from './ring-node.js';
import { until } from './until.js';

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export interface RingPrograms {
  /** The bundled command. */
  readonly quorate: string;
  /** cpg-client.c, which lies beside this file; a bundle is elsewhere. */
  readonly clientSource: URL;
}

/** A ring of real nodes of corosync and of ours, in namespaces of its own. */
export class RealRing {
  readonly network: RingNetwork;
  readonly nodes: readonly RingNode[];
  readonly reals: readonly RealNode[];
  readonly ours: readonly OurNode[];
  readonly #directory: string;
  #texts = 0;

  /** Node i of `kinds` has id i + 1. */
  constructor(kinds: readonly ('corosync' | 'quorate')[], programs: RingPrograms, totem = 'transport: udpu') {
    this.#directory = mkdtempSync(join(tmpdir(), 'quorate-ring-'));
    const ids = kinds.map((_, i) => i + 1);
    this.network = new RingNetwork(`q${process.pid}`, ids);
    const client = join(this.#directory, 'cpg-client');
    run('gcc', '-O2', '-o', client, fileURLToPath(programs.clientSource), '-lcpg');
    const files = { directory: this.#directory, client, quorate: programs.quorate };
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

  /** The same of all nodes but one. */
  formedWithout(node: RingNode): Promise<void> {
    return this.formed(this.nodes.filter((other) => other !== node).map(({ id }) => id));
  }

  /** Every node sends messages of all sizes, and all hear all of them in one order; how many they were. */
  async speak(): Promise<number> {
    const sent = new Set<string>();
    for (const size of SIZES) for (const node of this.nodes) sent.add(node.send(this.#newText(), size));
    const heard = (): string[][] => this.nodes.map((node) => node.heard.filter((message) => sent.has(message)));
    await until(
      () => `${sent.size} messages at each; there are ${heard().map(({ length }) => length)}`,
      () => heard().every(({ length }) => length >= sent.size),
    );
    const [first, ...others] = heard().map((messages) => messages.join('\n'));
    if (others.some((other) => other !== first)) throw new Error(`not in one order: ${JSON.stringify(heard())}`);
    return sent.size;
  }

  /** Every node sends short messages for a while; who hears them is not asked. */
  async chat(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      for (const node of this.nodes) node.send(this.#newText(), 500);
      await pause(250);
    }
  }

  /** Two nodes that did not hear in one order what they both heard. */
  disorder(): string | undefined {
    for (const a of this.nodes) {
      for (const b of this.nodes) {
        const common = new Set(b.heard);
        const order = a.heard.filter((message) => common.has(message));
        const known = new Set(order);
        const other = b.heard.filter((message) => known.has(message));
        const at = order.findIndex((message, i) => other[i] !== message);
        if (at >= 0) return `node ${a.id} heard ${order[at]} where node ${b.id} heard ${other[at]}`;
      }
    }
    return undefined;
  }

  /** Whatever anybody says that is no answer to what was done to the ring. */
  complaints(): readonly string[] {
    const logged = this.reals.flatMap(({ log }) => log.split('\n').filter((line) => COMPLAINT.test(line)));
    const ended = this.nodes.filter(({ isRunning }) => !isRunning).map(({ id }) => `node ${id} has ended`);
    const said = this.ours.flatMap(({ errors }) => errors.filter((line) => !/^(notice|warning|info): /.test(line)));
    return [...logged, ...ended, ...said];
  }

  async remove(): Promise<void> {
    for (const node of this.nodes) if (node.isRunning) await node.kill();
    this.network.remove();
    rmSync(this.#directory, { recursive: true });
  }

  /** Never used twice, so that a message can be told from all others. */
  #newText(): string {
    this.#texts += 1;
    return `text-${this.#texts}.`;
  }
}

/** Lines of corosync's log that tell of an error. */
const COMPLAINT = /\b(error|crit|alert|emerg) +\[/;

const SIZES = [10, 1024, 8192, 102_400];

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
