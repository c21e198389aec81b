import { type Nanos, SECOND, type Seed, type Violation } from '@quorate/kernel';
import {
  hypervBlogTopology,
  LAST_INSTANT,
  type LabCommand,
  type StoryResult,
  stackInvariants,
  type Topology,
} from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { type WorkerLike, WorkersLab, type WorkersResult } from '@quorate/workers';
import { openEnded, type RunMode } from './open-ended.js';
import { RunPicture } from './run-picture.js';

/** `starting`: workers load and disks are formatted; `held`: cluster time stands; `over`: the workers are gone. */
export type RunState = 'idle' | 'starting' | 'running' | 'held' | 'over';

export interface StartOptions {
  readonly mode: RunMode;
  readonly seed: Seed;
  /** Cluster seconds per second, at most. */
  readonly speed: number;
}

/** A slice of cluster time: 5 ms of the wall at the highest speed, as timers of browsers come no more often than every 4. */
const SLICE: Nanos = SECOND / 10;
/** Violations that are kept for the page. */
const MOST_VIOLATIONS = 20;

/** Which cables of which machines a user has pulled. */
export type Cable = 'network' | 'disks';

/**
 * The lab as its user has it in hand: one run after another, each in web workers of its own.
 *
 * `changed` is called whenever there may be something new to show, often many times between two frames.
 */
export class LabRun {
  readonly topology: Topology = hypervBlogTopology(administratorsPrograms);
  readonly names: readonly string[] = this.topology.machines.map(({ name }) => name);
  readonly rules: number = stackInvariants.length;
  readonly #spawn: (name: string) => WorkerLike;
  readonly #changed: () => void;
  #lab: WorkersLab | undefined;
  #pulled = new Set<string>();
  /** What power switches were set to, until the machine is so. */
  readonly #asked = new Map<string, boolean>();
  picture: RunPicture;
  state: RunState = 'idle';
  mode: RunMode = 'story';
  /** What the walk-through found, once it has ended. */
  story: StoryResult | undefined;
  /** Why the last run is over; empty when its user ended it. */
  trouble = '';

  constructor(spawn: (name: string) => WorkerLike, changed: () => void) {
    this.#spawn = spawn;
    this.#changed = changed;
    this.picture = new RunPicture(this.names, changed);
  }

  get isRunning(): boolean {
    return this.state === 'running' || this.state === 'held';
  }

  /** Cluster time up to which everything has been heard. */
  get now(): Nanos {
    return this.#lab?.now() ?? 0;
  }

  /** Steps of all machines, network and disks. */
  get events(): number {
    return this.#lab?.eventCount ?? 0;
  }

  /** The first violations of the run. */
  get violations(): readonly Violation[] {
    return this.#lab?.checker.violations.slice(0, MOST_VIOLATIONS) ?? [];
  }

  isPulled(cable: Cable, machine: string): boolean {
    return this.#pulled.has(`${cable} ${machine}`);
  }

  /** Starts a run; nothing happens while another one goes on. */
  start({ mode, seed, speed }: StartOptions): void {
    if (this.state !== 'idle' && this.state !== 'over') return;
    this.picture = new RunPicture(this.names, () => this.#onHeard());
    this.mode = mode;
    this.story = undefined;
    this.trouble = '';
    this.#pulled = new Set();
    this.#asked.clear();
    this.state = 'starting';
    const lab = new WorkersLab({
      scenario: openEnded(mode, this.topology, (result) => this.#onStory(result)),
      topologyName: 'hyperv-blog',
      topology: this.topology,
      seed,
      speed,
      invariants: stackInvariants,
      keepGoing: true,
      spawn: this.#spawn,
      watcher: this.picture,
      watchedKinds: this.picture.kinds,
      sliceMs: SLICE / (speed * 1_000_000),
      maxTime: LAST_INSTANT,
    });
    this.#lab = lab;
    void lab.run().then((result) => this.#onOver(result));
    this.#changed();
  }

  /** Ends the run and its workers. What it came to stays on the page. */
  stop(): void {
    this.#lab?.stop();
  }

  setSpeed(speed: number): void {
    if (this.state !== 'over') this.#lab?.setSpeed(speed);
  }

  hold(): void {
    if (this.state !== 'running') return;
    this.#lab?.hold();
    this.state = 'held';
    this.#changed();
  }

  release(): void {
    if (this.state !== 'held') return;
    this.#lab?.release();
    this.state = 'running';
    this.#changed();
  }

  /** Whether a machine's power switch is on: as it was set, even before the machine has noticed, else as the machine is. */
  hasPower(machine: string): boolean {
    const { power } = this.picture.cluster.machines.get(this.names.indexOf(machine) + 1)!;
    const isOn = power !== 'off';
    const asked = this.#asked.get(machine);
    if (asked === isOn) this.#asked.delete(machine);
    return asked ?? isOn;
  }

  setPower(machine: string, isOn: boolean): void {
    if (this.isRunning) this.#asked.set(machine, isOn);
    this.#command({ kind: isOn ? 'power-on' : 'power-off', machine });
  }

  setPaused(machine: string, isPaused: boolean): void {
    this.#command({ kind: isPaused ? 'pause' : 'resume', machine });
  }

  /** Pulls a cable, or puts it back. */
  setCable(cable: Cable, machine: string, isUp: boolean): void {
    const key = `${cable} ${machine}`;
    if (isUp) this.#pulled.delete(key);
    else this.#pulled.add(key);
    this.#command({ kind: cable === 'network' ? 'link' : 'disk-path', machine, isUp });
  }

  /** Types a command on a machine; it and what it prints come into the journal. */
  async type(machine: string, command: string): Promise<void> {
    const { journal } = this.picture;
    const line = { machine, tone: 'plain' } as const;
    journal.add({ ...line, at: this.now, kind: 'typed', text: command });
    this.#changed();
    const done = this.isRunning ? await this.#lab?.exec(machine, command) : undefined;
    const { text, isBad } =
      done === undefined
        ? { text: `${machine} does not answer: it is not up`, isBad: true }
        : { text: `${done.output}${done.errors}`.trimEnd(), isBad: done.status !== 0 };
    for (const printed of text === '' ? [] : text.split('\n')) {
      journal.add({ ...line, at: this.now, kind: 'printed', text: printed, tone: isBad ? 'bad' : 'plain' });
    }
    this.#changed();
  }

  /** What a machine prints, and nobody is shown; empty when it does not answer. */
  async ask(machine: string, command: string): Promise<string> {
    const done = this.isRunning ? await this.#lab?.exec(machine, command) : undefined;
    return done?.output ?? '';
  }

  #command(command: LabCommand): void {
    if (!this.isRunning) return;
    this.#lab?.command(command);
    this.#changed();
  }

  #onHeard(): void {
    if (this.state === 'starting') this.state = 'running';
    this.#changed();
  }

  #onStory(result: StoryResult): void {
    this.story = result;
    this.picture.journal.add({
      at: this.now,
      kind: 'event',
      machine: '',
      text: result.ok
        ? 'the story holds; the cluster is yours'
        : `the story does not hold: ${result.failures.map(({ step, observed }) => `${step}: ${observed.text}`).join('; ')}`,
      tone: result.ok ? 'good' : 'bad',
    });
    this.#changed();
  }

  #onOver({ reason, exception, gone }: WorkersResult): void {
    this.state = 'over';
    if (gone !== undefined) this.trouble = `worker ${gone.worker} ${gone.reason}: ${gone.message}`;
    else if (reason !== 'stopped') this.trouble = exception ?? reason;
    this.#changed();
  }
}
