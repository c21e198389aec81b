import {
  type LogPriority,
  type Machine,
  MILLISECOND,
  type Nanos,
  type Observe,
  SECOND,
  type Task,
  WallClock,
  wallTimeOf,
} from '@quorate/kernel';
import { isSectorSize, MAX_NODES_DISK, type SlotDefect } from './block.js';
import { Candidacy } from './candidacy.js';
import { checkVotes, doVote, masterExists } from './election.js';
import type { QdiskFact, RebootReason } from './facts.js';
import { decodeHang, encodeHang, IoNanny, IoState, ioStateName } from './io-nanny.js';
import { MasterMask } from './master-mask.js';
import { isInMask, nodesOf, setInMask } from './node-mask.js';
import { PeerTable } from './peer-table.js';
import { Scoring, type ScoringPort } from './scoring.js';
import {
  type ClusterNode,
  type DynamicSettings,
  dynamicSettings,
  type LogLine,
  type Quorumd,
  type StaticSettings,
  staticSettings,
} from './settings.js';
import { DiskState, NO_INCARNATION, type StatusBlock } from './status-block.js';
import { type IoResult, StatusDisk } from './status-disk.js';
import { statusFileText } from './status-file.js';

export type QdiskInput =
  /** Starts the daemon; cman is up, and the device is found. `wall` is in seconds since 1970 and may have a fraction. */
  | { readonly kind: 'start'; readonly wall: number }
  /** An I/O ended: `data` of a read is one sector, `error` says that it failed. */
  | { readonly kind: 'io-done'; readonly id: number; readonly data?: Uint8Array; readonly error?: string }
  | { readonly kind: 'heuristic-ended'; readonly run: number; readonly status: number }
  /** The cluster's members; `listening` are those that have port 178 open, and is absent when that is not known. */
  | { readonly kind: 'members'; readonly nodes: readonly number[]; readonly listening?: readonly number[] }
  /** cman tells its listeners that the members, a port or the votes have changed: a sleep ends. */
  | { readonly kind: 'cman-event' }
  /** A message on cman's port 178. Ends a sleep, as everything that cman says. */
  | { readonly kind: 'data'; readonly from: number; readonly payload: Uint8Array }
  /** cman refused the device; `EBUSY` makes qdiskd update the one that is registered. */
  | { readonly kind: 'register-refused'; readonly errno: string }
  /** cman will not leave the cluster (answer to `leave-cluster`). */
  | { readonly kind: 'leave-refused' }
  /** The configuration changed; without `quorumd` the device was removed from it. */
  | { readonly kind: 'reconfigure'; readonly quorumd?: Quorumd; readonly clusterNodes: readonly ClusterNode[] }
  /** The wall clock was set: it is now that much later than it would have been. */
  | { readonly kind: 'clock-step'; readonly offset: Nanos }
  /** SIGTERM, or cman's TRY_SHUTDOWN, which qdiskd never refuses. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'wake' };

export type QdiskOutput =
  /** One sector each, numbered in sectors of the configured size; at most one I/O is under way. */
  | { readonly kind: 'read'; readonly id: number; readonly sector: number }
  | { readonly kind: 'write'; readonly id: number; readonly sector: number; readonly data: Uint8Array }
  | { readonly kind: 'run-heuristic'; readonly run: number; readonly index: number; readonly program: string }
  /** Registers the quorum device with cman, or changes its votes. */
  | { readonly kind: 'register'; readonly name: string; readonly votes: number; readonly isUpdate: boolean }
  | { readonly kind: 'poll'; readonly isUp: boolean }
  | { readonly kind: 'unregister' }
  /** Asks cman to kill a node. */
  | { readonly kind: 'kill'; readonly node: number }
  /** To port 178 of all nodes. */
  | { readonly kind: 'send'; readonly payload: Uint8Array }
  /** Resets the machine at once. Nothing comes after this. */
  | { readonly kind: 'reboot'; readonly reason: RebootReason }
  /** `stop_cman`: cman should leave the cluster. */
  | { readonly kind: 'leave-cluster' }
  | { readonly kind: 'status-file'; readonly text: string }
  /** The daemon ended; `wasClean` when its block says so. */
  | { readonly kind: 'stopped'; readonly wasClean: boolean }
  /** A slot could not be used; it counts as a read error. */
  | { readonly kind: 'reject'; readonly sector: number; readonly reason: SlotDefect | 'wrong-slot' }
  | { readonly kind: 'log'; readonly priority: LogPriority; readonly text: string };

