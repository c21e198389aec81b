import { type Nanos, SECOND, type Stamped } from '@quorate/kernel';
import type { Progress } from '@quorate/lab';
import { ServiceState, stateText } from '@quorate/rgmanager';
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import type { View } from './view.js';

interface MachineView {
  state: string;
  isQuorate: boolean;
  mounted: boolean;
}

/** How many of the last presses of F5 are shown. */
const TICKS = 60;

const STATE_COLOURS: Readonly<Record<string, (text: string) => string>> = {
  up: pc.green,
  booting: pc.yellow,
  paused: pc.magenta,
  off: pc.dim,
};

/** The whole cluster on one screen: machines, quorum, service, the browser's last minute, and the step. */
export class LiveView implements View {
  readonly kinds = ['node.state', 'quorum.changed', 'gfs2.mounted', 'gfs2.unmounted', 'rg.service', 'client.request'];
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #machines: ReadonlyMap<number, MachineView & { readonly name: string }>;
  readonly #speed: number;
  #ticks: boolean[] = [];
  #service: number = ServiceState.STOPPED;
  #owner = 0;
  #title = 'formatting disks';
  #number = 0;
  #of = 0;
  #observed: string[] = [];
  #at: Nanos = 0;
  #lost = 0;
  #drawnAt = 0;

  constructor(stream: NodeJS.WriteStream, machines: readonly string[], speed: number) {
    this.#update = createLogUpdate(stream);
    this.#speed = speed;
    const views = machines.map((name, i): [number, MachineView & { readonly name: string }] => [
      i + 1,
      { name, state: 'off', isQuorate: false, mounted: false },
    ]);
    this.#machines = new Map(views);
  }

  progress(at: Nanos, progress: Progress): void {
    this.#at = at;
    if (progress.kind === 'step-began') {
      this.#title = progress.title;
      this.#number = progress.number;
      this.#of = progress.of;
      this.#observed = [];
    } else if (progress.kind === 'observed') {
      const { text, isTrue, found } = progress.observed;
      this.#observed.push(
        `${isTrue ? pc.green('✓') : pc.red('✗')} ${text}${isTrue ? '' : `: ${found.split('\n')[0]}`}`,
      );
    }
    this.#draw(true);
  }

  fact(fact: Stamped): void {
    this.#at = fact.at;
    const any = fact as Stamped & Readonly<Record<string, unknown>>;
    const machine = this.#machines.get(fact.node);
    switch (fact.kind) {
      case 'node.state':
        if (machine !== undefined) {
          machine.state = String(any.state);
          if (machine.state !== 'up' && machine.state !== 'paused') machine.isQuorate = machine.mounted = false;
        }
        break;
      case 'quorum.changed':
        if (machine !== undefined) machine.isQuorate = any.isQuorate === true;
        break;
      case 'gfs2.mounted':
      case 'gfs2.unmounted':
        if (machine !== undefined) machine.mounted = fact.kind === 'gfs2.mounted';
        break;
      case 'rg.service':
        this.#service = Number(any.state);
        this.#owner = Number(any.owner);
        break;
      case 'client.request':
        this.#ticks = [...this.#ticks, any.isAnswered === true].slice(-TICKS);
        break;
      default:
        return;
    }
    this.#draw(false);
  }

  lost(slices: number): void {
    this.#lost = slices;
  }

  end(): void {
    this.#draw(true);
    this.#update.done();
  }

  /** At most ten times a second: the terminal is the slowest part of the run. */
  #draw(isUrgent: boolean): void {
    const now = Date.now();
    if (!isUrgent && now - this.#drawnAt < 100) return;
    this.#drawnAt = now;
    this.#update(this.#lines().join('\n'));
  }

  get #isStarted(): boolean {
    return this.#service === ServiceState.STARTED;
  }

  #lines(): string[] {
    const service = stateText(this.#service);
    const clock = `${(this.#at / SECOND).toFixed(0)} s of cluster time at most ×${this.#speed}`;
    const filled = this.#of === 0 ? 0 : Math.round((this.#number / this.#of) * 20);
    const bar = `${pc.cyan('█'.repeat(filled))}${pc.dim('░'.repeat(20 - filled))}`;
    return [
      `${pc.bold('quorate story')}  ${pc.dim(clock)}${this.#lost > 0 ? pc.yellow(`  ${this.#lost} slices lost`) : ''}`,
      '',
      ...[...this.#machines].map(([id, machine]) => this.#machineLine(id, machine)),
      '',
      `  service ${pc.bold('my_service_group')} ${this.#isStarted ? pc.green(service) : pc.yellow(service)} ${this.#machines.get(this.#owner)?.name ?? 'nowhere'}`,
      `  F5      ${this.#ticks.map((isAnswered) => (isAnswered ? pc.green('▪') : pc.red('×'))).join('')}`,
      '',
      `  ${bar} ${this.#number}/${this.#of} ${pc.bold(this.#title)}`,
      ...this.#observed.slice(-8).map((line) => `    ${line}`),
    ];
  }

  #machineLine(id: number, machine: MachineView & { readonly name: string }): string {
    const colour = STATE_COLOURS[machine.state] ?? ((text: string) => text);
    const quorate = machine.isQuorate ? pc.green('quorate') : pc.dim('       ');
    const mounted = machine.mounted ? pc.cyan('/mydata') : '       ';
    const owner = this.#owner === id && this.#isStarted ? pc.bold(pc.green('◀ serves')) : '';
    return `  ${colour('●')} ${machine.name}  ${colour(machine.state.padEnd(8))} ${quorate}  ${mounted}  ${owner}`;
  }
}
