import { type Machine, type Nanos, type Observe, Prng, SECOND, sleep, type Task } from '@quorate/kernel';
import { installedRules } from './agents/agent-metadata.js';
import { CentralProcessing } from './central/central-processing.js';
import type { EventScript } from './central/event-script.js';
import { type Channel, Channels } from './cluster/channels.js';
import { LOCKSPACE, Locks } from './cluster/locks.js';
import { Members, type RgNode } from './cluster/members.js';
import { ACTION_MASTER, type MessageDefect, type RgMessage } from './cluster/message.js';
import { RG_PORT } from './cluster/port-header.js';
import { Views } from './cluster/views.js';
import type { ConfElement } from './conf/conf-element.js';
import type { RgFact } from './fact.js';
import type { RgInput, RgOutput, RgReply, RgRequest, ServiceOperation } from './io.js';
import { AgentRunner } from './manager/agent-runner.js';
import { Configuration } from './manager/configuration.js';
import { DaemonState, Lockdown } from './manager/daemon-state.js';
import { DomainPlacement } from './manager/domain-placement.js';
import { Evaluation } from './manager/evaluation.js';
import { type QueuedEvent, RgEventQueue } from './manager/event-queue.js';
import { FailedStops } from './manager/failed-stops.js';
import { GroupOperations } from './manager/group-operations.js';
import type { InUse } from './manager/in-use.js';
import { loadConfiguration } from './manager/load-configuration.js';
import { type Policy, readPolicy } from './manager/policy.js';
import { reconfigure } from './manager/reconfiguration.js';
import { RemoteRequests } from './manager/remote-requests.js';
import { RequestHandlers } from './manager/request-handlers.js';
import { type RmSettings, readRmSettings } from './manager/rm-settings.js';
import { ServiceOperations } from './manager/service-operations.js';
import { type Respond, type ServiceRequest, ServiceThreads } from './manager/service-threads.js';
import { serviceWorker } from './manager/service-worker.js';
import { STANDBY_KEY, Standby } from './manager/standby.js';
import { type Turn, Turns } from './manager/turns.js';
import { Runtime } from './runtime/runtime.js';
import { type Resume, suspend } from './runtime/suspend.js';
import { isRecordKey, RecordStore } from './state/record-store.js';
import { Request } from './state/request.js';
import { Result } from './state/result.js';
import { decodeRecord, ServiceFlag, type ServiceRecord, ServiceState } from './state/service-record.js';
import { ResourceList } from './tree/resource-list.js';
import { type InstalledAgent, loadRules, type ResourceRule } from './tree/resource-rule.js';

/** What a cluster was in when somebody looked at it. */
export interface ResumedState {
  /** Of services that are between two states nobody knows who was about to do what; all others can be resumed. */
  readonly records: readonly ServiceRecord[];
  /** Ids of nodes in standby. */
  readonly standby: readonly number[];
  /** Node that decides for all; 0: none. */
  readonly master: number;
}

export interface RgmanagerConfig {
  readonly nodeId: number;
  /** Nodes of the cluster, in the order of `cluster.conf`. */
  readonly nodes: readonly RgNode[];
  /** The whole `cluster.conf`. */
  readonly conf: ConfElement;
  /** Agents whose resources can be used; those of this package when absent. */
  readonly agents?: Iterable<InstalledAgent>;
  /** Stop all services before the first is started; true when absent (`rgmanager -N` leaves it out). */
  readonly stopsBeforeStart?: boolean;
  /**
   * Go on from there, for simulations: nothing is stopped at the start, what the records say runs here does, and those who are
   * members by then have been looked at. All members must be started with the same.
   */
  readonly resumes?: ResumedState;
  /**
   * Start what another node is stopping for its recovery (`recoverable`), and forget what is being recovered when that node
   * dies, as the original does: it runs twice then, or never.
   */
  readonly recoversAsOriginal?: boolean;
  /** Counts in place of what the `<policy>` of `cluster.conf` says. */
  readonly policy?: Partial<Policy>;
  /** Wait for `fence-domain-joined`; false when absent. */
  readonly waitsForFenceDomain?: boolean;
  /** Scripts that `<events>` can name, by their files; for central processing. */
  readonly eventScripts?: ReadonlyMap<string, EventScript>;
  /** Shuffles nodes for a relocation without a target. Without it they are shuffled by a stream of the node's id. */
  readonly prng?: Prng;
  /** Take locks as the original does, with random pauses drawn from here. Without it requests queue at the DLM. */
  readonly lockPauses?: Prng;
  /**
   * Told of each request of a service when it could be performed. It waits for its `turn`, for replays in which one thing happens
   * after the other; and a node that comes looks at services once. Without it nothing waits.
   */
  readonly awaitsTurn?: (turn: Turn) => void;
  readonly observe?: Observe<RgFact>;
}

type Emit = (output: RgOutput) => void;

type Input<K extends RgInput['kind']> = Extract<RgInput, { readonly kind: K }>;

