import { type LoggingSection, parseClusterConf } from '@quorate/cluster-conf';
import type { FencedCall } from '@quorate/fencing';
import {
  ConfigError,
  type Errno,
  isErrno,
  type Nanos,
  PENDING,
  type Prng,
  type TaskId,
  utf8Text,
} from '@quorate/kernel';
import { findQuorumDisk } from '@quorate/qdisk';
import type { CmanInput } from '@quorate/quorum';
import { quorumDisks } from './os/quorum-disks.js';
import type { SystemCall } from './os/system-call.js';
import type { CmanCall, JoinOverrides } from './programs/cman/cman-call.js';
import type { CorosyncCall } from './programs/corosync/corosync-call.js';
import type { DaemonName, InitCall } from './programs/daemon-control.js';
import { addressInHosts } from './programs/hosts.js';
import type { ClvmdCall } from './programs/lvm/clvmd-call.js';
import { ClusterEngine, type EngineListener } from './stack/cluster-engine.js';
import { Clvmd } from './stack/clvmd.js';
import { CLVMD_PORT } from './stack/clvmd-peers.js';
import type { ControldCall } from './stack/controld-call.js';
import { FenceDomainDaemon } from './stack/fence-domain.js';
import { FileSystems } from './stack/file-systems.js';
import { LockManager } from './stack/lock-manager.js';
import { QDISK_PORT, QuorumDisk } from './stack/quorum-disk.js';
import { RGMANAGER_PORT, ServiceManager } from './stack/service-manager.js';
import type { NodeServices } from './stack/services.js';
import { type DlmCall, UserLocks } from './stack/user-locks.js';
import { CONF_FILE, type StackConfig, stackConfigOf } from './stack-config.js';

/**
 * The daemons of one node, and how one's news becomes another's input:
 *
 *     packet loss ─ totem: token loss → gather → commit → recovery → regular configuration     (ClusterEngine)
 *                     └ cpg: members left
 *     quorum: votes recounted ── inquorate: everything below waits                             (ClusterEngine)
 *     qdisk:  missed updates → master writes eviction → votes                                  (QuorumDisk)
 *     fencing: victim chosen → agent → fenced                                                  (FenceDomainDaemon)
 *     dlm:    stopped → (quorate and fenced) → directory → locks remastered → granted          (LockManager)
 *     clvmd:  volumes are active under its locks                                               (Clvmd)
 *     gfs2:   journal of the dead node replayed → its glocks may be granted                    (FileSystems)
 *     rgmanager: owner dead and fenced → failover domain picks a node → start                  (ServiceManager)
 *
 * Daemons start when init scripts say so and end in any order; what is not there does not hear.
 */
export class ClusterStack implements EngineListener {
  readonly #services: NodeServices;
  readonly #prng: (component: string) => Prng;
  readonly #pids = new Map<DaemonName | 'corosync', number>();
  #config: StackConfig | undefined;
  /** The file as it was read last, until cman has taken it over. */
  #newConfig: StackConfig | undefined;
  #overrides: JoinOverrides = {};
  #engine: ClusterEngine | undefined;
  #quorumDisk: QuorumDisk | undefined;
  #fencing: FenceDomainDaemon | undefined;
  #locks: LockManager | undefined;
  #userLocks: UserLocks | undefined;
  #clvmd: Clvmd | undefined;
  #fileSystems: FileSystems | undefined;
  #serviceManager: ServiceManager | undefined;
  /** Tasks that wait until a daemon has ended, or this node has left the cluster. */
  readonly #stopping = new Map<DaemonName | 'corosync', TaskId[]>();

  constructor(services: NodeServices, prng: (component: string) => Prng) {
    this.#services = services;
    this.#prng = prng;
  }

  // ── the chain ──────────────────────────────────────────────────────────────────────────────────────────────────

  membership(change: NonNullable<ClusterEngine['membership']>): void {
    this.#tellQuorumDisk();
    this.#quorumDisk?.cmanEvent();
    this.#fencing?.membership(change);
    this.#locks?.membership(change);
    this.#clvmd?.membersChanged();
    this.#fileSystems?.membership(change);
    this.#tellServiceManager();
  }

