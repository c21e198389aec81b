import type { LogPriority, Task } from '@quorate/kernel';
import { MAX_NODES_DISK } from './block.js';
import { emptyMask, type NodeMask, setInMask } from './node-mask.js';
import { countHeartbeat, forgetPeer, type Peer, unknownPeer } from './peer.js';
import { DiskState, type StatusBlock } from './status-block.js';
import type { IoResult, StatusDisk } from './status-disk.js';
import { transitionOf } from './transitions.js';

/** What the table needs of its daemon. */
export interface PeerTablePort {
  readonly isMaster: boolean;
  log(priority: LogPriority, text: string): void;
  /** Our own block was read. Does not return when it says that we are dead. */
  checkSelf(status: StatusBlock): Task;
  /** Overwrites the peer's block with EVICT. */
  evict(nodeId: number, isUndead: boolean): Task;
  isUp(nodeId: number): void;
  isDown(nodeId: number, misses: number): void;
  isGone(nodeId: number): void;
}

/**
 * What a daemon knows of all nodes from their status blocks.
 *
 * Source: cluster.git cman/qdisk/main.c, `read_node_blocks`, `check_transitions`.
 */
export class PeerTable {
  /** One per status block, by node id from 1. */
  readonly peers: readonly Peer[];
  /** The nodes that are up, as of the last `checkTransitions`. */
  readonly mask: NodeMask = emptyMask();
  readonly #me: number;
  readonly #disk: StatusDisk;
  readonly #tko: number;
  readonly #tkoUp: number;
  readonly #port: PeerTablePort;

  /** @param time second at which the daemon starts: a block written in it is no heartbeat yet. */
  constructor(me: number, disk: StatusDisk, limits: { tko: number; tkoUp: number }, time: number, port: PeerTablePort) {
    this.peers = Array.from({ length: MAX_NODES_DISK }, (_, i) => unknownPeer(i + 1, time));
    this.#me = me;
    this.#disk = disk;
    this.#tko = limits.tko;
    this.#tkoUp = limits.tkoUp;
    this.#port = port;
  }

  /**
   * Reads all status blocks, one sector after the other; returns how many could not be read.
   * @param countsMisses false in a cycle that began early: nobody writes more often than once an interval.
   */
  *readNodeBlocks(countsMisses = true): Task<number> {
    let errors = 0;
    for (const peer of this.peers) {
      const status = this.#disk.blockOf(peer.nodeId, (yield this.#disk.read(peer.nodeId)) as IoResult);
      if (status === undefined) {
        this.#port.log('warning', `Error reading node ID block ${peer.nodeId}`);
        errors += 1;
      } else if (peer.nodeId === this.#me) {
        peer.status = status;
        yield* this.#port.checkSelf(status);
      } else if (countHeartbeat(peer, status, countsMisses) && peer.misses > 1) {
        this.#port.log('debug', `Node ${peer.nodeId} missed an update (${peer.misses}/${this.#tko})`);
      }
    }
    return errors;
  }

  *checkTransitions(): Task {
    const { log } = this.#port;
    this.mask.fill(0);
    for (const peer of this.peers) {
      const { nodeId } = peer;
      switch (transitionOf(peer, this.#tko, this.#tkoUp)) {
        case 'leaving':
          log('notice', `Node ${nodeId} is about to leave`);
          peer.evilIncarnation = '';
          forgetPeer(peer);
          break;
        case 'gone':
          this.#onGone(peer);
          break;
        case 'silent':
          yield* this.#onSilent(peer);
          break;
        case 'undead':
          log('crit', `Node ${nodeId} is undead.`);
          log('alert', `Writing eviction notice (again) for node ${nodeId}`);
          yield* this.#evict(peer, true);
          break;
        case 'up':
          this.#onUp(peer);
          break;
        case 'master':
          log('info', `Node ${nodeId} is the master`);
          peer.state = DiskState.MASTER;
          setInMask(this.mask, nodeId, true);
          break;
        case 'restarted':
          log('debug', `Node ${nodeId} incarnation # changed`);
          peer.incarnation = peer.status.incarnation;
          peer.evilIncarnation = '';
          break;
        case 'alive':
          peer.state = peer.status.state;
          setInMask(this.mask, nodeId, true);
          break;
        case 'none':
          break;
      }
    }
  }

  #onGone(peer: Peer): void {
    if (peer.status.state === DiskState.EVICT) this.#port.log('notice', `Node ${peer.nodeId} evicted`);
    else {
      this.#port.log('info', `Node ${peer.nodeId} shutdown`);
      peer.evilIncarnation = '';
    }
    this.#port.isGone(peer.nodeId);
    forgetPeer(peer);
  }

  *#onSilent(peer: Peer): Task {
    const { nodeId } = peer;
    if (peer.state !== DiskState.EVICT) this.#port.isDown(nodeId, peer.misses);
    if (peer.status.state >= DiskState.RUN && peer.seen > 0) {
      this.#port.log('debug', `Node ${nodeId} DOWN`);
      peer.seen = 0;
    }
    peer.state = DiskState.EVICT;
    peer.status = { ...peer.status, state: DiskState.EVICT };
    peer.evilIncarnation = peer.incarnation;
    if (!this.#port.isMaster) return;
    this.#port.log('notice', `Writing eviction notice for node ${nodeId}`);
    yield* this.#evict(peer, false);
  }

  #onUp(peer: Peer): void {
    peer.state = DiskState.RUN;
    this.#port.log('debug', `Node ${peer.nodeId} is UP`);
    this.#port.isUp(peer.nodeId);
    peer.incarnation = peer.status.incarnation;
    peer.evilIncarnation = '';
    setInMask(this.mask, peer.nodeId, true);
  }

  *#evict(peer: Peer, isUndead: boolean): Task {
    yield* this.#port.evict(peer.nodeId, isUndead);
    peer.status = { ...peer.status, state: DiskState.EVICT };
  }
}
