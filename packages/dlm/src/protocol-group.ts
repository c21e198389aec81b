import type { Nanos } from '@quorate/kernel';
import type { Protocol, ProtocolVersion } from './controld-message.js';

const NO_VERSION: ProtocolVersion = [0, 0, 0];
const DAEMON_MAX: ProtocolVersion = [1, 1, 1];
const KERNEL_MAX: ProtocolVersion = [1, 1, 1];

/** What a PROTOCOL message leads to. */
export type ProtocolOutcome =
  | 'noted'
  /** Ours runs since this message. */
  | 'running'
  | 'incompatible'
  /** Both have started lockspaces without knowing of each other. */
  | 'stateful-merge';

/**
 * The group of all daemons, and the protocol that they agree on: the lowest of what each can speak. A daemon that joins
 * later takes what runs.
 *
 * Source: dlm dlm_controld/daemon_cpg.c, `set_protocol`, `receive_protocol`.
 */
export class ProtocolGroup {
  readonly #me: number;
  #members: readonly number[] = [];
  /** What each member said last. */
  readonly #heard = new Map<number, Protocol>();
  readonly #leftAt = new Map<number, Nanos>();
  #daemonRun: ProtocolVersion = NO_VERSION;
  #kernelRun: ProtocolVersion = NO_VERSION;
  #isStateful = false;
  #hasProposed = false;

  constructor(me: number) {
    this.#me = me;
  }

  get isRunning(): boolean {
    return this.#daemonRun[0] !== 0;
  }

  get version(): ProtocolVersion {
    return this.#daemonRun;
  }

  get members(): readonly number[] {
    return this.#members;
  }

  /** What we say of ourselves. */
  get ours(): Protocol {
    return {
      daemonMax: DAEMON_MAX,
      kernelMax: KERNEL_MAX,
      daemonRun: this.#daemonRun,
      kernelRun: this.#kernelRun,
      isStateful: this.#isStateful,
    };
  }

  /** A lockspace was started here. */
  becomeStateful(): void {
    this.#isStateful = true;
  }

  confchg(now: Nanos, members: readonly number[]): void {
    for (const node of this.#members) {
      if (members.includes(node)) continue;
      this.#heard.delete(node);
      this.#leftAt.set(node, now);
    }
    this.#members = members;
  }

  receive(from: number, protocol: Protocol): ProtocolOutcome {
    if (!this.#members.includes(from)) return 'noted';
    const isFirst = !this.#heard.has(from);
    if (from !== this.#me && isFirst && protocol.isStateful && this.#isStateful) return 'stateful-merge';
    this.#heard.set(from, protocol);
    if (this.isRunning || protocol.daemonRun[0] === 0) return 'noted';
    if (isLower(DAEMON_MAX, protocol.daemonRun) || isLower(KERNEL_MAX, protocol.kernelRun)) return 'incompatible';
    this.#daemonRun = protocol.daemonRun;
    this.#kernelRun = protocol.kernelRun;
    return 'running';
  }

  /** The lowest of all maxima, once: when every member was heard and nothing runs yet. */
  proposal(): Protocol | undefined {
    if (this.isRunning || this.#hasProposed || this.#members.length === 0) return undefined;
    const all = this.#members.map((node) => this.#heard.get(node));
    if (all.includes(undefined)) return undefined;
    this.#hasProposed = true;
    const daemonRun = lowest(all.map((protocol) => protocol!.daemonMax));
    const kernelRun = lowest(all.map((protocol) => protocol!.kernelMax));
    return { ...this.ours, daemonRun, kernelRun };
  }

  /** When the node's daemon was last seen to go. */
  leftAt(node: number): Nanos | undefined {
    return this.#leftAt.get(node);
  }
}

function lowest(versions: readonly ProtocolVersion[]): ProtocolVersion {
  return versions.reduce((least, version) => (isLower(version, least) ? version : least));
}

function isLower(a: ProtocolVersion, b: ProtocolVersion): boolean {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at >= 0 && a[at]! < b[at]!;
}