export interface QdiskConfig {
  /** Own node id, 1..16. */
  readonly nodeId: number;
  /** Path of the quorum disk: the name of the quorum device, unless `quorumd.cmanLabel` replaces it. */
  readonly device: string;
  /** Logical sector size of the device; 512 when absent. */
  readonly sectorSize?: number;
  /** `totem/@token` in ms; absent when the attribute is. */
  readonly tokenMs?: number;
  readonly quorumd: Quorumd;
  readonly clusterNodes: readonly ClusterNode[];
  /** How many devices carry the label (see `findQuorumDisk`); more than one is worth a warning. */
  readonly matches?: number;
  readonly observe?: Observe<QdiskFact>;
}

type Emit = (output: QdiskOutput) => void;

/** What the main thread waits for. */
type Wait =
  | { readonly kind: 'io'; readonly id: number }
  /** `endsBy`: what ends it early; whatever cman says ends by `stop`, too. */
  | { readonly kind: 'sleep'; readonly until: Nanos; readonly endsBy?: 'stop' | 'cman' }
  | { readonly kind: 'cman' }
  /** The process is frozen, or the machine resets. */
  | { readonly kind: 'never' };

const PAGE_SIZE = 4096;
const HUNDREDTH: Nanos = 10 * MILLISECOND;

/**
 * qdiskd: heartbeats on a shared disk, the election of a master, eviction, and the votes of the quorum device.
 *
 * Its main thread is a generator in the order of the original's functions; the scoring thread and the I/O watchdog run
 * beside it. `start` comes first; `members` may come at any time and should come before.
 *
 * Source: cluster.git cman/qdisk/main.c; the functions keep their names.
 */
export class Qdiskd implements Machine<QdiskInput, QdiskOutput> {
  readonly #me: number;
  readonly #config: QdiskConfig;
  readonly #sectorSize: number;
  readonly #configLog: LogLine[] = [];
  readonly #settings: StaticSettings;
  #dynamic: DynamicSettings;
  #masterWins: boolean;
  readonly #observe: Observe<QdiskFact> | undefined;

  readonly #scoring: Scoring;
  readonly #scoringPort: ScoringPort;
  readonly #nanny: IoNanny;
  readonly #disk: StatusDisk;
  #table: PeerTable;
  readonly #wallClock = new WallClock();

  #now: Nanos = 0;
  #emit: Emit = notStepped;
  #main: Task | undefined;
  #wait: Wait = { kind: 'never' };
  #lastIo = 0;
  #phase: 'off' | 'init' | 'loop' | 'exit' | 'stopped' | 'reset' | 'frozen' = 'off';
  #isStopping = false;
  #rejects = 0;

  #incarnation = NO_INCARNATION;

  /** cman has said something that no `cman_wait` has taken yet. */
  #hasCmanEvent = false;
  #members: readonly number[] = [];
  #listening: ReadonlySet<number> | undefined;

  #state: DiskState = DiskState.NONE;
  #master = 0;
  #score = 0;
  #scoreMax = 0;
  #scoreRequired = 0;
  readonly #candidacy = new Candidacy();
  readonly #masterMask = new MasterMask();
  #readOkAt: Nanos = 0;
  #writeOkAt: Nanos = 0;
  #errorCycles = 0;

