import {
  type Fact,
  type Machine,
  type Nanos,
  type NodeStateFact,
  type PowerState,
  type ProgramResult,
  SECOND,
  type Stamp,
  WallClock,
  type WallTime,
} from '@quorate/kernel';
import { ClusterNode, type NodeConfig, type NodeOutput, type ProgramFault } from '@quorate/node';
import { RootDisk } from './root-disk.js';

export type VirtualMachineInput =
  | { readonly kind: 'power-on' }
  | { readonly kind: 'power-off' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'frame'; readonly nic: number; readonly bytes: Uint8Array }
  /** The cable of a NIC was pulled or put back. */
  | { readonly kind: 'carrier'; readonly nic: number; readonly isUp: boolean }
  | {
      readonly kind: 'io-done';
      readonly tag: number;
      readonly status: number;
      readonly sense: Uint8Array;
      readonly data: Uint8Array;
    }
  /** The cable to the shared disks was pulled or put back. */
  | { readonly kind: 'disk-path'; readonly isUp: boolean }
  /** Its wall clock jumps. */
  | { readonly kind: 'clock-step'; readonly offset: Nanos }
  /** From now on, over all lives, a program on it goes wrong. */
  | { readonly kind: 'program-fault'; readonly fault: ProgramFault }
  /** The power switch has answered. */
  | { readonly kind: 'power-switched'; readonly id: number; readonly reply: unknown }
  /** Typed on its console. */
  | { readonly kind: 'exec'; readonly id: number; readonly command: string }
  | { readonly kind: 'wake' };

/** A session with the disks begins, breaks with the path, which both ends notice, or is lost with the machine's power. */
export type SessionState = 'begun' | 'broken' | 'lost';

export type VirtualMachineOutput =
  | { readonly kind: 'frame'; readonly nic: number; readonly bytes: Uint8Array }
  | {
      readonly kind: 'io';
      readonly tag: number;
      readonly lun: number;
      readonly cdb: Uint8Array;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'power'; readonly state: PowerState; readonly life: number }
  /** One of its NICs has a link now, or none: there is power and the cable is plugged in. */
  | { readonly kind: 'link'; readonly nic: number; readonly isUp: boolean }
  | { readonly kind: 'session'; readonly state: SessionState }
  /** Without a result the machine went down, or was not up. */
  | { readonly kind: 'replied'; readonly id: number; readonly result: ProgramResult | undefined }
  /** Asked of the power switch by a fence agent on this machine. */
  | { readonly kind: 'switch-power'; readonly id: number; readonly request: unknown }
  | {
      readonly kind: 'log';
      readonly priority: string;
      readonly tag: string;
      readonly text: string;
      readonly wallSec: number;
    };

/** A fact with everything but the driver's own time. */
export type MachineFact = Fact & Omit<Stamp, 'at'>;

export interface VirtualMachineConfig {
  /** Everything of a node but what changes with each of its lives. */
  readonly node: Omit<NodeConfig, 'life' | 'files' | 'observe'>;
  /** Files of its root disk before its first boot. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** From power on or reset to the first process; 30 s unless told. */
  readonly bootDelay?: Nanos;
  /** Wall time at the driver's start. */
  readonly wall: WallTime;
  readonly observe?: (fact: MachineFact) => void;
}

const BOOT_DELAY: Nanos = 30 * SECOND;
/** What a NIC keeps while its machine is paused, in bytes: a default receive buffer. */
const PAUSED_FRAME_BYTES = 212_992;

type Kept = Extract<
  VirtualMachineInput,
  { kind: 'frame' | 'io-done' | 'exec' | 'carrier' | 'power-switched' | 'clock-step' | 'program-fault' }
>;

const NO_BYTES = new Uint8Array(0);
/** Status of a command that did not reach the disk. */
const NO_TRANSPORT = -1;

/**
 * One machine with power: it boots a new life of its node, keeps its root disk over lives, and stands still when paused.
 *
 * While it is paused, frames are kept up to the size of a receive buffer and dropped above it, completions of the disk
 * wait, and at `resume` all that comes in its old order before the timers that are late.
 */