  portChanged(port: number): void {
    if (port === QDISK_PORT) this.#tellQuorumDisk();
    this.#quorumDisk?.cmanEvent();
    if (port === CLVMD_PORT) this.#clvmd?.portChanged();
    if (port === RGMANAGER_PORT) this.#tellServiceManager();
  }

  portData(port: number, from: number, payload: Uint8Array): void {
    if (port === QDISK_PORT) this.#quorumDisk?.data(from, payload);
    if (port === CLVMD_PORT) this.#clvmd?.message(from, payload);
    if (port === RGMANAGER_PORT) this.#serviceManager?.message(from, payload);
  }

  /** fenced has dealt with a victim: the locks it held may be given away. */
  fenced(node: number, at: Nanos): void {
    this.#locks?.fenced(node, at);
    this.#engine?.cman({ kind: 'node-fenced', node, at: this.#services.system.wall().sec, agent: 'fenced' });
  }

  victims(nodes: readonly number[]): void {
    this.#locks?.victims(nodes);
  }

  deviceRefused(errno: string): void {
    this.#quorumDisk?.registerRefused(errno);
  }

  tryShutdown(): readonly boolean[] {
    const answers: boolean[] = [];
    if (this.#fencing !== undefined) answers.push(!this.#fencing.isInDomain);
    if (this.#quorumDisk !== undefined) answers.push(true);
    if (this.#clvmd !== undefined) answers.push(true);
    return answers;
  }

  /** The engine is gone, and with it everything that spoke through it. */
  ended(why: 'killed' | 'failed' | 'left'): void {
    this.#engine = undefined;
    this.#daemonEnded('corosync');
    this.#clvmd?.clusterDown();
    this.#daemonEnded('clvmd');
    if (why === 'left') return;
    this.#fencing?.clusterDown();
    this.#serviceManager?.clusterDown();
    this.#serviceManager?.stop();
    this.#fileSystems?.clusterDown();
    this.#locks?.clusterDown();
    this.#fencing = this.#fileSystems = this.#locks = this.#userLocks = undefined;
    for (const daemon of ['gfs_controld', 'dlm_controld', 'fenced'] as const) this.#daemonEnded(daemon);
    this.#quorumDisk?.stop();
  }

  #tellQuorumDisk(): void {
    const members = this.#engine?.membership?.members;
    if (members !== undefined) this.#quorumDisk?.members(members, this.#engine!.listeningOn(QDISK_PORT));
  }

  #tellServiceManager(): void {
    const engine = this.#engine;
    if (engine?.membership !== undefined) {
      this.#serviceManager?.membership(engine.listeningOn(RGMANAGER_PORT), engine.isQuorate);
    }
  }

  /** The wall clock was set. */
  clockStep(offset: Nanos): void {
    this.#engine?.cman({ kind: 'clock-step', offset });
    this.#quorumDisk?.clockStep(offset);
    this.#fencing?.clockStep(offset);
    this.#fileSystems?.clockStep();
    this.#serviceManager?.clockStep(offset);
  }

  // ── network ────────────────────────────────────────────────────────────────────────────────────────────────────

  datagram(_port: number, bytes: Uint8Array): void {
    this.#engine?.datagram(bytes);
  }

  accepted(connection: number, from: string): void {
    if (this.#locks !== undefined) this.#locks.transport.onAccepted(connection, from);
    else this.#services.toStack({ kind: 'tcp-abort', id: connection });
  }

  onConnected(connection: number): void {
    this.#locks?.transport.onConnected(connection);
  }

  onReceived(connection: number, bytes: Uint8Array): void {
    this.#locks?.transport.onReceived(connection, bytes);
  }

  onClosed(connection: number): void {
    this.#locks?.transport.onEnded(connection);
  }

  onFailed(connection: number): void {
    this.#locks?.transport.onEnded(connection);
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────

  deadline(): Nanos {
    return Math.min(
      this.#engine?.deadline() ?? Infinity,
      this.#quorumDisk?.deadline() ?? Infinity,
      this.#fencing?.deadline() ?? Infinity,
      this.#locks?.deadline() ?? Infinity,
      this.#userLocks?.deadline() ?? Infinity,
      this.#clvmd?.deadline() ?? Infinity,
      this.#fileSystems?.deadline() ?? Infinity,
      this.#serviceManager?.deadline() ?? Infinity,
    );
  }

  /** Wakes those that are due, in the order of the picture. */
  wakeIfDue(now: Nanos): void {
    this.#engine?.wakeIfDue(now);
    this.#quorumDisk?.wakeIfDue(now);
    this.#fencing?.wakeIfDue(now);
    this.#locks?.wakeIfDue(now);
    this.#userLocks?.wakeIfDue(now);
    this.#clvmd?.wakeIfDue(now);
    this.#fileSystems?.wakeIfDue(now);
    this.#serviceManager?.wakeIfDue(now);
  }

  inspect(): Readonly<Record<string, unknown>> {
    return {
      engine: this.#engine?.inspect(),
      qdisk: this.#quorumDisk?.inspect(),
      fencing: this.#fencing?.inspect(),
      dlm: this.#locks?.inspect(),
      clvmd: this.#clvmd?.inspect(),
      gfs2: this.#fileSystems?.inspect(),
      rgmanager: this.#serviceManager?.inspect(),
    };
  }

  processEnded(pid: number): void {
    this.#fileSystems?.processEnded(pid);
    this.#clvmd?.processEnded(pid);
    this.#userLocks?.processEnded(pid);
  }

  // ── calls of programs ──────────────────────────────────────────────────────────────────────────────────────────

  /** Answers what programs ask of daemons and mounted file systems: at once, or PENDING and later. */
  serve(task: TaskId, call: SystemCall): unknown {
    switch (call.call) {
      case 'mount':
        if (call.type !== 'gfs2') return 'ENODEV';
        return this.#fileSystems === undefined ? 'ECONNREFUSED' : this.#fileSystems.mount(task, call);
      case 'unmount':
        return this.#fileSystems === undefined ? 'EINVAL' : this.#fileSystems.unmount(task, call.directory);
      case 'file-system':
        return this.#fileSystems === undefined ? 'EIO' : this.#fileSystems.operation(task, call);
      case 'daemon':
        return this.#serveDaemon(task, call.daemon, call.request);
      default:
        return 'EINVAL';
    }
  }

  #serveDaemon(task: TaskId, daemon: string, request: unknown): unknown {
    switch (daemon) {
      case 'init':
        return this.#serveInit(task, request as InitCall);
      case 'cman':
        return this.#serveCman(task, request as CmanCall);
      case 'corosync':
        return this.#serveCorosync(request as CorosyncCall);
      case 'fenced':
        return this.#fencing === undefined ? 'ECONNREFUSED' : this.#fencing.call(request as FencedCall);
      case 'dlm_controld':
        return this.#locks === undefined ? 'ECONNREFUSED' : this.#locks.call(task, request as ControldCall);
      case 'dlm':
        return this.#userLocks === undefined ? 'ECONNREFUSED' : this.#userLocks.call(task, request as DlmCall);
      case 'gfs_controld':
        return this.#fileSystems === undefined ? 'ECONNREFUSED' : this.#fileSystems.call(request as ControldCall);
      case 'clvmd':
        return this.#clvmd === undefined ? 'ECONNREFUSED' : this.#clvmd.call(task, request as ClvmdCall);
      case 'rgmanager':
        return this.#serviceManager === undefined ? 'ECONNREFUSED' : this.#serviceManager.call(task, request);
      default:
        return 'ECONNREFUSED';
    }
  }

  #serveInit(task: TaskId, call: InitCall): unknown {
    if (call.kind === 'start-daemon') return this.#start(task, call.daemon);
    if (call.kind === 'kill-daemon') return this.#kill(call.daemon);
    if (!this.#pids.has(call.daemon)) return undefined;
    const waiting = this.#stopping.get(call.daemon) ?? [];
    this.#stopping.set(call.daemon, [...waiting, task]);
    if (this.#terminate(call.daemon)) return PENDING;
    this.#stopping.set(call.daemon, waiting);
    return undefined;
  }

  #serveCman(task: TaskId, call: CmanCall): unknown {
    if (call.kind === 'join') return this.#join(call.overrides ?? {});
    const engine = this.#engine;
    if (engine === undefined) return 'ECONNREFUSED';
    switch (call.kind) {
      case 'status':
        // Whoever asks has a connection, too.
        return engine.status(connectionsOf(this.#pids.keys()) + 1);
      case 'nodes':
        return engine.status(0) === undefined ? 'ENOENT' : engine.nodes();
      case 'version':
        return engine.version;
      case 'set-version':
        return this.#setVersion(engine);
      case 'listening':
        return engine.listeningOn(call.port);
      case 'leave': {
        const waiting = this.#stopping.get('corosync') ?? [];
        this.#stopping.set('corosync', [...waiting, task]);
        const { isRemoved, isForced } = call;
        engine.cman({ kind: 'leave', isRemoved, isForced, listeners: this.tryShutdown().length });
        return PENDING;
      }
      case 'kill':
        return engine.call({ kind: 'kill', node: call.node, reason: 'cmantool' });
      case 'set-expected':
        return engine.call({ kind: 'set-expected', votes: call.votes });
      case 'set-votes':
        return engine.call({ kind: 'set-votes', votes: call.votes, ...(call.node > 0 && { node: call.node }) });
    }
  }

  #serveCorosync(call: CorosyncCall): unknown {
    const engine = this.#engine;
    if (engine === undefined) return 'ECONNREFUSED';
    switch (call.kind) {
      case 'quorum':
        return engine.quorumService();
      case 'groups':
        return engine.processGroups();
      case 'addresses':
        return engine.addresses;
    }
  }

  leaveRefused(errno: string): void {
    for (const task of this.#stopping.get('corosync') ?? []) this.#services.system.reply(task, errno);
    this.#stopping.delete('corosync');
  }

  // ── cluster.conf ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Where its daemons log to; undefined before any was started. */
  get logging(): LoggingSection | undefined {
    return this.#config?.conf.logging;
  }

  /** Reads this node's file and tells the others of its version; returns why it is not taken. */
  #setVersion(engine: ClusterEngine): string | undefined {
    if (engine.status(0) === undefined) return 'ENOENT';
    const version = this.#reload(engine, true);
    return engine.version.config === version ? undefined : 'EINVAL';
  }

  /** Another node runs a newer configuration. */
  reloadConfig(): void {
    if (this.#engine !== undefined) this.#reload(this.#engine, false);
  }

  /** Hands the file to cman. Returns its version. */
  #reload(engine: ClusterEngine, isBroadcast: boolean): number | undefined {
    const config = this.#readConfig();
    if (typeof config === 'string') {
      engine.cman({ kind: 'reconfigure-failed', reason: config });
      return undefined;
    }
    this.#newConfig = config;
    const { configVersion, nodes, expectedVotes } = config.cman;
    engine.cman({ kind: 'reconfigure', configVersion, nodes, expectedVotes, isBroadcast });
    return configVersion;
  }

  /** cman has taken the file over, and so do those whose daemons listen to its CONFIG_UPDATE. */
  configUpdated(): void {
    const config = this.#newConfig;
    if (config === undefined) return;
    this.#config = config;
    this.#quorumDisk?.configure(config);
    this.#fencing?.configure(config);
    this.#serviceManager?.configure(config);
  }

  // ── daemons ────────────────────────────────────────────────────────────────────────────────────────────────────

  #join(overrides: JoinOverrides): Errno | string | undefined {
    if (this.#engine !== undefined) return 'EEXIST';
    this.#overrides = overrides;
    const config = this.#readConfig();
    if (typeof config === 'string') return config;
    this.#config = config;
    this.#started('corosync', ['corosync', '-f']);
    this.#engine = new ClusterEngine(this.#services, config, this.#prng('totem'), this);
    this.#engine.start();
    return undefined;
  }

  #start(task: TaskId, daemon: DaemonName): unknown {
    const engine = this.#engine;
    const config = this.#config;
    if (engine === undefined || config === undefined) return 'ECONNREFUSED';
    if (this.#pids.has(daemon)) return 'EEXIST';
    if (daemon === 'qdiskd') return this.#startQuorumDisk(task, engine, config);
    const locks = this.#locks;
    const needsLocks = daemon === 'gfs_controld' || daemon === 'clvmd' || daemon === 'rgmanager';
    if (needsLocks && locks === undefined) return 'ECONNREFUSED';
    const pid = this.#started(daemon, [daemon]);
    switch (daemon) {
      case 'fenced':
        this.#fencing = new FenceDomainDaemon(this.#services, config, engine, pid, this);
        this.#fencing.start();
        break;
      case 'dlm_controld':
        this.#locks = new LockManager(this.#services, config, engine, pid, {
          lockspaceStopped: (lockspace) => this.#fileSystems?.lockspaceStopped(lockspace),
          lockspaceStarted: (lockspace) => this.#fileSystems?.lockspaceStarted(lockspace),
        });
        this.#locks.start();
        this.#userLocks = new UserLocks(this.#services, this.#locks);
        if (this.#fencing !== undefined) this.#locks.victims(this.#fencing.victims);
        break;
      case 'gfs_controld':
        this.#fileSystems = new FileSystems(this.#services, config, engine, pid, this.#prng);
        this.#fileSystems.start(locks!);
        break;
      case 'clvmd':
        this.#clvmd = new Clvmd(this.#services, config, engine, locks!, pid, () => this.#daemonEnded('clvmd'));
        this.#clvmd.start(task);
        return PENDING;
      case 'rgmanager':
        this.#serviceManager = new ServiceManager(this.#services, config, engine, locks!, () =>
          this.#daemonEnded('rgmanager'),
        );
        this.#serviceManager.start();
        this.#tellServiceManager();
        break;
    }
    return undefined;
  }

  /** Finds the disk first, which reads from it; then qdiskd starts. */
  #startQuorumDisk(task: TaskId, engine: ClusterEngine, config: StackConfig): unknown {
    const { system } = this.#services;
    const { quorumd } = config;
    if (quorumd === undefined) return 'no quorumd section in cluster.conf';
    system.runTask(findQuorumDisk(quorumDisks(system.disks), config.quorumDisk), (found) => {
      const why = typeof found === 'string' ? found : this.#runQuorumDisk(engine, config, quorumd, found);
      if (why !== undefined) this.#services.log('crit', 'qdiskd', why);
      if (why !== undefined && quorumd.stopCman === true) {
        this.#services.log('warning', 'qdiskd', 'Telling CMAN to leave the cluster; qdisk is not available');
        engine.cman({ kind: 'leave', isRemoved: false, isForced: true, listeners: this.tryShutdown().length });
      }
      system.reply(task, why);
    });
    return PENDING;
  }