/** Key under which a user's lock (`clusvcadm -l`) is replicated. */
const LOCKDOWN_KEY = 'rg_lockdown';
/** How long a node that opened a conversation has to say what it wants. */
const FIRST_MESSAGE_TIMEOUT: Nanos = SECOND;
/** Exit status of a daemon that the configuration disables. */
const DISABLED_STATUS = 2;

const OPERATIONS: ReadonlyMap<ServiceOperation, number> = new Map([
  ['enable', Request.ENABLE],
  ['disable', Request.DISABLE],
  ['stop', Request.STOP_USER],
  ['restart', Request.RESTART],
  ['relocate', Request.RELOCATE],
  ['migrate', Request.MIGRATE],
  ['freeze', Request.FREEZE],
  ['unfreeze', Request.UNFREEZE],
  ['convalesce', Request.CONVALESCE],
]);

/** What `inspect` shows. */
export interface RgView {
  readonly phase: 'created' | 'starting' | 'running' | 'stopping' | 'exited';
  readonly members: readonly number[];
  /** Nodes that take no services. */
  readonly standby: readonly number[];
  readonly isQuorate: boolean;
  /** `clusvcadm -l`. */
  readonly isUserLocked: boolean;
  /** Node that decides for all, as far as this one knows; 0: none, or each decides for itself. */
  readonly master: number;
  readonly services: readonly ServiceRecord[];
  readonly threads: ReturnType<ServiceThreads['inspect']>;
  readonly keys: ReturnType<Views['inspect']>;
  readonly waitingLocks: number;
  readonly openChannels: number;
  readonly runningAgents: readonly number[];
  readonly rejected: Readonly<Record<string, number>>;
}

/**
 * rgmanager on one node: keeps services running somewhere in the cluster, at the best node that there is.
 *
 * Every node holds all records and decides for itself; the lock of a service says whose turn it is. A dead node's
 * services cannot be touched before that node is fenced, because until then the lockspace gives no locks.
 *
 * Source: rgmanager 3.0.12.1, src/daemons. Differences are marked where they are, and listed in the README.
 */
export class Rgmanager implements Machine<RgInput, RgOutput> {
  readonly #config: RgmanagerConfig;
  readonly #rules: readonly ResourceRule[];
  readonly #runtime: Runtime;
  readonly #state = new DaemonState();
  readonly #members: Members;
  readonly #locks: Locks;
  readonly #channels: Channels;
  readonly #views: Views;
  readonly #store: RecordStore;
  readonly #inUse: InUse;
  readonly #agents: AgentRunner;
  readonly #turns: Turns | undefined;
  readonly #threads: ServiceThreads;
  readonly #evaluation: Evaluation;
  readonly #operations: ServiceOperations;
  readonly #failedStops: FailedStops;
  readonly #standby: Standby;
  readonly #events: RgEventQueue;
  readonly #central: CentralProcessing;
  readonly #rejected = new Map<MessageDefect, number>();

  #conf: ConfElement;
  #settings: RmSettings;
  #phase: RgView['phase'] = 'created';
  /** Whether services may be stopped here that records say run here: all were, and the records are still to be looked at, or are being. */
  #unseenStop: 'none' | 'due' | 'being looked at' = 'none';
  #timesAllStopped = 0;
  /** Services are loaded; not so after a loss of quorum. */
  #isInitialized = false;
  /** Not so while a configuration is being replaced. */
  #isConfigured = false;
  #isShutdownPending = false;
  #lockspace: 'none' | 'being-created' | 'there' = 'none';
  /** cman went down by force: no lockspace is left any more. */
  #isClusterGone = false;
  #hasFenceDomain = false;
  /** Services are being stopped for want of quorum: what cman says meanwhile is looked at afterwards. */
  #isDissolving = false;
  #isCheckingServices = false;
  #statusQueries = 0;
  #seen: readonly number[] = [];
  /** The start-up or the end waits for one of its conditions. */
  #changed: Resume<void>[] = [];