  /**
   * @throws {ConfigError} when qdiskd would refuse the configuration.
   * @throws {RangeError} when the node id has no status block or the sector size is impossible.
   */
  constructor(config: QdiskConfig) {
    const { nodeId, sectorSize = 512, quorumd, clusterNodes, observe } = config;
    if (!Number.isInteger(nodeId) || nodeId < 1 || nodeId > MAX_NODES_DISK) {
      throw new RangeError(`node id ${nodeId}: a quorum disk has status blocks for 1 to ${MAX_NODES_DISK}`);
    }
    if (!isSectorSize(sectorSize)) throw new RangeError(`sector size ${sectorSize}: expected a power of two from 512`);
    const log = (line: LogLine): void => {
      this.#configLog.push(line);
    };
    this.#me = nodeId;
    this.#config = config;
    this.#sectorSize = sectorSize;
    this.#observe = observe;
    this.#dynamic = dynamicSettings(quorumd, clusterNodes, log);
    this.#settings = staticSettings(quorumd, config.tokenMs, this.#dynamic, log);
    this.#masterWins = this.#settings.masterWins;
    const { timings, heuristics } = this.#settings;
    this.#scoring = new Scoring(heuristics, timings.heuristicCeilingSec, observe);
    this.#scoringPort = {
      run: (run, index, program) => this.#emit({ kind: 'run-heuristic', run, index, program }),
      log: ({ priority, text }) => this.#log(priority, text),
    };
    this.#nanny = new IoNanny(timings.tko * timings.intervalSec);
    this.#disk = new StatusDisk(nodeId, sectorSize, {
      io: (state, sector, data) => this.#io(state, sector, data),
      reject: (sector, reason) => {
        this.#rejects += 1;
        this.#emit({ kind: 'reject', sector, reason });
      },
      logError: (text) => this.#log('err', text),
      clock: () => this.#clock(),
      time: () => this.#time(),
    });
    this.#table = this.#newTable();
  }

  step(now: Nanos, input: QdiskInput, emit: Emit): void {
    if (this.#isOver() && input.kind !== 'start') return;
    this.#now = now;
    this.#emit = emit;
    try {
      switch (input.kind) {
        case 'start':
          return this.#onStart(input.wall);
        case 'io-done':
          return this.#onIoDone(input.id, input.data, input.error);
        case 'heuristic-ended':
          return this.#scoring.ended(input.run, input.status);
        case 'members':
          return this.#onMembers(input.nodes, input.listening);
        case 'cman-event':
          return this.#onCmanEvent();
        case 'data':
          this.#onData(input.from, input.payload);
          return this.#onCmanEvent();
        case 'register-refused':
          return this.#onRegisterRefused(input.errno);
        case 'leave-refused':
          return this.#onLeaveRefused();
        case 'reconfigure':
          this.#onReconfigure(input.quorumd, input.clusterNodes);
          return this.#onCmanEvent();
        case 'clock-step':
          return this.#wallClock.step(input.offset);
        case 'stop':
          return this.#onStop();
        case 'wake':
          return this.#onWake();
      }
    } finally {
      this.#emit = notStepped;
    }
  }

  deadline(): Nanos {
    if (this.#isOver()) return Infinity;
    const wakeUp = this.#wait.kind === 'sleep' ? this.#wait.until : Infinity;
    return Math.min(wakeUp, this.#scoring.deadline(), this.#nanny.deadline());
  }

  inspect(): QdiskView {
    return {
      phase: this.#phase,
      nodeId: this.#me,
      state: this.#state,
      master: this.#master,
      score: this.#score,
      scoreMax: this.#scoreMax,
      scoreRequired: this.#scoreRequired,
      votes: this.#votes(),
      mask: nodesOf(this.#table.mask),
      granted: this.#masterMask.nodes,
      bidCycles: this.#candidacy.bidCycles,
      rejects: this.#rejects,
      heuristics: this.#scoring.inspect(),
      peers: this.#table.peers
        .filter((peer) => peer.status.state !== DiskState.NONE || peer.state !== DiskState.NONE)
        .map(({ nodeId, state, status, misses, seen }) => ({ nodeId, state, diskState: status.state, misses, seen })),
    };
  }

  // What arrives

  #onStart(wall: number): void {
    if (this.#phase !== 'off') throw new RangeError('qdiskd was started twice');
    this.#wallClock.set(this.#now, wallTimeOf(wall));
    this.#incarnation = incarnationOf(this.#time());
    this.#table = this.#newTable();
    for (const { priority, text } of this.#configLog) this.#log(priority, text);
    this.#logDevice();
    this.#main = this.#run();
    this.#resume(undefined);
  }

  #newTable(): PeerTable {
    const isMaster = (): boolean => this.#state === DiskState.MASTER;
    return new PeerTable(this.#me, this.#disk, this.#settings.timings, this.#time(), {
      get isMaster() {
        return isMaster();
      },
      log: (priority, text) => this.#log(priority, text),
      checkSelf: (status) => this.#checkSelf(status),
      evict: (nodeId, isUndead) => this.#evict(nodeId, isUndead),
      isUp: (peer) => this.#observe?.({ kind: 'qdisk.node-up', now: this.#now, peer }),
      isDown: (peer, misses) => this.#observe?.({ kind: 'qdisk.node-down', now: this.#now, peer, misses }),
      isGone: (peer) => this.#observe?.({ kind: 'qdisk.node-gone', now: this.#now, peer }),
    });
  }

  #logDevice(): void {
    const { device, matches = 1, quorumd } = this.#config;
    if (quorumd.label === undefined) return;
    if (matches > 1) {
      const text = `${matches} matches found for label '${quorumd.label}'; please use 'device=' instead!`;
      this.#log('warning', text);
    }
    this.#log('info', `Quorum Partition: ${device} Label: ${quorumd.label}`);
  }

  #onIoDone(id: number, data: Uint8Array | undefined, error: string | undefined): void {
    if (this.#wait.kind !== 'io' || this.#wait.id !== id) return;
    this.#nanny.end();
    this.#resume({ data, isOk: error === undefined } satisfies IoResult);
  }

  #onMembers(nodes: readonly number[], listening: readonly number[] | undefined): void {
    this.#members = [...nodes].sort((a, b) => a - b);
    this.#listening = listening === undefined ? undefined : new Set(listening);
  }

  /** `select` in `cman_wait` returns: at once when the main thread sleeps there, and else when it comes to that. */
  #onCmanEvent(): void {
    this.#hasCmanEvent = true;
    if (this.#wait.kind === 'sleep' && this.#wait.endsBy === 'cman') this.#resume(undefined);
  }

  /** A node whose I/O hangs but whose network works is not evicted: each of its complaints forgives its misses. */
  #onData(from: number, payload: Uint8Array): void {
    const code = decodeHang(payload);
    const peer = this.#table.peers[from - 1];
    if (code === undefined || code === IoState.NONE || peer === undefined || from === this.#me) return;
    this.#log('notice', `qdiskd on node ${from} reports hung ${ioStateName(code)}()`);
    peer.misses = 0;
  }

  #onRegisterRefused(errno: string): void {
    if (errno === 'EBUSY') {
      this.#log('notice', 'quorum device is already registered, updating');
      this.#register(true);
      return;
    }
    this.#log('err', 'Unable to register quorum device!');
    this.#end(false);
  }

  #onLeaveRefused(): void {
    if (this.#wait.kind === 'cman') this.#resume(undefined);
  }

  #onReconfigure(quorumd: Quorumd | undefined, clusterNodes: readonly ClusterNode[]): void {
    if (quorumd === undefined) {
      this.#log('notice', 'Quorum device removed from the configuration.  Shutting down.');
      this.#dynamic = { ...this.#dynamic, votes: 0 };
      this.#register(false);
      return this.#onStop();
    }
    const { votes: oldVotes } = this.#dynamic;
    const settings = dynamicSettings(quorumd, clusterNodes, ({ priority, text }) => this.#log(priority, text));
    if (settings.votes < 0) {
      const text = `Unable to determine new vote value; retaining old value of ${oldVotes}`;
      this.#log('warning', text);
      this.#dynamic = { ...settings, votes: oldVotes };
      return;
    }
    this.#dynamic = settings;
    if (settings.votes !== oldVotes) this.#changeVotes(oldVotes, settings.votes);
  }

  #changeVotes(from: number, to: number): void {
    this.#log('debug', `Changing vote count from ${from} to ${to}`);
    if (this.#masterWins && this.#settings.hasAutomaticMasterWins) {
      this.#log('debug', 'Vote count changed! Disabling master-wins');
      this.#masterWins = false;
    }
    this.#register(false);
  }

  /** The main thread finishes what it is doing with the disk; a sleep ends at once. */
  #onStop(): void {
    this.#isStopping = true;
    if (this.#phase === 'off') return this.#end(true);
    if (this.#wait.kind === 'cman') return this.#end(false);
    if (this.#wait.kind === 'sleep' && this.#wait.endsBy !== undefined) this.#resume(undefined);
  }

  #onWake(): void {
    if (this.#now >= this.#scoring.deadline()) this.#scoring.pass(this.#now, this.#scoringPort);
    if (this.#now >= this.#nanny.deadline()) this.#whine();
    if (this.#wait.kind === 'sleep' && this.#now >= this.#wait.until) this.#resume(undefined);
  }

  #whine(): void {
    const { state, patience } = this.#nanny;
    this.#emit({ kind: 'send', payload: encodeHang(state) });
    if (!this.#nanny.whine(this.#now)) return;
    const { tko, intervalSec } = this.#settings.timings;
    const seconds = patience / SECOND;
    this.#log('warning', `qdiskd: ${ioStateName(state)} (system call) has hung for ${seconds} seconds`);
    this.#log('warning', `In ${tko * intervalSec - seconds} more seconds, we will be evicted`);
  }

  // The main thread

  *#run(): Task {
    this.#phase = 'init';
    const outcome = yield* this.#quorumInit();
    if (outcome === 'failed') return yield* this.#checkStopCman();
    if (outcome === 'stopped') {
      this.#log('info', 'Shutdown request received during initialization');
      const isWritten = yield* this.#quorumLogout();
      return this.#end(isWritten);
    }
    this.#register(false);
    this.#phase = 'loop';
    this.#nanny.start();
    const isClean = yield* this.#quorumLoop();
    this.#phase = 'exit';
    if (!isClean) return this.#end(false);
    if (this.#state === DiskState.MASTER && this.#masterWins) yield* this.#quorumReelectMaster();
    this.#log('notice', 'Unregistering quorum device.');
    this.#emit({ kind: 'unregister' });
    const isWritten = yield* this.#quorumLogout();
    this.#end(isWritten);
  }

  /** Shows INIT for `tko` intervals, so that the others and we get to know each other. */
  *#quorumInit(): Task<'ready' | 'stopped' | 'failed'> {
    const { tko, intervalSec } = this.#settings.timings;
    this.#log('info', 'Quorum Daemon Initializing');
    this.#log('debug', `I/O Size: ${this.#sectorSize}  Page Size: ${PAGE_SIZE}`);
    this.#scoring.start(this.#now, this.#scoringPort);
    this.#setState(DiskState.INIT);
    if (!(yield* this.#writeBare(this.#me, DiskState.INIT))) return this.#fail('Could not initialize status block!');
    for (let cycle = 1; cycle <= tko && !this.#isStopping; cycle++) {
      yield* this.#table.readNodeBlocks();
      yield* this.#table.checkTransitions();
      if (!(yield* this.#writeBare(this.#me, DiskState.INIT))) return this.#fail('Initialization failed');
      this.#getMyScore();
      this.#updateLocalStatus();
      yield { kind: 'sleep', until: this.#now + intervalSec * SECOND, endsBy: 'stop' } satisfies Wait;
    }
    if (this.#isStopping) return 'stopped';
    this.#getMyScore();
    this.#log('info', `Initial score ${this.#score}/${this.#scoreMax}`);
    if (this.#dynamic.stopsCman && this.#score < this.#scoreRequired) return this.#fail();
    this.#log('info', 'Initialization complete');
    return 'ready';
  }

  #fail(text?: string): 'failed' {
    if (text !== undefined) this.#log('crit', text);
    this.#log('crit', 'Initialization failed');
    return 'failed';
  }

  *#checkStopCman(): Task {
    if (!this.#dynamic.stopsCman) return this.#end(false);
    this.#log('warning', 'Telling CMAN to leave the cluster; qdisk is not available');
    this.#emit({ kind: 'leave-cluster' });
    yield { kind: 'cman' } satisfies Wait;
    this.#log('crit', 'Could not leave the cluster - rebooting');
    yield { kind: 'sleep', until: this.#now + 5 * SECOND } satisfies Wait;
    yield* this.#reboot('stop-cman');
  }

  /** Runs until it is stopped or gives up; true when it ended without an I/O error in its last cycle. */
  *#quorumLoop(): Task<boolean> {
    const { minScore, timings } = this.#settings;
    const interval = timings.intervalSec * SECOND;
    this.#setState(DiskState.NONE);
    this.#getMyScore();
    if (this.#scoreMax < minScore) {
      const text = `Minimum score (${minScore}) is impossible to achieve (heuristic total = ${this.#scoreMax})`;
      this.#log('warning', text);
    }
    for (let isEarly = false, countedAt = 0; ; ) {
      const startedAt = this.#clock();
      const countsMisses = !isEarly || startedAt - countedAt >= interval;
      if (countsMisses) countedAt = startedAt;
      const errors = yield* this.#cycle(countsMisses);
      const duration = this.#clock() - startedAt;
      yield* this.#checkTimeouts(duration);
      if (duration >= interval) this.#logSlowCycle(duration);
      if (this.#hasTooManyErrors(errors)) return false;
      if (!this.#isStopping) isEarly = yield* this.#cmanWait(duration >= interval ? interval : interval - duration);
      if (this.#isStopping) return errors === 0;
    }
  }

  /** One cycle; returns the number of I/O errors in it. */
  *#cycle(countsMisses: boolean): Task<number> {
    let errors = yield* this.#table.readNodeBlocks(countsMisses);
    if (errors === 0) this.#readOkAt = this.#clock();
    yield* this.#table.checkTransitions();
    this.#getMyScore();
    this.#candidacy.nextCycle();
    yield* this.#checkScore();
    this.#findMaster();
    this.#act(errors);
    if (yield* this.#writeStatus()) this.#writeOkAt = this.#clock();
    else {
      this.#log('err', 'Error writing to quorum disk');
      errors += 1;
    }
    this.#updateLocalStatus();
    return errors;
  }

  /** Somebody else wrote our block: to evict us, or nobody knows why, and then the process stops itself. */
  *#checkSelf({ updateNode, state }: StatusBlock): Task {
    if (updateNode === 0 || updateNode === this.#me) return;
    if (state === DiskState.EVICT) yield* this.#reboot('evicted');
    this.#log('emerg', `Unhandled state: ${state}`);
    this.#phase = 'frozen';
    yield { kind: 'never' } satisfies Wait;
  }

  *#evict(nodeId: number, isUndead: boolean): Task {
    const isWritten = yield* this.#writeBare(nodeId, DiskState.EVICT);
    if (!isWritten) this.#log('crit', `Unable to write eviction notice for node ${nodeId}!`);
    this.#observe?.({ kind: 'qdisk.evicted', now: this.#now, peer: nodeId, state: this.#state, isUndead, isWritten });
    if (!this.#dynamic.allowsKill) return;
    this.#log('debug', 'Telling CMAN to kill the node');
    this.#emit({ kind: 'kill', node: nodeId });
  }

  *#checkScore(): Task {
    const isSufficient = this.#score >= this.#scoreRequired;
    const count = `(${this.#score}/${this.#scoreMax}; required=${this.#scoreRequired})`;
    setInMask(this.#table.mask, this.#me, isSufficient);
    if (isSufficient && this.#state === DiskState.NONE) {
      this.#log('notice', `Score sufficient for master operation ${count}; upgrading`);
      this.#becomeRunning();
    } else if (!isSufficient && this.#state > DiskState.NONE) {
      this.#log('notice', `Score insufficient for master operation ${count}; downgrading`);
      this.#setState(DiskState.NONE);
      this.#adjustVotes();
      this.#candidacy.drop();
      this.#poll(false);
      if (this.#dynamic.reboots) yield* this.#reboot('score');
    }
  }

  #becomeRunning(): void {
    this.#setState(DiskState.RUN);
    this.#candidacy.upgrade(this.#settings.timings.upgradeWait);
  }

  /** Of two masters the one in the lower slot stays. */
  #findMaster(): void {
    const { master, masters, deadMaster } = masterExists(this.#table.peers, this.#me);
    if (deadMaster !== 0) this.#log('debug', `Node ${deadMaster} is marked master, but is dead.`);
    if (master !== this.#master) this.#observe?.({ kind: 'qdisk.master', now: this.#now, master });
    this.#master = master;
    if (masters === 0 || this.#state !== DiskState.MASTER || master === this.#me) return;
    this.#log('warning', 'Master conflict: abdicating');
    this.#becomeRunning();
    this.#adjustVotes();
  }

  #act(errors: number): void {
    const master = this.#master;
    if (master === 0) this.#elect();
    else if (this.#state === DiskState.MASTER) {
      this.#hasCmanEvent = false;
      this.#checkCman();
      if (errors === 0) this.#poll(true);
    } else if (this.#state === DiskState.RUN && master !== this.#me) {
      if (!isInMask(this.#table.peers[master - 1]!.status.masterMask, this.#me)) return;
      this.#hasCmanEvent = false;
      if (errors === 0) this.#poll(true);
    }
  }

  /** There is no master: bid, vote, or see how our bid goes. */
  #elect(): void {
    const candidacy = this.#candidacy;
    if (candidacy.bidCycles > 0) this.#countVotes();
    else if (this.#mayBid()) {
      this.#log('debug', 'Making bid for master');
      candidacy.bid();
    } else {
      const ack = doVote(this.#table.peers, this.#me);
      if (ack !== undefined) candidacy.vote(ack);
    }
  }

  #mayBid(): boolean {
    const { lowId } = masterExists(this.#table.peers, this.#me);
    return lowId === this.#me && this.#state === DiskState.RUN && !this.#candidacy.isUpgrading;
  }

  #countVotes(): void {
    const candidacy = this.#candidacy;
    candidacy.bidOn();
    const count = checkVotes(this.#table.peers, this.#me);
    switch (count.result) {
      case 'waiting':
        return;
      case 'all-acked':
        // Leaves time to become aware of other nodes.
        if (candidacy.bidCycles < this.#settings.timings.masterWait) return;
        this.#log('info', 'Assuming master role');
        this.#masterMask.clear();
        this.#setState(DiskState.MASTER);
        this.#adjustVotes();
        return candidacy.endBid();
      case 'nacked':
        return candidacy.endBid();
      case 'lower-bidder':
        return candidacy.vote(count.ack);
    }
  }

  #checkCman(): void {
    for (const nodeId of this.#masterMask.unlistening(this.#members, this.#listening)) {
      this.#log('notice', `node ${this.#nameOf(nodeId)} is up but not running qdiskd`);
    }
    const hasChanged = this.#masterMask.check(this.#table.mask, this.#members);
    if (this.#observe === undefined || !hasChanged) return;
    this.#observe({ kind: 'qdisk.grant', now: this.#now, nodes: this.#masterMask.nodes, members: this.#members });
  }

  /** Reboots when heartbeats were not possible for too long, as far as the configuration wants that. */
  *#checkTimeouts(duration: Nanos): Task {
    const { intervalSec, tko } = this.#settings.timings;
    const now = this.#clock();
    const limit = intervalSec * tko * SECOND;
    const { ioTimeout, isParanoid } = this.#dynamic;
    if (ioTimeout && now - this.#writeOkAt > limit) {
      yield* this.#rebootLate('io-timeout', 'Failed to send a heartbeat within', limit, now - this.#writeOkAt);
    }
    if (ioTimeout && now - this.#readOkAt > limit) {
      yield* this.#rebootLate('io-timeout', 'Failed to read from qdisk within', limit, now - this.#readOkAt);
    }
    if (isParanoid && duration > limit) {
      yield* this.#rebootLate('paranoid', 'Failed to complete a cycle within', limit, duration);
    }
  }

  *#rebootLate(reason: RebootReason, what: string, limit: Nanos, span: Nanos): Task {
    this.#log('emerg', `${what} ${seconds(limit)} (${secondsAndMicros(span)}) - REBOOTING`);
    yield* this.#reboot(reason);
  }

  #logSlowCycle(duration: Nanos): void {
    const interval = seconds(this.#settings.timings.intervalSec * SECOND);
    this.#log('warning', `qdisk cycle took more than ${interval} to complete (${secondsAndMicros(duration)})`);
  }

  #hasTooManyErrors(errors: number): boolean {
    const { maxErrorCycles } = this.#dynamic;
    this.#errorCycles = errors > 0 && maxErrorCycles > 0 ? this.#errorCycles + 1 : 0;
    if (maxErrorCycles === 0 || this.#errorCycles < maxErrorCycles) return false;
    this.#log('alert', 'Too many I/O errors; giving up.');
    return true;
  }

  /** In master-wins mode a master hands over before it leaves. */
  *#quorumReelectMaster(): Task {
    this.#setState(DiskState.EXIT);
    if (!(yield* this.#writeBare(this.#me, DiskState.EXIT))) {
      this.#log('warning', 'Error writing to quorum disk during reelect_master');
    }
    for (;;) {
      yield* this.#table.readNodeBlocks();
      if (!this.#table.peers.some((peer) => peer.state >= DiskState.RUN)) {
        this.#log('debug', 'No other nodes are active. Exiting');
        return;
      }
      const { master } = masterExists(this.#table.peers, this.#me);
      if (master !== 0) {
        this.#log('debug', `New master elected: ${master}`);
        return;
      }
      yield { kind: 'sleep', until: this.#now + SECOND } satisfies Wait;
    }
  }

  *#quorumLogout(): Task<boolean> {
    this.#setState(DiskState.NONE);
    const isWritten = yield* this.#writeBare(this.#me, DiskState.NONE);
    if (!isWritten) this.#log('warning', 'Error writing to quorum disk during logout');
    return isWritten;
  }

  // Disk

  /** Starts an I/O; what it gives is yielded for the `IoResult`. */
  #io(state: IoState, sector: number, data: Uint8Array | undefined): Wait {
    this.#nanny.begin(this.#now, state);
    this.#lastIo += 1;
    const id = this.#lastIo;
    this.#emit(data === undefined ? { kind: 'read', id, sector } : { kind: 'write', id, sector, data });
    return { kind: 'io', id };
  }

  /** Writes our own block with all that we have to say. */
  #writeStatus(): Task<boolean> {
    const { message, sequence, argument } = this.#candidacy;
    const bare = this.#disk.bareBlock(this.#me, this.#state, this.#incarnation);
    // The original leaves garbage in the master mask unless it is master; nobody may look at it then.
    const masterMask = this.#state === DiskState.MASTER ? this.#masterMask.bytes : bare.masterMask;
    return this.#disk.write({ ...bare, message, sequence, argument, mask: this.#table.mask, masterMask });
  }

  #writeBare(nodeId: number, state: DiskState): Task<boolean> {
    return this.#disk.write(this.#disk.bareBlock(nodeId, state, this.#incarnation));
  }

  // Everything else

  /** Sleeps until cman says something, and not at all when it has said something since the last time: then true. */
  *#cmanWait(duration: Nanos): Task<boolean> {
    if (!this.#hasCmanEvent) yield { kind: 'sleep', until: this.#now + duration, endsBy: 'cman' } satisfies Wait;
    const isEarly = this.#hasCmanEvent;
    this.#hasCmanEvent = false;
    return isEarly;
  }

  #resume(reply: unknown): void {
    this.#wait = { kind: 'never' };
    const { done, value } = this.#main!.next(reply);
    if (done !== true) this.#wait = value as Wait;
  }

  *#reboot(reason: RebootReason): Task {
    this.#observe?.({ kind: 'qdisk.reboot', now: this.#now, reason });
    this.#emit({ kind: 'reboot', reason });
    this.#phase = 'reset';
    yield { kind: 'never' } satisfies Wait;
  }

  #end(wasClean: boolean): void {
    this.#phase = 'stopped';
    this.#scoring.stop();
    this.#nanny.stop();
    this.#emit({ kind: 'stopped', wasClean });
  }

  #isOver(): boolean {
    return this.#phase === 'stopped' || this.#phase === 'reset' || this.#phase === 'frozen';
  }

  #setState(state: DiskState): void {
    this.#state = state;
    this.#observe?.({
      kind: 'qdisk.state',
      now: this.#now,
      state,
      score: this.#score,
      scoreRequired: this.#scoreRequired,
    });
  }

  #getMyScore(): void {
    const { minScore } = this.#settings;
    this.#score = this.#scoring.score;
    this.#scoreMax = this.#scoring.scoreMax;
    this.#scoreRequired = minScore > 0 ? minScore : Math.floor(this.#scoreMax / 2) + 1;
  }

  #poll(isUp: boolean): void {
    this.#emit({ kind: 'poll', isUp });
    this.#observe?.({
      kind: 'qdisk.poll',
      now: this.#now,
      isUp,
      master: isUp ? this.#master : 0,
      state: this.#state,
      score: this.#score,
      scoreRequired: this.#scoreRequired,
    });
  }

  #register(isUpdate: boolean): void {
    const name = this.#settings.cmanLabel ?? this.#config.device;
    this.#emit({ kind: 'register', name, votes: this.#votes(), isUpdate });
  }

  /** In master-wins mode only the master has the device's votes. */
  #votes(): number {
    return this.#masterWins && this.#state !== DiskState.MASTER ? 0 : this.#dynamic.votes;
  }

  #adjustVotes(): void {
    if (this.#masterWins) this.#register(false);
  }

  #updateLocalStatus(): void {
    if (this.#dynamic.statusFile === undefined) return;
    const local = {
      wall: this.#time(),
      nodeId: this.#me,
      score: this.#score,
      scoreMax: this.#scoreMax,
      scoreRequired: this.#scoreRequired,
      state: this.#state,
      master: this.#master,
    };
    this.#emit({ kind: 'status-file', text: statusFileText(local, this.#table.peers) });
  }

  #nameOf(nodeId: number): string {
    return this.#config.clusterNodes.find((node) => node.nodeId === nodeId)?.name ?? `Node${nodeId}`;
  }

  #log(priority: LogPriority, text: string): void {
    this.#emit({ kind: 'log', priority, text });
  }

  /** Clock for spans: hundredths of a second with `use_uptime`. */
  #clock(): Nanos {
    return this.#settings.usesUptime ? this.#now - (this.#now % HUNDREDTH) : this.#now;
  }

  /** time(2). */
  #time(): number {
    return this.#wallClock.seconds(this.#now);
  }
}

