import { type Nanos, SECOND, type Stamped } from '@quorate/kernel';
import type { AnyFact } from '@quorate/lab';
import { ServiceState, stateText } from '@quorate/rgmanager';
import type { JournalEntry } from './journal.js';

export type LabEvent = Pick<JournalEntry, 'at' | 'machine' | 'text' | 'tone'>;

const REBOOT_REASONS: Readonly<Record<string, string>> = {
  evicted: 'another node wrote EVICT into its block',
  score: 'its heuristic failed',
  'io-timeout': 'the quorum disk did not answer in time',
  paranoid: 'a cycle took too long',
  'stop-cman': 'it could not start',
};

/** Tells in sentences what of the facts a spectator wants to know. Each is told once, by whoever says it first. */
export class Events {
  static readonly KINDS: readonly string[] = [
    'node.state',
    'totem.configuration',
    'quorum.changed',
    'qdisk.master',
    'qdisk.evicted',
    'qdisk.reboot',
    'fenced.fencing-started',
    'fenced.attempt-ended',
    'dlm.recovered',
    'gfs2.mounted',
    'gfs2.unmounted',
    'gfs2.withdrawn',
    'gfs2.journal-recovered',
    'rg.service',
    'client.outage-ended',
  ];
  readonly #names: readonly string[];
  readonly #tell: (event: LabEvent) => void;
  readonly #rings = new Set<string>();
  readonly #quorate = new Map<number, boolean>();
  #master = 0;
  #service = '';

  /** `names` in the order of the node ids. */
  constructor(names: readonly string[], tell: (event: LabEvent) => void) {
    this.#names = names;
    this.#tell = tell;
  }

  hear(fact: Stamped): void {
    const { at, node, ...any } = fact as AnyFact;
    switch (fact.kind) {
      case 'node.state':
        this.#quorate.delete(node);
        this.#say(
          at,
          node,
          POWER_TEXTS[String(any.state)] ?? String(any.state),
          any.state === 'off' ? 'warning' : 'plain',
        );
        break;
      case 'totem.configuration':
        if (any.type === 'regular') this.#onRing(at, String(any.ring), any.members as readonly number[]);
        break;
      case 'quorum.changed':
        this.#onQuorum(at, node, any);
        break;
      case 'qdisk.master':
        this.#onMaster(at, Number(any.master));
        break;
      case 'qdisk.evicted':
        this.#say(at, node, `evicts ${this.#nameOf(any.peer)} on the quorum disk`, 'warning');
        break;
      case 'qdisk.reboot':
        this.#say(at, node, `reboots itself: ${REBOOT_REASONS[String(any.reason)] ?? any.reason}`, 'bad');
        break;
      case 'fenced.fencing-started':
        this.#say(at, node, `fences ${this.#nameOf(any.victim)}`, 'warning');
        break;
      case 'fenced.attempt-ended':
        if (any.isSuccess === true) this.#say(at, node, `has fenced ${this.#nameOf(any.victim)}`, 'good');
        else this.#say(at, node, `could not fence ${this.#nameOf(any.victim)}`, 'bad');
        break;
      case 'dlm.recovered':
        this.#say(at, node, `has recovered the locks of ${any.lockspace}`, 'plain');
        break;
      case 'gfs2.mounted':
        this.#say(at, node, 'has mounted the shared file system', 'good');
        break;
      case 'gfs2.unmounted':
        this.#say(at, node, 'has unmounted the shared file system', 'plain');
        break;
      case 'gfs2.withdrawn':
        this.#say(at, node, 'has withdrawn from the shared file system', 'bad');
        break;
      case 'gfs2.journal-recovered':
        if (any.wasDirty === true) {
          this.#say(at, node, `has replayed journal ${any.jid}: ${any.replayed} blocks`, 'good');
        }
        break;
      case 'rg.service':
        this.#onService(at, Number(any.state), Number(any.owner));
        break;
      case 'client.outage-ended': {
        const seconds = ((at - Number(any.from)) / SECOND).toFixed(1);
        this.#tell({
          at,
          machine: '',
          text: `the page is back after ${seconds} s, ${any.failed} F5 failed`,
          tone: 'good',
        });
        break;
      }
    }
  }

  #onRing(at: Nanos, ring: string, members: readonly number[]): void {
    if (this.#rings.has(ring)) return;
    // Nobody comes back to an old ring: a few are enough to know that one was told.
    if (this.#rings.size > 50) this.#rings.clear();
    this.#rings.add(ring);
    this.#tell({
      at,
      machine: '',
      text: `a ring of ${members.map((id) => this.#nameOf(id)).join(', ')}`,
      tone: 'plain',
    });
  }

  #onQuorum(at: Nanos, node: number, { isQuorate, total, quorum }: Readonly<Record<string, unknown>>): void {
    const before = this.#quorate.get(node) ?? false;
    if (before === (isQuorate === true)) return;
    this.#quorate.set(node, isQuorate === true);
    if (isQuorate === true) this.#say(at, node, `is quorate: ${total} votes, ${quorum} needed`, 'good');
    else this.#say(at, node, `is inquorate: ${total} votes, ${quorum} needed`, 'bad');
  }

  #onMaster(at: Nanos, master: number): void {
    if (master === 0 || master === this.#master) return;
    this.#master = master;
    this.#say(at, master, 'is master of the quorum disk', 'plain');
  }

  #onService(at: Nanos, state: number, owner: number): void {
    const text = `the service is ${stateText(state)}${owner === 0 ? '' : ` on ${this.#nameOf(owner)}`}`;
    if (text === this.#service) return;
    this.#service = text;
    const tone = state === ServiceState.STARTED ? 'good' : state === ServiceState.FAILED ? 'bad' : 'plain';
    this.#tell({ at, machine: this.#names[owner - 1] ?? '', text, tone });
  }

  #say(at: Nanos, node: number, text: string, tone: LabEvent['tone']): void {
    const machine = this.#nameOf(node);
    this.#tell({ at, machine, text: `${machine} ${text}`, tone });
  }

  #nameOf(node: unknown): string {
    return this.#names[Number(node) - 1] ?? `node ${node}`;
  }
}

const POWER_TEXTS: Readonly<Record<string, string>> = {
  booting: 'has power and boots',
  up: 'is up',
  paused: 'is paused',
  off: 'is off',
};