export class VirtualMachine implements Machine<VirtualMachineInput, VirtualMachineOutput> {
  readonly #config: VirtualMachineConfig;
  readonly #disk: RootDisk;
  readonly #carrier: boolean[];
  /** It runs on while the power is off. */
  readonly #wallClock = new WallClock();
  #hasDiskPath = true;
  /** Tags of the commands at the disks. */
  readonly #atDisk = new Set<number>();
  /** Tags of commands that found no way to the disks and have not been told so. */
  #lost: number[] = [];
  #state: PowerState = 'off';
  #life = 0;
  #factSeq = 0;
  #node: ClusterNode | undefined;
  #bootAt: Nanos = Infinity;
  #halted: 'poweroff' | 'reboot' | undefined;
  /** By the program's name; those whose runs are used up in one life come back in the next. */
  readonly #programFaults = new Map<string, ProgramFault>();
  #kept: Kept[] = [];
  #keptBytes = 0;
  readonly #execs = new Set<number>();
  #now: Nanos = 0;
  #emit: (output: VirtualMachineOutput) => void = () => {};

  constructor(config: VirtualMachineConfig) {
    this.#config = config;
    this.#wallClock.set(0, config.wall);
    this.#disk = new RootDisk(config.files);
    this.#carrier = config.node.interfaces.map(() => true);
  }

  get state(): PowerState {
    return this.#state;
  }

  /** The life that runs or ran last; 0 before the first boot. */
  get life(): number {
    return this.#life;
  }