/** A JSON-safe look at a qdiskd. */
export interface QdiskView {
  readonly phase: string;
  readonly nodeId: number;
  readonly state: DiskState;
  readonly master: number;
  readonly score: number;
  readonly scoreMax: number;
  readonly scoreRequired: number;
  readonly votes: number;
  readonly mask: readonly number[];
  readonly granted: readonly number[];
  /** Cycles that its bid for the master role has stood; 0 without one. */
  readonly bidCycles: number;
  readonly rejects: number;
  readonly heuristics: readonly { readonly program: string; readonly isUp: boolean; readonly misses: number }[];
  readonly peers: readonly {
    readonly nodeId: number;
    readonly state: DiskState;
    readonly diskState: DiskState;
    readonly misses: number;
    readonly seen: number;
  }[];
}

/** Start second in both halves, in the byte order of a little-endian host. */
function incarnationOf(wall: number): string {
  const bytes = [wall & 0xff, (wall >>> 8) & 0xff, (wall >>> 16) & 0xff, (wall >>> 24) & 0xff];
  const half = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return half + half;
}

function seconds(span: Nanos): string {
  const count = Math.floor(span / SECOND);
  return `${count} second${count === 1 ? '' : 's'}`;
}

function secondsAndMicros(span: Nanos): string {
  const micros = Math.floor((span % SECOND) / 1000);
  return `${Math.floor(span / SECOND)}.${String(micros).padStart(6, '0')}`;
}

function notStepped(): void {
  throw new Error('qdiskd spoke outside a step');
}
