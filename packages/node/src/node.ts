import {
  DrawnChoices,
  type Errno,
  type Fact,
  type InterfaceInfo,
  type LogPriority,
  type Machine,
  type Nanos,
  type Observe,
  PENDING,
  Prng,
  type Program,
  type ProgramResult,
  type Seed,
  type TaskId,
  type WallTime,
} from '@quorate/kernel';
import { type IpFact, type IpInput, type IpOutput, IpStack } from '@quorate/network';
import type { EventScript } from '@quorate/rgmanager';
import type { VolumesFact } from '@quorate/volumes';
import { Child } from './child.js';
import { ClusterStack } from './cluster-stack.js';
import { DeviceMapper } from './os/device-mapper.js';
import { type BlockDevice, type DiskCommand, Disks } from './os/disks.js';
import { type FileChange, RootFiles } from './os/files.js';
import { IscsiSessions, type NodeIscsiFact } from './os/iscsi/iscsi-sessions.js';
import type { IscsidCall } from './os/iscsi/iscsid-call.js';
import { readLvmConf } from './os/lvm-conf.js';
import { OperatingSystem } from './os/operating-system.js';
import { Partitions } from './os/partitions.js';
import type { ProgramFault } from './os/program-faults.js';
import type { Storage } from './os/storage.js';
import type { SystemCall } from './os/system-call.js';
import { SystemLog } from './os/system-log.js';
import { compgen } from './programs/compgen.js';
import { basePrograms } from './programs/index.js';
import { LoginShell } from './programs/sh/sh.js';
import { which } from './programs/which.js';

/** Of CentOS 6.7, as `uname -r` says it. */
export const KERNEL_RELEASE = '2.6.32-573.el6.x86_64';

export type NodeInput =
  /** Starts the node's first process. `carrier`: which of its cables are plugged in. */
  | { readonly kind: 'boot'; readonly wall: WallTime; readonly carrier: readonly boolean[] }
  | { readonly kind: 'frame'; readonly nic: number; readonly bytes: Uint8Array }
  | { readonly kind: 'carrier'; readonly nic: number; readonly isUp: boolean }
  /** A command that was emitted as `io` has ended. */
  | {
      readonly kind: 'io-done';
      readonly tag: number;
      readonly status: number;
      readonly sense: Uint8Array;
      readonly data: Uint8Array;
    }
  /** A command line, as an administrator types it. Answered by `reply`. */
  | { readonly kind: 'command'; readonly id: number; readonly command: string }
  /** The wall clock jumps; the monotonic one does not. */
  | { readonly kind: 'clock-step'; readonly offset: Nanos }
  /** From now on a program of this machine goes wrong. */
  | { readonly kind: 'program-fault'; readonly fault: ProgramFault }
  /** The answer to `switch-power`. */
  | { readonly kind: 'power-switched'; readonly id: number; readonly reply: unknown }
  | { readonly kind: 'wake' };

export type NodeOutput =
  | { readonly kind: 'frame'; readonly interface: number; readonly bytes: Uint8Array }
  | DiskCommand
  /** A file of the root disk changed. */
  | { readonly kind: 'persist'; readonly change: FileChange }
  | { readonly kind: 'reply'; readonly id: number; readonly result: ProgramResult }
  /** A power agent asks the switch that all machines hang on. */
  | { readonly kind: 'switch-power'; readonly id: number; readonly request: unknown }
  /** The machine stops now. Nothing that comes after it counts. */
  | { readonly kind: 'halt'; readonly how: 'poweroff' | 'reboot' }
  | {
      readonly kind: 'log';
      readonly priority: LogPriority;
      readonly tag: string;
      readonly text: string;
      readonly wallSec: number;
    };

export interface NodeInterface {
  readonly name: string;
  readonly mac: string;
  /** With prefix length, as the init scripts configure them. */
  readonly addresses: readonly string[];
}

export interface NodeConfig {
  readonly id: number;
  /** Host name; a `clusternode` of its cluster.conf. */
  readonly name: string;
  /** Which life of the node this is: 1 for its first boot. Names its random streams. */
  readonly life: number;
  readonly seed: Seed;
  readonly interfaces: readonly NodeInterface[];
  readonly gateway?: string;
  /** Whole disks, whose partitions it finds at boot; and parts of disks that are to be there without a table. */
  readonly devices: readonly BlockDevice[];
  /** Root disk: /etc/cluster/cluster.conf, /etc/hosts and /etc/fstab among its files; a path that ends with a slash is a directory. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Further programs by name; they come before the node's own of the same name. */
  readonly programs?: ReadonlyMap<string, Program>;
  /** Scripts that `<events>` of cluster.conf can name, by their files; for central processing. */
  readonly eventScripts?: ReadonlyMap<string, EventScript>;
  readonly observe?: Observe;
}

/** Who hears of a connection of the IP stack. */
interface ConnectionOwner {
  onConnected(connection: number): void;
  /** `bytes` are lent. */
  onReceived(connection: number, bytes: Uint8Array): void;
  onClosed(connection: number): void;
  onFailed(connection: number, errno: Errno): void;
}

