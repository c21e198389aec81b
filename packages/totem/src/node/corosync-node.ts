import { networkInterfaces } from 'node:os';
import { ConfigError, MILLISECOND, type Nanos } from '@quorate/kernel';
import {
  Corosync,
  type CorosyncInput,
  type CorosyncOutput,
  type CorosyncService,
  type CorosyncView,
  type ServiceOutput,
} from '../corosync/corosync.js';
import type { CorosyncConf, CorosyncNode as NodeConf } from '../corosync/corosync-conf.js';
import type { NodeId } from '../ring-id.js';
import { RingIdFile } from './ring-id-file.js';
import { openUdpSockets, type UdpSockets } from './udp-sockets.js';

export interface CorosyncNodeOptions<Output extends ServiceOutput = ServiceOutput> {
  readonly conf: CorosyncConf;
  readonly nodeId: NodeId;
  /** Where `ringid_<node id>` is kept; must exist. */
  readonly stateDirectory: string;
  /** Beside cmap and process groups. */
  readonly services?: readonly CorosyncService<Output>[];
  /** What is not for the network or the ring id file. Called within a step: what it asks of the node waits for its end. */
  readonly onOutput: (output: NodeOutput<Output>) => void;
}

export type NodeOutput<Output extends ServiceOutput = ServiceOutput> =
  | Exclude<CorosyncOutput<Output>, { readonly kind: 'unicast' | 'multicast' | 'store-ring-seq' | 'check-interface' }>
  /** The ring's address went away, or came back. */
  | { readonly kind: 'interface'; readonly isUp: boolean };

/** Longest wait of a timer, `TIMEOUT_MAX` of Node. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * A node of a real ring: `Corosync` on this machine's UDP sockets, clock and disk.
 *
 * Source: corosync exec/totemnet.c, exec/totemudpu.c, exec/totemudp.c for what it does with its interface.
 */
export class CorosyncNode<Output extends ServiceOutput = ServiceOutput> {
  readonly #options: CorosyncNodeOptions<Output>;
  readonly #me: NodeConf;
  readonly #ringIdFile: RingIdFile;
  readonly #machine: Corosync<Output>;
  readonly #halfToken: Nanos;
  readonly #waiting: CorosyncInput[] = [];
  #sockets: UdpSockets | undefined;
  #isOnStack = false;
  #isClosed = false;

  readonly #startedAt = performance.now();
  #now: Nanos = 0;
  /** After a pause the instant at which it was noticed, until everything that had waited meanwhile is handled. */
  #resumedAt: Nanos | undefined;
  #handledSinceResumed = 0;

  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #timerAt: Nanos = Infinity;
  #isInterfaceUp = true;

  /** @throws {ConfigError} when the node is not in the `nodelist`; the system's error when the ring id cannot be read. */
  constructor(options: CorosyncNodeOptions<Output>) {
    const { conf, nodeId, stateDirectory, services } = options;
    const me = conf.nodes.find(({ id }) => id === nodeId);
    if (me === undefined) {
      const known = conf.nodes.map(({ id }) => id).join(', ');
      throw new ConfigError('nodeId', `${nodeId}`, `one of the nodelist: ${known}`);
    }
    this.#options = options;
    this.#me = me;
    this.#ringIdFile = new RingIdFile(stateDirectory, nodeId);
    this.#halfToken = conf.timings.token / 2;
    this.#machine = new Corosync<Output>({
      nodeId,
      nodes: conf.nodes,
      timings: conf.timings,
      ringSeq: this.#ringIdFile.load(),
      netMtu: conf.netMtu,
      configVersion: conf.configVersion,
      ...(services && { services }),
    });
  }

  /** Binds the sockets and gathers; rejects with the system's error, for example EADDRNOTAVAIL or EADDRINUSE. */
  async start(): Promise<void> {
    const { conf, nodeId } = this.#options;
    this.#sockets = await openUdpSockets(conf, nodeId, this.#onDatagram);
    this.step({ kind: 'network-up' });
  }

  /** Asks something of the node. From within `onOutput` it happens after the step that is under way; its payload is copied. */
  step(input: CorosyncInput): void {
    if (this.#isClosed) return;
    if (this.#isOnStack) {
      this.#waiting.push('payload' in input ? { ...input, payload: Buffer.from(input.payload) } : input);
      return;
    }
    this.#isOnStack = true;
    const now = this.#readClock();
    this.#machine.step(now, input, this.#onOutput);
    while (this.#waiting.length > 0) this.#machine.step(now, this.#waiting.shift()!, this.#onOutput);
    this.#isOnStack = false;
    this.#arm();
  }

  inspect(): CorosyncView {
    return this.#machine.inspect();
  }

  /** Closes the sockets at once, as if the node had died; `step({ kind: 'depart' })` says goodbye first. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#sockets?.close();
  }

  readonly #onDatagram = (bytes: Uint8Array): void => {
    this.#handledSinceResumed += 1;
    this.step({ kind: 'datagram', bytes });
  };

  readonly #onOutput = (output: CorosyncOutput<Output>): void => {
    switch (output.kind) {
      case 'unicast':
        return this.#sockets?.unicast(output.to, output.bytes);
      case 'multicast':
        return this.#sockets?.multicast(output.bytes);
      case 'store-ring-seq':
        return this.#ringIdFile.store(output.seq);
      case 'check-interface':
        return this.#checkInterface();
      case 'left':
        // A node that lingers and hears messages of the others merges back.
        this.close();
        return this.#options.onOutput(output);
      default:
        this.#options.onOutput(output as NodeOutput<Output>);
    }
  };

  /** Whatever waited in the sockets while this process stood still is handled at one instant: the ring throws it away. */
  #readClock(): Nanos {
    if (this.#resumedAt !== undefined) return this.#resumedAt;
    const now = Math.round((performance.now() - this.#startedAt) * MILLISECOND);
    if (now - this.#now > this.#halfToken) {
      this.#resumedAt = now;
      this.#handledSinceResumed = 0;
      setImmediate(this.#endResume);
    }
    this.#now = now;
    return now;
  }

  readonly #endResume = (): void => {
    const isEmpty = this.#handledSinceResumed === 0;
    this.#handledSinceResumed = 0;
    if (!isEmpty) {
      setImmediate(this.#endResume);
      return;
    }
    this.#resumedAt = undefined;
    this.#arm();
  };

  /** A timer that is due too early costs a look at the clock; one is moved only when it is due too late. */
  #arm(): void {
    const deadline = this.#machine.deadline();
    if (this.#isClosed || deadline >= this.#timerAt) return;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timerAt = deadline;
    const ms = (deadline - this.#now) / MILLISECOND;
    if (ms < 1) this.#immediate = setImmediate(this.#onTimer);
    else this.#timer = setTimeout(this.#onTimer, Math.min(Math.floor(ms), LONGEST_TIMER_MS));
  }

  readonly #onTimer = (): void => {
    this.#timerAt = Infinity;
    if (this.#readClock() >= this.#machine.deadline()) this.step({ kind: 'wake' });
    else this.#arm();
  };

  /** Without its address a node is cut off; when that is back it gathers anew. */
  #checkInterface(): void {
    const isUp = Object.values(networkInterfaces()).some((addresses) =>
      addresses?.some(({ address }) => address === this.#me.address),
    );
    if (isUp === this.#isInterfaceUp) return;
    this.#isInterfaceUp = isUp;
    this.#options.onOutput({ kind: 'interface', isUp });
    this.step({ kind: isUp ? 'network-up' : 'network-down' });
  }
}