  /** @throws {RangeError} when the own id is not among the nodes. */
  constructor(config: RgmanagerConfig) {
    if (!config.nodes.some(({ id }) => id === config.nodeId)) {
      throw new RangeError(`node ${config.nodeId} is not among the nodes of the cluster`);
    }
    this.#config = config;
    this.#conf = config.conf;
    this.#rules = config.agents === undefined ? installedRules() : loadRules(config.agents);
    const runtime = new Runtime(config.observe);
    this.#runtime = runtime;
    this.#settings = readRmSettings(config.conf, () => {});
    const timeout = this.#settings.clusterTimeoutSec * SECOND;
    const state = this.#state;
    const members = new Members(config.nodes, config.nodeId);
    this.#members = members;
    this.#locks = new Locks(runtime, config.lockPauses);
    const channels = new Channels(runtime, members, {
      accepted: (channel) => runtime.start(this.#serveChannel(channel)),
      broadcast: (from, message) => this.#onBroadcast(from, message),
      rejected: (from, reason) => this.#reject(from, reason),
    });
    this.#channels = channels;
    this.#views = new Views(runtime, { locks: this.#locks, channels, members }, timeout, (key, data) =>
      this.#onCommitted(key, data),
    );
    const store = new RecordStore(runtime, this.#locks, this.#views);
    this.#store = store;
    const inUse: InUse = {
      configuration: new Configuration(new ResourceList(), [], [], () => {}),
      statusChildMax: Infinity,
      policy: readPolicy(config.conf, config.policy),
    };
    this.#inUse = inUse;
    this.#agents = new AgentRunner(runtime, inUse);
    const groups = new GroupOperations(runtime, inUse, this.#agents);
    const parts = { runtime, state, members, channels, store, groups, inUse };
    const { recoversAsOriginal = false } = config;
    const operations = new ServiceOperations(parts, recoversAsOriginal);
    this.#operations = operations;
    this.#failedStops = new FailedStops({ runtime, state, members, store, inUse });
    this.#standby = new Standby({
      ...{ runtime, members, locks: this.#locks, views: this.#views },
      changed: (node, isStandby) => this.#onStandby(node, isStandby),
    });
    const placement = new DomainPlacement(store, members, inUse);
    const remote = new RemoteRequests({ runtime, state, members, channels, store, inUse }, timeout);
    const prng = config.prng ?? Prng.derive({ hi: 0, lo: config.nodeId }, 'rgmanager');
    const shared = { runtime, members, groups, operations, remote };
    const handlers = new RequestHandlers({ ...shared, state, store, inUse, placement, prng });
    const isConfigured = (): boolean => this.#isConfigured;
    this.#turns = config.awaitsTurn && new Turns(config.awaitsTurn);
    this.#threads = new ServiceThreads(runtime, serviceWorker({ ...shared, handlers, isConfigured }), this.#turns);
    const threads = this.#threads;
    this.#evaluation = new Evaluation({ ...shared, state, store, inUse, placement, threads, recoversAsOriginal });
    this.#events = new RgEventQueue(runtime, (event) => this.#handleEvent(event));
    this.#central = new CentralProcessing({
      ...shared,
      state,
      store,
      inUse,
      handlers,
      threads,
      prng,
      locks: this.#locks,
      views: this.#views,
      scripts: config.eventScripts ?? new Map(),
      events: this.#events,
    });
  }

  step(now: Nanos, input: RgInput, emit: Emit): void {
    if (this.#phase === 'exited') return;
    this.#runtime.enter(now, emit, () => this.#dispatch(input));
  }

  #dispatch(input: RgInput): void {
    switch (input.kind) {
      case 'start':
        return this.#onStart(input.wall);
      case 'clock-step':
        return this.#runtime.stepWall(input.offset);
      case 'membership':
        return this.#onMembership(input);
      case 'fence-domain-joined':
        this.#hasFenceDomain = true;
        return this.#notify();
      case 'lockspace-created':
        this.#lockspace = 'there';
        return this.#notify();
      case 'lockspace-released':
        this.#lockspace = 'none';
        return this.#notify();
      case 'lock-cast':
        return this.#locks.onCast(input.handle, input.status);
      case 'lock-refused':
        return this.#locks.onCast(input.handle, -1);
      case 'message':
        return this.#onMessage(input);
      case 'agent-ended':
        return this.#agents.onEnded(input.run, input.status, input.signal);
      case 'request':
        return this.#onRequest(input.id, input.request);
      case 'turn':
        return this.#turns?.end(input.turn, input.isRefused !== true);
      case 'reconfigure':
        return this.#onReconfigure(input);
      case 'shutdown':
        return this.#onShutdown();
      case 'cman-shutdown':
        return this.#onCmanShutdown();
      case 'wake':
        return this.#runtime.wake();
    }
  }

  deadline(): Nanos {
    return this.#phase === 'exited' ? Infinity : this.#runtime.deadline();
  }

  inspect(): RgView {
    const records = this.#inUse.configuration.services.map((service) => this.#store.readLocal(service));
    return {
      phase: this.#phase,
      members: this.#members.online,
      standby: this.#members.standby,
      isQuorate: this.#state.isQuorate,
      isUserLocked: this.#state.isUserLocked,
      master: this.#state.isCentral ? this.#central.master : 0,
      services: records.filter((record) => record !== undefined),
      threads: this.#threads.inspect(),
      keys: this.#views.inspect(),
      waitingLocks: this.#locks.pending,
      openChannels: this.#channels.size,
      runningAgents: this.#agents.running,
      rejected: Object.fromEntries(this.#rejected),
    };
  }

  #onStart(wall: number): void {
    if (this.#phase !== 'created') return;
    this.#runtime.setWall(wall);
    this.#phase = 'starting';
    this.#runtime.start(this.#boot());
  }

  /** Start-up: what the original's `main` does before its loop. */
  *#boot(): Task {
    const runtime = this.#runtime;
    if (this.#settings.isDisabled) {
      runtime.log('notice', 'Resource Group Manager Disabled');
      return this.#exited(DISABLED_STATUS);
    }
    if (!this.#members.isQuorate) {
      runtime.log('notice', 'Waiting for quorum to form');
      yield* this.#until(() => this.#members.isQuorate);
      if (this.#isShutdownPending) return yield* this.#exit(0);
      runtime.log('notice', 'Quorum formed');
    }
    this.#lockspace = 'being-created';
    runtime.emit({ kind: 'create-lockspace', lockspace: LOCKSPACE });
    yield* this.#until(() => this.#lockspace === 'there');
    if (this.#isShutdownPending) return yield* this.#exit(0);
    runtime.log('info', `I am node #${this.#config.nodeId}`);
    yield* this.#waitForFencing();
    if (this.#isShutdownPending) return yield* this.#exit(0);
    this.#configure();
    runtime.log('notice', 'Resource Group Manager Starting');
    this.#load();
    const { resumes, stopsBeforeStart = true } = this.#config;
    if (resumes === undefined) yield* this.#stopBeforeStart(stopsBeforeStart);
    else yield* this.#resume(resumes);
    if (this.#isShutdownPending) return yield* this.#exit(0);
    runtime.emit({ kind: 'open-port', port: RG_PORT });
    this.#phase = 'running';
    this.#state.isQuorate = true;
    runtime.start(this.#pollServices());
    if (resumes === undefined) return this.#firstUpdate();
    this.#tellMembers();
    if (this.#state.isCentral) yield* this.#central.resume(resumes.master);
  }

  *#resume({ records, standby }: ResumedState): Task {
    this.#standby.resume(standby);
    for (const record of records) {
      this.#store.resume(record);
      const { name, state, owner } = record;
      if (state === ServiceState.STARTED && owner === this.#config.nodeId) yield* this.#operations.resume(name);
    }
    this.#members.update([...this.#seen, this.#config.nodeId]);
    this.#isInitialized = true;
    this.#isConfigured = true;
  }

  *#waitForFencing(): Task {
    if (this.#config.waitsForFenceDomain !== true || this.#hasFenceDomain) {
      return this.#runtime.log('debug', 'Fence domain already joined or no fencing configured');
    }
    this.#runtime.log('info', 'Waiting for fence domain join operation to complete');
    yield* this.#until(() => this.#hasFenceDomain);
    if (!this.#isShutdownPending) this.#runtime.log('info', 'Fence domain joined');
  }

  /** Waits for a condition, or for the order to shut down. */
  *#until(condition: () => boolean): Task {
    while (!condition() && !this.#isShutdownPending) yield* this.#change();
  }

  /** Waits until something has changed that is waited for. */
  *#change(): Task {
    yield* suspend<void>((resume) => this.#changed.push(resume));
  }

  #notify(): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const resume of changed) resume();
  }

  #configure(): void {
    this.#settings = readRmSettings(this.#conf, (priority, text) => this.#runtime.log(priority, text));
    this.#state.isCentral = this.#settings.isCentral;
    if (this.#state.isCentral) this.#central.configure(this.#conf);
    this.#inUse.statusChildMax = this.#settings.statusChildMax;
    this.#inUse.policy = readPolicy(this.#conf, this.#config.policy);
    this.#events.throttlingSec = this.#settings.transitionThrottlingSec;
  }

  #read(): Configuration {
    this.#runtime.log('info', 'Loading Service Data');
    this.#runtime.log('debug', 'Loading Resource Rules');
    this.#runtime.log('debug', `${this.#rules.length} rules loaded`);
    return loadConfiguration(this.#conf, this.#rules, (priority, text) => this.#runtime.log(priority, text));
  }

  #load(): void {
    this.#inUse.configuration = this.#read();
    this.#tellConfiguration();
  }

  #tellConfiguration(): void {
    const { observe, now } = this.#runtime;
    const { configuration, policy } = this.#inUse;
    observe?.({ kind: 'rg.configured', now, isParallel: policy.isParallel, ...configuration.describe() });
  }

  *#stopBeforeStart(isWanted: boolean): Task {
    if (isWanted) {
      this.#runtime.log('info', 'Initializing Services');
      yield* this.#stopAll();
      this.#runtime.log('info', 'Services Initialized');
    } else {
      this.#runtime.log('info', 'Skipping stop-before-start: overridden by administrator');
    }
    this.#isInitialized = true;
    this.#isConfigured = true;
  }

  /** Stops every service without touching the records, which other nodes may go on with. */
  *#stopAll(): Task {
    this.#timesAllStopped += 1;
    this.#askAll(Request.INIT);
    yield* this.#threads.idle();
    this.#unseenStop = 'due';
    this.#operations.allStopped();
  }

  /** `rg_doall`: how many services were asked. On the way out only those are that this node owns. */
  #askAll(request: number): number {
    let asked = 0;
    for (const service of this.#inUse.configuration.services) {
      const isMine = this.#store.readLocal(service)?.owner === this.#config.nodeId;
      if (request === Request.STOP_EXITING && !isMine) continue;
      this.#threads.enqueue(service, { request });
      asked += 1;
    }
    return asked;
  }

  #onMembership({ members, isQuorate }: Input<'membership'>): void {
    const gone = this.#seen.filter((node) => !members.includes(node));
    this.#seen = [...members];
    this.#members.isQuorate = isQuorate;
    this.#notify();
    // Without quorum nobody is a member for this node, and nobody is lost.
    if (!this.#state.isQuorate) this.#channels.membersLost(gone);
    if (isQuorate) this.#channels.quorumRegained();
    if (this.#phase === 'stopping') return this.#membershipOnTheWayOut();
    if (this.#phase !== 'running' || this.#isDissolving) return;
    if (isQuorate) this.#state.unlock(Lockdown.SYSTEM);
    this.#membershipUpdate();
  }

  /**
   * Differs from rgmanager where turns are given: a node that comes looks at services once, for itself, and not again for
   * each member that it finds.
   */
  #firstUpdate(): void {
    if (this.#turns !== undefined) this.#members.update(this.#seen.filter((node) => node !== this.#config.nodeId));
    this.#membershipUpdate();
  }

  /** `membership_update`: losses first, then gains, each one event. */
  #membershipUpdate(): void {
    if (!this.#members.isQuorate) {
      if (this.#state.isQuorate) this.#runtime.start(this.#dissolveQuorum());
      return;
    }
    if (!this.#state.isQuorate) this.#regainQuorum();
    const { lost, gained } = this.#members.update([...this.#seen, this.#config.nodeId]);
    this.#tellMembers();
    this.#membersLost(lost);
    for (const node of lost) this.#nodeLost(node);
    if (gained.includes(this.#config.nodeId)) {
      this.#runtime.log('info', 'State change: Local UP');
      this.#events.put({ kind: 'node', node: this.#config.nodeId, isUp: true, isClean: true });
    }
    // At once: whoever has come has this before any vote on what he writes.
    if (gained.length > 0) this.#views.announce(STANDBY_KEY);
    for (const node of gained.filter((each) => each !== this.#config.nodeId)) {
      this.#runtime.log('info', `State change: ${this.#members.nameOf(node)} UP`);
      this.#events.put({ kind: 'node', node, isUp: true, isClean: true });
    }
    this.#state.unlock(Lockdown.SYSTEM);
  }

  /**
   * Nothing is started any more, but records are still written: nobody who is gone has a vote.
   *
   * Differs from rgmanager: it would wait for that vote in vain, and leave its services running when it goes.
   */
  #membershipOnTheWayOut(): void {
    if (!this.#members.isQuorate) {
      this.#state.isQuorate = false;
      return;
    }
    const { lost } = this.#members.update([...this.#seen, this.#config.nodeId]);
    this.#membersLost(lost);
  }

  #membersLost(lost: readonly number[]): void {
    this.#views.membersLost(lost);
    this.#channels.membersLost(lost);
    this.#failedStops.membersLost(lost);
  }

  #nodeLost(node: number): void {
    this.#runtime.log('info', `State change: ${this.#members.nameOf(node)} DOWN`);
    if (this.#state.isLocked) this.#runtime.log('debug', 'Not taking action - services locked');
    else this.#events.put({ kind: 'node', node, isUp: false, isClean: false });
  }

  #tellMembers(): void {
    const { observe, now } = this.#runtime;
    const { online: members, standby } = this.#members;
    const { isQuorate } = this.#state;
    observe?.({ kind: 'rg.members', now, members, isQuorate, ...(standby.length > 0 && { standby }) });
  }

  /** All services are stopped, and looked at anew when there is quorum again. */
  *#dissolveQuorum(): Task {
    this.#isDissolving = true;
    this.#runtime.log('emerg', '#1: Quorum Dissolved');
    this.#state.isQuorate = false;
    const { lost } = this.#members.update([]);
    this.#tellMembers();
    // Whoever waits for one of them is told now: they may be back before he looks.
    this.#channels.membersLost(lost.filter((node) => !this.#seen.includes(node)));
    this.#channels.stopListening();
    this.#state.lock(Lockdown.SYSTEM);
    yield* this.#stopAll();
    this.#runtime.log('debug', 'Invalidating local VF cache');
    this.#views.invalidate(STANDBY_KEY);
    this.#runtime.log('debug', 'Flushing resource group cache');
    this.#inUse.configuration = new Configuration(new ResourceList(), [], [], () => {});
    this.#isInitialized = false;
    this.#isConfigured = false;
    this.#isDissolving = false;
    if (this.#phase === 'running' && this.#members.isQuorate) this.#membershipUpdate();
  }

  #regainQuorum(): void {
    this.#state.isQuorate = true;
    this.#state.unlock(Lockdown.SYSTEM | Lockdown.USER);
    this.#runtime.log('notice', 'Quorum Regained');
  }

  *#handleEvent(event: QueuedEvent): Task {
    switch (event.kind) {
      case 'config':
        return yield* this.#reconfigure();
      case 'user':
        return yield* this.#central.handle(event);
      case 'service':
        this.#failedStops.look();
        if (this.#state.isCentral) return yield* this.#central.handle(event);
        return yield* this.#evaluation.serviceEvent(event.state);
      case 'standby':
        return yield* this.#standbyEvent(event.node);
      case 'node':
        yield* this.#onNodeEvent(event);
    }
  }

  *#onNodeEvent(event: Extract<QueuedEvent, { kind: 'node' }>): Task {
    if (this.#phase !== 'running') return;
    const isOwn = event.node === this.#config.nodeId;
    if (isOwn && !this.#isInitialized) {
      this.#load();
      yield* this.#stopBeforeStart(false);
    }
    if (this.#isInitialized) {
      const runsNothing = isOwn && this.#unseenStop === 'due';
      if (runsNothing) this.#unseenStop = 'being looked at';
      yield* this.#nodeEvent(event, runsNothing);
      this.#failedStops.look();
      // Everything may have been stopped again meanwhile.
      if (runsNothing && this.#unseenStop === 'being looked at') this.#unseenStop = 'none';
    } else this.#runtime.log('debug', 'Services not initialized.');
  }

  /** To whoever decides about services it is as if that node had left, or joined; but what it runs is stopped there first. */
  #onStandby(node: number, isStandby: boolean): void {
    this.#tellMembers();
    if (isStandby) return this.#events.put({ kind: 'standby', node });
    if (this.#members.isOnline(node)) this.#events.put({ kind: 'node', node, isUp: true, isClean: true });
  }

  *#standbyEvent(node: number): Task {
    const isThere = this.#members.isOnline(node) && this.#members.standby.includes(node);
    if (this.#phase !== 'running' || !this.#isInitialized || !isThere) return;
    if (!this.#state.isCentral) return yield* this.#evaluation.standby(node);
    yield* this.#central.handle({ kind: 'node', node, isUp: false, isClean: true });
  }

  /** What runs on a node in standby is to leave it: that node sees to it, or the master. */
  #clearStandby(nodes: readonly number[]): void {
    for (const node of nodes) {
      const isSeenTo = this.#state.isCentral || node === this.#config.nodeId;
      if (isSeenTo && this.#members.standby.includes(node)) this.#events.put({ kind: 'standby', node });
    }
  }

  /** It was unfrozen there, or found there. */
  #clearStandbyOf(data: Uint8Array): void {
    const record = decodeRecord(data);
    const isStaying = record?.state !== ServiceState.STARTED || (record.flags & ServiceFlag.FROZEN) !== 0;
    if (!isStaying) this.#clearStandby([record.owner]);
  }

  *#nodeEvent(event: Extract<QueuedEvent, { kind: 'node' }>, runsNothing: boolean): Task {
    const { node, isUp, isClean } = event;
    if (!this.#state.isCentral) return yield* this.#evaluation.nodeEvent(node, isUp, { runsNothing, isClean });
    if (runsNothing) yield* this.#evaluation.disown();
    yield* this.#central.handle(event);
  }

  /**
   * Looks at the services that run here, every so often.
   *
   * Differs from rgmanager: it does so when nothing was heard for that long, so traffic puts it off.
   */
  *#pollServices(): Task {
    while (this.#phase === 'running') {
      yield* sleep(this.#settings.statusPollSec * SECOND);
      if (this.#phase !== 'running' || !this.#state.isQuorate || this.#isCheckingServices) continue;
      this.#isCheckingServices = true;
      yield* this.#queueStatusChecks();
      this.#isCheckingServices = false;
    }
  }

  /**
   * `q_status_checks`: at most one waits for each service.
   *
   * Differs from rgmanager: who has come up checks nothing before it has looked at what records say it runs. It has stopped that, and
   * a check would find it stopped and start it again, perhaps beside a node that has taken it over.
   */
  *#queueStatusChecks(): Task {
    for (const service of this.#inUse.configuration.services) {
      const record = this.#store.readLocal(service) ?? (yield* this.#store.readLocked(service));
      const isRunning = record?.state === ServiceState.STARTED || record?.state === ServiceState.MIGRATE;
      if (!isRunning || record.owner !== this.#config.nodeId || this.#unseenStop !== 'none') continue;
      this.#threads.enqueue(service, { request: Request.STATUS }, 1);
    }
  }

  #onMessage({ from, payload }: Input<'message'>): void {
    if (this.#phase === 'running' || this.#phase === 'stopping') this.#channels.onMessage(from, payload);
  }

  #reject(from: number, reason: MessageDefect): void {
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + 1);
    this.#runtime.emit({ kind: 'reject', from, reason });
  }

  #onBroadcast(from: number, message: RgMessage): void {
    if (this.#views.onBroadcast(from, message)) return;
    if (message.kind === 'event') {
      const { service, state, owner, lastOwner } = message;
      this.#events.put({ kind: 'service', service, state, owner, lastOwner });
    } else if (message.kind === 'exiting' && this.#members.isOnline(message.node)) {
      this.#runtime.log('notice', `Member ${message.node} shutting down`);
      this.#members.setOffline(message.node);
      this.#membersLost([message.node]);
      this.#tellMembers();
      this.#events.put({ kind: 'node', node: message.node, isUp: false, isClean: true });
    }
  }

  /** `lock_commit_cb`. */
  #onCommitted(key: string, data: Uint8Array): void {
    this.#central.onCommitted(key, data);
    this.#standby.onCommitted(key, data);
    if (this.#members.standby.length > 0 && isRecordKey(key)) this.#clearStandbyOf(data);
    if (key !== LOCKDOWN_KEY || data.length !== 1) return;
    const isLocked = data[0] !== 0;
    if (isLocked) this.#state.lock(Lockdown.USER);
    else this.#state.unlock(Lockdown.USER);
    this.#runtime.log('notice', `Resource Groups ${isLocked ? 'Locked' : 'Unlocked'}`);
    this.#runtime.observe?.({ kind: 'rg.lockdown', now: this.#runtime.now, isLocked });
    if (isLocked) return;
    this.#central.onUnlocked();
    this.#clearStandby(this.#members.standby);
  }

  /** What another node wants, in a conversation that it opened. */
  *#serveChannel(channel: Channel): Task {
    const message = yield* channel.inbox.take(FIRST_MESSAGE_TIMEOUT);
    if (typeof message !== 'object') return this.#channels.close(channel);
    if (message.kind === 'current' && this.#state.isQuorate) {
      this.#views.onCurrent(channel, message.key);
      return this.#channels.close(channel);
    }
    if (message.kind !== 'action') return this.#channels.close(channel);
    const { service, action, target, arg1, arg2 } = message;
    const respond: Respond = ({ code, owner }) => {
      this.#channels.send(channel, { ...message, target: owner, result: code, arg1: 0, arg2: 0 });
      this.#channels.close(channel);
    };
    // Whoever wants it started asks another node.
    if (!this.#state.isQuorate) return respond({ code: Result.FAIL, owner: target });
    if (!this.#inUse.configuration.has(service)) return respond({ code: Result.NOSERVICE, owner: target });
    const isAwaited = (): boolean => channel.remoteContext !== 0;
    this.#serve(service, { request: action, target, arg1, arg2, respond, isAwaited });
  }

  /** With central processing only the master says what is done; one can ask any node how a service is. */
  #serve(service: string, request: ServiceRequest): void {
    const isMasters = request.arg1 === ACTION_MASTER || request.request === Request.STATUS_INQUIRY;
    if (this.#state.isCentral && !isMasters) return this.#runtime.start(this.#central.ask(service, request));
    if (!this.#threads.enqueue(service, request)) {
      request.respond?.({ code: Result.AGAIN, owner: this.#config.nodeId });
    }
  }

  #onRequest(id: number, request: RgRequest): void {
    if (request.kind === 'service-addresses') {
      const addresses = this.#inUse.configuration.addresses(request.service);
      return this.#reply(id, { kind: 'addresses', addresses });
    }
    if (this.#phase !== 'running') return this.#reply(id, { kind: 'unreachable' });
    if (!this.#state.isQuorate) return this.#replyCode(id, Result.QUORUM);
    switch (request.kind) {
      case 'status':
        return this.#runtime.start(this.#answerStatus(id, request.isFast === true));
      case 'lock':
      case 'unlock':
        return this.#runtime.start(this.#lockServices(id, request.kind === 'lock'));
      case 'standby':
      case 'unstandby':
        return this.#runtime.start(this.#setStandby(id, request.node, request.kind === 'standby'));
      case 'query-lock':
        return this.#reply(id, { kind: 'lock-state', isLocked: this.#state.isUserLocked });
      default:
        return this.#operate(id, request);
    }
  }

  #operate(id: number, request: Extract<RgRequest, { readonly kind: ServiceOperation }>): void {
    const { service, target = 0, isDomainStart = false } = request;
    if (!this.#inUse.configuration.has(service)) return this.#replyCode(id, Result.NOSERVICE);
    const respond: Respond = ({ code, owner }) => this.#replyCode(id, code, owner);
    const arg1 = isDomainStart ? 1 : 0;
    const asked = { request: OPERATIONS.get(request.kind)!, target, arg1, arg2: 0, respond, isAwaited: () => true };
    this.#serve(service, asked);
  }

  *#answerStatus(id: number, isFast: boolean): Task {
    if (this.#statusQueries >= this.#settings.statusMax) return this.#replyCode(id, Result.AGAIN);
    this.#statusQueries += 1;
    const services: ServiceRecord[] = [];
    for (const service of this.#inUse.configuration.services) {
      const known = this.#store.readLocal(service);
      // The first to write a record decides whether the service starts by itself: that is the master.
      const record = known ?? (isFast || this.#state.isCentral ? undefined : yield* this.#store.readLocked(service));
      if (record !== undefined) services.push(record);
    }
    this.#statusQueries -= 1;
    const master = this.#state.isCentral ? this.#central.master : 0;
    const { online: members, standby } = this.#members;
    const about = { ...(master !== 0 && { master }), ...(standby.length > 0 && { standby }) };
    this.#reply(id, { kind: 'status', services, members, ...about });
  }

  /** Differs from rgmanager: a node that has just come asks how far the others are; its write is turned away there. */
  *#lockServices(id: number, isLocked: boolean): Task {
    if (this.#views.readLocal(LOCKDOWN_KEY) === undefined) yield* this.#views.read(LOCKDOWN_KEY);
    const result = yield* this.#views.write(LOCKDOWN_KEY, Uint8Array.of(isLocked ? 1 : 0));
    this.#replyCode(id, result === 'ok' ? Result.SUCCESS : Result.FAIL);
  }

  *#setStandby(id: number, node: number, isStandby: boolean): Task {
    this.#replyCode(id, yield* this.#standby.set(node, isStandby));
  }

  #replyCode(id: number, code: number, owner: number = this.#config.nodeId): void {
    this.#reply(id, { kind: 'result', code, owner });
  }

  #reply(id: number, reply: RgReply): void {
    this.#runtime.emit({ kind: 'reply', id, reply });
  }

  #onReconfigure({ conf, nodes }: Input<'reconfigure'>): void {
    this.#conf = conf;
    if (nodes !== undefined) this.#members.setNodes(nodes);
    if (this.#phase !== 'running') return;
    this.#configure();
    if (this.#state.isQuorate) this.#events.put({ kind: 'config' });
  }

  /**
   * Differs from rgmanager: when all services are stopped for want of quorum, it goes on, and starts what is new in them. When there is
   * quorum again the new configuration is loaded anyway.
   */
  *#reconfigure(): Task {
    const runtime = this.#runtime;
    if (!this.#state.isQuorate || !this.#isInitialized) return;
    const timesAllStopped = this.#timesAllStopped;
    const isOvertaken = (): boolean => this.#timesAllStopped !== timesAllStopped;
    runtime.log('notice', 'Reconfiguring');
    const next = this.#read();
    this.#isConfigured = false;
    const hasNew = yield* reconfigure(
      {
        runtime,
        members: this.#members,
        store: this.#store,
        inUse: this.#inUse,
        operations: this.#operations,
        threads: this.#threads,
        isOvertaken,
      },
      next,
    );
    if (isOvertaken()) return;
    this.#tellConfiguration();
    if (hasNew) yield* this.#nodeEvent({ kind: 'node', node: this.#config.nodeId, isUp: true, isClean: true }, false);
    if (!isOvertaken()) this.#isConfigured = true;
  }

  #onShutdown(): void {
    if (this.#isShutdownPending) return;
    this.#isShutdownPending = true;
    this.#notify();
    if (this.#phase === 'created') return this.#exited(0);
    if (this.#phase === 'running') this.#runtime.start(this.#shutdown());
  }

  /** Stops what runs here, tells the others, and gives them time to start it. */
  *#shutdown(): Task {
    this.#beginStopping();
    this.#runtime.log('notice', 'Shutting down');
    this.#state.lock(Lockdown.SYSTEM | Lockdown.SHUTDOWN);
    let stops = this.#askAll(Request.STOP_EXITING);
    yield* this.#threads.idle();
    // Differs from rgmanager: a recovery that was under way may have started a service here meanwhile.
    stops += this.#askAll(Request.STOP_EXITING);
    yield* this.#threads.idle();
    if (this.#isInitialized) this.#channels.broadcast({ kind: 'exiting', node: this.#config.nodeId });
    yield* this.#exit(stops);
  }

  /** `stops`: how many services were stopped. */
  *#exit(stops: number): Task {
    const runtime = this.#runtime;
    this.#phase = 'stopping';
    if (this.#lockspace !== 'none') runtime.emit({ kind: 'release-lockspace', lockspace: LOCKSPACE });
    runtime.log('debug', `Stopped ${stops} services`);
    runtime.log('notice', 'Disconnecting from CMAN');
    runtime.emit({ kind: 'close-port', port: RG_PORT });
    runtime.observe?.({ kind: 'rg.exited', now: runtime.now });
    // A master that hears of this exit needs no time to settle who is first.
    if (stops > 0 && !this.#state.isCentral) {
      runtime.log('debug', 'Pausing to allow services to start on other node(s)');
      yield* sleep(3 * this.#settings.transitionThrottlingSec * SECOND);
    }
    // Whoever stops the cluster next leaves the fence domain: nobody may fail in a lockspace and be fenced by nobody.
    while (this.#lockspace !== 'none' && !this.#isClusterGone) yield* this.#change();
    runtime.log('notice', 'Exiting');
    this.#exited(0);
  }

  #beginStopping(): void {
    this.#phase = 'stopping';
    this.#runtime.observe?.({ kind: 'rg.stopping', now: this.#runtime.now });
  }

  #exited(status: number): void {
    this.#phase = 'exited';
    this.#runtime.emit({ kind: 'exited', status });
  }

  #onCmanShutdown(): void {
    this.#isClusterGone = true;
    this.#notify();
    if (this.#phase === 'running') this.#runtime.start(this.#stopUncleanly());
  }

  *#stopUncleanly(): Task {
    this.#beginStopping();
    this.#runtime.log('warning', '#67: Shutting down uncleanly');
    this.#state.isQuorate = false;
    yield* this.#stopAll();
    yield* this.#exit(0);
  }
}