/**
 * One cluster node: a machine that boots, runs daemons and programs, and talks to its NICs and disks.
 *
 * What happens to the stack's daemons stands in `ClusterStack`; here is what any machine has.
 */
export class ClusterNode implements Machine<NodeInput, NodeOutput> {
  readonly #config: NodeConfig;
  readonly #ipMachine: IpStack;
  readonly #ip: Child<IpInput, IpOutput>;
  readonly #system: OperatingSystem;
  readonly #systemLog: SystemLog;
  readonly #console = new LoginShell();
  readonly #iscsi: IscsiSessions;
  readonly #stack: ClusterStack;
  readonly #switchRequests = new Map<number, TaskId>();
  #lastConnection = 0;
  #lastSwitchRequest = 0;
  #hasHalted = false;
  #mostTasks = 0;
  #now: Nanos = 0;
  #emit: (output: NodeOutput) => void = () => {};

  constructor(config: NodeConfig) {
    this.#config = config;
    const { observe } = config;
    const prng = (component: string): Prng => Prng.derive(config.seed, `node/${config.id}/${component}/${config.life}`);
    this.#ipMachine = new IpStack({
      interfaces: config.interfaces,
      prng: prng('network'),
      ...(config.gateway !== undefined && { gateway: config.gateway }),
      ...(observe && { observe: observe as Observe<IpFact> }),
    });
    this.#ip = new Child(this.#ipMachine, () => this.#now, this.#onIp);
    const disks = new Disks(
      config.devices,
      (command, host) => (host === undefined ? this.#out(command) : this.#iscsi.command(host, command)),
      (size) => observe?.({ kind: 'node.queue', now: this.#now, queue: 'disk commands', size } as NodeFact),
    );
    const observeVolumes = observe as Observe<VolumesFact> | undefined;
    const files = new RootFiles(config.files, (change) => this.#out({ kind: 'persist', change }));
    this.#systemLog = new SystemLog(config.name, files);
    const storage: Storage = {
      disks,
      partitions: new Partitions(disks),
      mapper: new DeviceMapper(disks, () => this.#now, observeVolumes),
      hostname: config.name,
      configuration: () => readLvmConf(files),
      prng: prng('lvm'),
      observe: observeVolumes,
    };
    const programs = new Map([...basePrograms(files, storage, config.gateway), ...(config.programs ?? [])]);
    const names = (): Iterable<string> => programs.keys();
    programs.set('compgen', compgen(names));
    programs.set('which', which(names));
    this.#system = new OperatingSystem({
      hostname: config.name,
      files,
      disks,
      programs,
      toStack: (input) => this.#ip.send(input),
      newConnection: () => this.#newConnection(),
      interfaces: () => this.#interfaces(),
      log: (priority, tag, text) => this.#log(priority, tag, text),
      halt: (how) => this.#halt(how),
      serve: (task, call) => this.#serve(task, call),
      processEnded: (pid) => this.#stack.processEnded(pid),
      observe: observe as Observe | undefined,
    });
    const choices = new DrawnChoices(prng('iscsi'));
    this.#iscsi = new IscsiSessions({
      system: this.#system,
      storage,
      world: { choices: () => choices },
      now: () => this.#now,
      toStack: (input) => this.#ip.send(input),
      newConnection: () => this.#newConnection(),
      log: (priority, tag, text) => this.#log(priority, tag, text),
      observe: observe as Observe<NodeIscsiFact> | undefined,
    });
    this.#stack = new ClusterStack(
      {
        system: this.#system,
        storage,
        hostname: config.name,
        now: () => this.#now,
        toStack: (input) => this.#ip.send(input),
        newConnection: () => this.#newConnection(),
        log: (priority, tag, text) => this.#log(priority, tag, text),
        halt: (how) => this.#halt(how),
        eventScripts: config.eventScripts ?? new Map(),
        observe: observe as Observe | undefined,
      },
      prng,
    );
  }

  step(now: Nanos, input: NodeInput, emit: (output: NodeOutput) => void): void {
    if (this.#hasHalted) return;
    this.#now = now;
    this.#system.advance(now);
    this.#emit = emit;
    switch (input.kind) {
      case 'boot':
        this.#onBoot(input.wall, input.carrier);
        break;
      case 'frame':
        this.#ip.send({ kind: 'frame', interface: input.nic, bytes: input.bytes });
        break;
      case 'carrier':
        this.#ip.send({ kind: 'carrier', interface: input.nic, isUp: input.isUp });
        break;
      case 'io-done':
        this.#system.disks.onDone(input.tag, input.status, input.sense, input.data);
        break;
      case 'command':
        this.#onCommand(input.id, input.command);
        break;
      case 'clock-step':
        this.#system.stepClock(input.offset);
        this.#stack.clockStep(input.offset);
        break;
      case 'program-fault':
        this.#system.faults.set(input.fault);
        break;
      case 'power-switched':
        this.#onPowerSwitched(input.id, input.reply);
        break;
      case 'wake':
        this.#onWake();
        break;
    }
    this.#iscsi.settle();
    this.#countTasks();
  }

  deadline(): Nanos {
    if (this.#hasHalted) return Infinity;
    return Math.min(this.#ip.deadline(), this.#iscsi.deadline(), this.#system.deadline(), this.#stack.deadline());
  }

  inspect(): unknown {
    return {
      name: this.#config.name,
      processes: this.#system.processes().length,
      iscsi: this.#iscsi.inspect(),
      ...this.#stack.inspect(),
    };
  }

  #onBoot(wall: WallTime, carrier: readonly boolean[]): void {
    this.#system.boot(this.#now, wall);
    this.#log('info', 'kernel', `Linux version ${KERNEL_RELEASE}`);
    carrier.forEach((isUp, nic) => {
      this.#ip.send({ kind: 'carrier', interface: nic, isUp });
    });
    this.#system.spawn(['/etc/rc.d/rc', '3'], {}, 1);
  }

  #onWake(): void {
    this.#ip.wakeIfDue(this.#now);
    this.#iscsi.wakeIfDue(this.#now);
    this.#stack.wakeIfDue(this.#now);
    if (this.#system.deadline() <= this.#now) this.#system.wake();
  }

  #onCommand(id: number, command: string): void {
    const { directory } = this.#console;
    this.#system.runProgram(this.#console.run(command), ['-bash'], { directory }, 1, (result) =>
      this.#out({ kind: 'reply', id, result }),
    );
  }

  readonly #onIp = (output: IpOutput): void => {
    switch (output.kind) {
      case 'frame':
        this.#out(output);
        break;
      case 'udp-received':
        this.#stack.datagram(output.port, output.bytes);
        break;
      case 'tcp-accepted':
        if (!this.#system.sockets.onAccepted(output.id, output.port)) this.#stack.accepted(output.id, output.from);
        break;
      case 'tcp-connected':
        this.#ownerOf(output.id).onConnected(output.id);
        break;
      case 'tcp-received':
        this.#ownerOf(output.id).onReceived(output.id, output.bytes);
        break;
      case 'tcp-closed':
        this.#ownerOf(output.id).onClosed(output.id);
        break;
      case 'tcp-failed':
        this.#ownerOf(output.id).onFailed(output.id, output.errno);
        break;
      case 'echo-replied':
        this.#system.onEchoEnded(output.id, output.roundTrip);
        break;
      case 'echo-failed':
        this.#system.onEchoEnded(output.id, output.errno);
        break;
    }
  };

  /** Whose a connection is: a process's, a session's of the initiator, or else the stack's. */
  #ownerOf(connection: number): ConnectionOwner {
    if (this.#system.sockets.owns(connection)) return this.#system.sockets;
    return this.#iscsi.owns(connection) ? this.#iscsi : this.#stack;
  }

  /** Calls that the operating system itself does not answer. */
  #serve(task: TaskId, call: SystemCall): unknown {
    if (call.call === 'daemon' && call.daemon === 'power') {
      this.#lastSwitchRequest += 1;
      this.#switchRequests.set(this.#lastSwitchRequest, task);
      this.#out({ kind: 'switch-power', id: this.#lastSwitchRequest, request: call.request });
      return PENDING;
    }
    if (call.call === 'daemon' && call.daemon === 'iscsid') return this.#iscsi.serve(task, call.request as IscsidCall);
    return this.#stack.serve(task, call);
  }

  #onPowerSwitched(id: number, reply: unknown): void {
    const task = this.#switchRequests.get(id);
    this.#switchRequests.delete(id);
    if (task !== undefined) this.#system.reply(task, reply);
  }

  #interfaces(): readonly InterfaceInfo[] {
    return this.#ipMachine.interfaces();
  }

  #newConnection(): number {
    this.#lastConnection += 1;
    return this.#lastConnection;
  }

  #log(priority: LogPriority, tag: string, text: string): void {
    const wallSec = this.#system.wall().sec;
    this.#out({ kind: 'log', priority, tag, text, wallSec });
    this.#systemLog.write(priority, tag, text, wallSec, this.#stack.logging);
  }

  #halt(how: 'poweroff' | 'reboot'): void {
    if (this.#hasHalted) return;
    this.#hasHalted = true;
    this.#emit({ kind: 'halt', how });
  }

  #countTasks(): void {
    const count = this.#system.tasks;
    if (count <= this.#mostTasks) return;
    this.#mostTasks = count;
    this.#config.observe?.({ kind: 'node.timers', now: this.#now, component: 'programs', count } as NodeFact);
  }

  /** Whatever a step that has halted the machine still says is not heard. */
  #out(output: NodeOutput): void {
    if (!this.#hasHalted) this.#emit(output);
  }
}

export type NodeFact =
  | NodeIscsiFact
  | (Fact &
      (
        | {
            /** More tasks and timers of programs at once than ever before in this life. */
            readonly kind: 'node.timers';
            readonly component: 'programs';
            readonly count: number;
          }
        | {
            /** More commands are at the disks than ever before in this life, by powers of two from 16 on. */
            readonly kind: 'node.queue';
            readonly queue: 'disk commands';
            readonly size: number;
          }
        | {
            /** SIGKILL has ended corosync, and everybody who was connected to it sees it go. */
            readonly kind: 'node.corosync-killed';
          }
      ));
