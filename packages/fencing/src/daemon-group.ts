import type { Nanos } from '@quorate/kernel';
import type { Protocol, Version } from './message.js';

const NO_VERSION: Version = [0, 0, 0];
const OUR_MAX: Version = [1, 1, 1];

interface Daemon {
  isMember: boolean;
  wasKilled: boolean;
  /** When it was last seen to leave; undefined for never. */
  leftAt: Nanos | undefined;
  /** Its protocol, once it was heard and is no stateful merge. */
  protocol: Protocol | undefined;
}

/** What a protocol message leads to. */
export type ProtocolEffect =
  | 'none'
  /** Ours was set just now. */
  | 'running'
  | 'incompatible'
  /** It has state, we have state, and it joined: one of us has to go. */
  | 'stateful-merge';

/**
 * The group `fenced:daemon`: who has a fenced that is running, which protocol they speak, and who of them is clean.
 *
 * A node that starts properly joins this group and says that it has no state: a victim that does so needs no fencing any
 * more. A node that comes back after a partition joins too, but says that it has state.
 *
 * Source: cluster.git fence/fenced/cpg.c, `receive_protocol`, `set_protocol`, `confchg_cb_daemon`, `is_clean_daemon_member`.
 */
export class DaemonGroup {
  readonly #me: number;
  readonly #debug: (text: string) => void;
  readonly #daemons = new Map<number, Daemon>();
  #members: readonly number[] = [];
  #run: Version = NO_VERSION;
  #isStateful = false;
  #hasProposed = false;

  /** @param debug hears what is noted for `fence_tool dump`. */
  constructor(me: number, debug: (text: string) => void) {
    this.#me = me;
    this.#debug = debug;
  }

  /** Whether the protocol is settled; before that nothing else is dealt with. */
  get isRunning(): boolean {
    return this.#run[0] !== 0;
  }

  get members(): readonly number[] {
    return this.#members;
  }

  /** Our own protocol, as we announce it. */
  get ours(): Protocol {
    return { max: OUR_MAX, run: this.#run, isStateful: this.#isStateful };
  }

  /** We have completed a start cycle: from now on we do not join anybody as a newcomer. */
  becomeStateful(): void {
    this.#isStateful = true;
  }

  confchg(now: Nanos, members: readonly number[]): void {
    this.#members = members;
    for (const node of members) {
      const daemon = this.#daemons.get(node);
      if (daemon === undefined) this.#daemons.set(node, newDaemon());
      else daemon.isMember = true;
    }
    for (const [node, daemon] of this.#daemons) {
      if (!daemon.isMember || members.includes(node)) continue;
      daemon.isMember = false;
      daemon.wasKilled = false;
      daemon.protocol = undefined;
      daemon.leftAt = now;
    }
  }

  /** Takes in a member's protocol message; invalid ones have no effect. */
  receive(from: number, protocol: Protocol): ProtocolEffect {
    const daemon = this.#daemons.get(from);
    if (daemon === undefined || !daemon.isMember || !isValid(protocol)) return 'none';
    this.#debug(`receive_protocol from ${from} ${protocolText(protocol)}`);
    const isNews = daemon.protocol === undefined;
    if (from !== this.#me && isNews && protocol.isStateful && this.#isStateful) return 'stateful-merge';
    daemon.protocol = protocol;
    if (this.isRunning || protocol.run[0] === 0) return 'none';
    this.#run = protocol.run;
    this.#debug(`run protocol from nodeid ${from}`);
    return protocol.run[0] !== OUR_MAX[0] || protocol.run[1] > OUR_MAX[1] ? 'incompatible' : 'running';
  }

  /** The protocol to propose, the lowest of all members: once, when all were heard and none runs yet. */
  proposal(): Protocol | undefined {
    if (this.isRunning || this.#hasProposed || this.#members.length === 0 || !this.#hasHeardAll()) return undefined;
    this.#hasProposed = true;
    const versions = this.#members.map((node) => this.#daemons.get(node)?.protocol?.max ?? NO_VERSION);
    const run = versions.reduce((least, version) => (isLower(version, least) ? version : least));
    this.#debug(`set_protocol member_count ${this.#members.length} propose daemon ${run.join('.')}`);
    return { max: OUR_MAX, run, isStateful: this.#isStateful };
  }

  /** Whether the node's fenced runs and said, since it joined, that it has no state that ours could not know. */
  isClean(node: number): boolean {
    const daemon = this.#daemons.get(node);
    return daemon?.isMember === true && daemon.protocol !== undefined;
  }

  /** Whether a node that merged with state is to be killed: we have had quorum since before it left. */
  mayKill(node: number, quorateSince: Nanos | undefined): boolean {
    const daemon = this.#daemons.get(node);
    if (daemon === undefined || daemon.wasKilled || daemon.leftAt === undefined) return false;
    if (quorateSince === undefined || quorateSince >= daemon.leftAt) return false;
    daemon.wasKilled = true;
    return true;
  }

  #hasHeardAll(): boolean {
    return this.#members.every((node) => this.#daemons.get(node)?.protocol !== undefined);
  }
}

function newDaemon(): Daemon {
  return { isMember: true, wasKilled: false, leftAt: undefined, protocol: undefined };
}

function protocolText({ max, run, isStateful }: Protocol): string {
  return `max ${max.join('.')}.0 run ${run.join('.')}.${+isStateful}`;
}

/** Zero is no version; once a protocol runs, no part of it is zero. */
function isValid({ max, run }: Protocol): boolean {
  return max.every((part) => part !== 0) && (run[0] === 0 || run.every((part) => part !== 0));
}

function isLower(a: Version, b: Version): boolean {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at >= 0 && a[at]! < b[at]!;
}