  step(now: Nanos, input: VirtualMachineInput, emit: (output: VirtualMachineOutput) => void): void {
    this.#now = now;
    this.#emit = emit;
    switch (input.kind) {
      case 'power-on':
        if (this.#state === 'off') this.#beginBoot();
        break;
      case 'power-off':
        if (this.#state !== 'off') this.#end('off');
        break;
      case 'pause':
        if (this.#state === 'up') this.#enter('paused');
        break;
      case 'resume':
        if (this.#state === 'paused') this.#resume();
        break;
      case 'wake':
        this.#onWake();
        break;
      case 'disk-path':
        this.#onDiskPath(input.isUp);
        break;
      default:
        this.#onDevice(input);
    }
    this.#tellLost();
    if (this.#halted !== undefined) this.#onHalted(this.#halted);
  }

  deadline(): Nanos {
    if (this.#state === 'booting') return this.#bootAt;
    return this.#state === 'up' && this.#node !== undefined ? this.#node.deadline() : Infinity;
  }

  inspect(): unknown {
    return { state: this.#state, life: this.#life, node: this.#node?.inspect() };
  }

  #onDevice(input: Kept): void {
    if (input.kind === 'carrier') this.#onCarrier(input.nic, input.isUp);
    if (input.kind === 'clock-step') this.#wallClock.step(input.offset);
    if (input.kind === 'program-fault') this.#programFaults.set(input.fault.program, input.fault);
    if (input.kind === 'io-done' && !this.#atDisk.delete(input.tag)) return;
    if (this.#state === 'up') return this.#toNode(input);
    if (this.#state === 'paused') return this.#keep(input);
    if (input.kind === 'exec') this.#emit({ kind: 'replied', id: input.id, result: undefined });
  }

  #toNode(input: Kept): void {
    if (input.kind === 'exec') this.#execs.add(input.id);
    this.#node?.step(this.#now, input.kind === 'exec' ? { ...input, kind: 'command' } : input, this.#onNode);
  }

  #onCarrier(nic: number, isUp: boolean): void {
    this.#carrier[nic] = isUp;
    if (this.#node !== undefined) this.#emit({ kind: 'link', nic, isUp });
  }

  /** NICs get power with the machine's first process: nobody answers for it before that. */
  #setLinks(isUp: boolean): void {
    this.#carrier.forEach((hasCarrier, nic) => {
      if (hasCarrier) this.#emit({ kind: 'link', nic, isUp });
    });
  }

  #onDiskPath(isUp: boolean): void {
    if (this.#hasDiskPath === isUp) return;
    this.#hasDiskPath = isUp;
    if (this.#node === undefined) return;
    this.#lost.push(...this.#atDisk);
    this.#atDisk.clear();
    this.#emit({ kind: 'session', state: isUp ? 'begun' : 'broken' });
  }

  /** Ends commands that have no way to the disks; the node may send more of them at once, which end the same way. */
  #tellLost(): void {
    while (this.#lost.length > 0 && this.#state !== 'off') {
      const lost = this.#lost;
      this.#lost = [];
      for (const tag of lost) {
        const done: Kept = { kind: 'io-done', tag, status: NO_TRANSPORT, sense: NO_BYTES, data: NO_BYTES };
        if (this.#state === 'up') this.#toNode(done);
        else this.#keep(done);
      }
    }
    this.#lost = [];
  }

  #keep(input: Kept): void {
    if (input.kind === 'frame') {
      if (this.#keptBytes + input.bytes.length > PAUSED_FRAME_BYTES) return;
      this.#keptBytes += input.bytes.length;
      this.#kept.push({ ...input, bytes: input.bytes.slice() });
    } else if (input.kind === 'io-done') {
      this.#kept.push({ ...input, sense: input.sense.slice(), data: input.data.slice() });
    } else this.#kept.push(input);
  }

  #resume(): void {
    this.#enter('up');
    const kept = this.#kept;
    this.#kept = [];
    this.#keptBytes = 0;
    for (const input of kept) {
      if (this.#halted === undefined) this.#toNode(input);
    }
    this.#onWake();
  }

  #beginBoot(): void {
    this.#life += 1;
    this.#bootAt = this.#now + (this.#config.bootDelay ?? BOOT_DELAY);
    this.#enter('booting');
  }

  #onWake(): void {
    if (this.#state === 'booting' && this.#now >= this.#bootAt) this.#boot();
    else if (this.#state === 'up' && this.#node !== undefined && this.#node.deadline() <= this.#now) {
      this.#node.step(this.#now, { kind: 'wake' }, this.#onNode);
    }
  }

  #boot(): void {
    this.#bootAt = Infinity;
    const life = this.#life;
    const { observe } = this.#config;
    this.#node = new ClusterNode({
      ...this.#config.node,
      life,
      files: this.#disk.contents(),
      ...(observe && { observe: (fact: Fact) => this.#stamp(fact) }),
    });
    this.#enter('up');
    this.#setLinks(true);
    if (this.#hasDiskPath) this.#emit({ kind: 'session', state: 'begun' });
    for (const fault of this.#programFaults.values()) this.#toNode({ kind: 'program-fault', fault });
    this.#node.step(
      this.#now,
      { kind: 'boot', wall: this.#wallClock.at(this.#now), carrier: this.#carrier },
      this.#onNode,
    );
  }

  readonly #onNode = (output: NodeOutput): void => {
    switch (output.kind) {
      case 'frame':
        this.#emit({ kind: 'frame', nic: output.interface, bytes: output.bytes });
        break;
      case 'io':
        if (this.#hasDiskPath) {
          this.#atDisk.add(output.tag);
          this.#emit(output);
        } else this.#lost.push(output.tag);
        break;
      case 'log':
        this.#emit(output);
        break;
      case 'reply':
        this.#execs.delete(output.id);
        this.#emit({ kind: 'replied', id: output.id, result: output.result });
        break;
      case 'persist':
        this.#disk.change(output.change);
        break;
      case 'switch-power':
        this.#emit(output);
        break;
      case 'halt':
        this.#halted ??= output.how;
        break;
    }
  };

  #onHalted(how: 'poweroff' | 'reboot'): void {
    this.#halted = undefined;
    if (this.#state === 'off') return;
    this.#end('off');
    if (how === 'reboot') this.#beginBoot();
  }

  #end(state: 'off'): void {
    if (this.#node !== undefined) {
      this.#setLinks(false);
      if (this.#hasDiskPath) this.#emit({ kind: 'session', state: 'lost' });
    }
    this.#node = undefined;
    this.#atDisk.clear();
    this.#lost = [];
    this.#bootAt = Infinity;
    this.#kept = [];
    this.#keptBytes = 0;
    this.#enter(state);
    const execs = [...this.#execs];
    this.#execs.clear();
    for (const id of execs) this.#emit({ kind: 'replied', id, result: undefined });
  }

  #enter(state: PowerState): void {
    this.#state = state;
    const fact: NodeStateFact = { kind: 'node.state', now: this.#now, state };
    this.#stamp(fact);
    this.#emit({ kind: 'power', state, life: this.#life });
  }

  #stamp(fact: Fact): void {
    const { observe } = this.#config;
    if (observe === undefined) return;
    this.#factSeq += 1;
    // A fact is its observer's, who may write the stamp into it: nothing is copied.
    const stamped = fact as { -readonly [K in keyof MachineFact]: MachineFact[K] };
    stamped.node = this.#config.node.id;
    stamped.life = this.#life;
    stamped.seq = this.#factSeq;
    observe(stamped);
  }
}