  /** Returns why qdiskd does not start. */
  #runQuorumDisk(
    engine: ClusterEngine,
    { nodeId, conf }: StackConfig,
    quorumd: NonNullable<StackConfig['quorumd']>,
    { path, matches }: { readonly path: string; readonly matches: number },
  ): string | undefined {
    const config = {
      nodeId,
      device: path,
      tokenMs: conf.totem.tokenMs,
      quorumd,
      clusterNodes: conf.nodes,
      matches,
    };
    const device = this.#services.system.disks.device(path)!;
    const toCman = (input: CmanInput): void => engine.cman(input);
    try {
      this.#quorumDisk = new QuorumDisk(this.#services, config, device, toCman, () => this.#daemonEnded('qdiskd'));
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
    this.#started('qdiskd', ['qdiskd', '-Q']);
    this.#quorumDisk.start();
    this.#tellQuorumDisk();
    return undefined;
  }

  /** SIGTERM: whether the daemon ends, now or later. */
  #terminate(daemon: DaemonName): boolean {
    switch (daemon) {
      case 'qdiskd':
        // It ends by itself, after it has written its block.
        this.#quorumDisk?.stop();
        return true;
      case 'rgmanager':
        // It ends by itself, after its services have stopped.
        this.#serviceManager?.stop();
        return true;
      case 'clvmd':
        // It ends by itself, after its lockspace.
        this.#clvmd?.stop();
        return true;
      case 'fenced':
        if (this.#fencing?.terminate() === false) return false;
        this.#fencing = undefined;
        break;
      case 'dlm_controld':
        if (this.#locks?.terminate() === false) return false;
        this.#locks = this.#userLocks = undefined;
        break;
      case 'gfs_controld':
        if (this.#fileSystems?.terminate() === false) return false;
        this.#fileSystems = undefined;
        break;
    }
    this.#daemonEnded(daemon);
    return true;
  }

  /**
   * SIGKILL: a daemon ends as it stands, and the machine's kernel tidies up behind it. corosync takes everybody with it; the
   * watchdog of rgmanager reboots the machine; gfs_controld ends with dlm_controld. Lockspaces and mounts outlive their daemons,
   * until this node is removed from the cluster by others, who see a process gone, or by itself.
   */
  #kill(daemon: DaemonName | 'corosync'): Errno | undefined {
    if (!this.#pids.has(daemon)) return 'ESRCH';
    switch (daemon) {
      case 'corosync':
        this.#services.observe?.({ kind: 'node.corosync-killed', now: this.#services.now() });
        this.#engine?.kill();
        return undefined;
      case 'rgmanager':
        this.#services.log('crit', 'rgmanager', 'Watchdog: Daemon died, rebooting...');
        this.#services.halt('reboot');
        return undefined;
      case 'qdiskd':
        this.#engine?.cman({ kind: 'close-port', port: QDISK_PORT });
        this.#quorumDisk?.kill();
        break;
      case 'fenced':
        this.#fencing?.kill();
        this.#fencing = undefined;
        break;
      case 'dlm_controld':
        this.#locks?.killDaemon();
        this.#fileSystems?.dlmControldGone();
        this.#daemonEnded('gfs_controld');
        break;
      case 'gfs_controld':
        this.#fileSystems?.killDaemon();
        break;
      case 'clvmd':
        this.#clvmd?.kill();
        break;
    }
    this.#daemonEnded(daemon);
    return undefined;
  }

  #started(daemon: DaemonName | 'corosync', argv: readonly string[]): number {
    const pid = this.#services.system.daemonStarted(argv);
    this.#pids.set(daemon, pid);
    return pid;
  }

  #daemonEnded(daemon: DaemonName | 'corosync'): void {
    const pid = this.#pids.get(daemon);
    if (pid === undefined) return;
    this.#pids.delete(daemon);
    this.#services.system.daemonEnded(pid);
    if (daemon === 'qdiskd') this.#quorumDisk = undefined;
    if (daemon === 'clvmd') this.#clvmd = undefined;
    if (daemon === 'rgmanager') this.#serviceManager = undefined;
    const waiting = this.#stopping.get(daemon) ?? [];
    this.#stopping.delete(daemon);
    for (const task of waiting) this.#services.system.reply(task, undefined);
  }

  #readConfig(): StackConfig | string {
    const { files } = this.#services.system;
    const text = files.read(CONF_FILE);
    if (isErrno(text)) return `${CONF_FILE}: ${text}`;
    try {
      const { conf } = parseClusterConf(utf8Text(text), CONF_FILE);
      return stackConfigOf(conf, this.#services.hostname, (name) => this.#addressOf(name), this.#overrides);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.place === undefined ? `${CONF_FILE}: ${error.message}` : error.message;
    }
  }

  #addressOf(name: string): string | undefined {
    const hosts = this.#services.system.files.read('/etc/hosts');
    return isErrno(hosts) ? undefined : addressInHosts(utf8Text(hosts), name);
  }
}

/**
 * Connections that a daemon has with cman: one to ask as anybody, and one to ask as an administrator.
 *
 * Source: cluster 3.0.12, `cman_init` and `cman_admin_init` of each daemon.
 */
const CONNECTIONS: Readonly<Record<DaemonName | 'corosync', number>> = {
  corosync: 0,
  qdiskd: 2,
  fenced: 2,
  dlm_controld: 2,
  gfs_controld: 2,
  clvmd: 1,
  rgmanager: 1,
};

function connectionsOf(daemons: Iterable<DaemonName | 'corosync'>): number {
  return [...daemons].reduce((sum, daemon) => sum + CONNECTIONS[daemon], 0);
}
