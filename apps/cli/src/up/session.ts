import { type PowerState, SECOND, type Stamped } from '@quorate/kernel';
import type { AnyFact, LogLine, RunWatcher, Topology } from '@quorate/lab';
import { completionOf, EventNotFound, History } from '@quorate/shell';
import { UsageError } from '../usage-error.js';
import { HOST_WORDS, type HostCommand, hostHelp } from './host-commands.js';
import { PATIENCE, type RunningCluster } from './running-cluster.js';
import { goesOn, OUTSIDE, partsOf, promptOf, readLine } from './typed-line.js';

/** How long a browser waits for a page. */
const PAGE_PATIENCE = 10 * SECOND;

/** A machine that has not come up by then may never do so. */
const BOOT_PATIENCE = 300 * SECOND;

export interface SessionOptions {
  readonly machines: readonly string[];
  /** What somebody with a browser asks for. */
  readonly page: Topology['page'];
  /** Shows what a command has printed, as it is. */
  readonly show: (text: string) => void;
  /** Somebody sits at a terminal: `!!` and its like mean lines that were typed before. */
  readonly isInteractive?: boolean;
}

/** A person's or a script's stay at a cluster: lines, and the place where the next one is typed. */
export class Session {
  /** Kinds of facts that `watcher` hears. */
  static readonly kinds: readonly string[] = ['node.state'];
  readonly watcher: RunWatcher;
  readonly #options: SessionOptions;
  readonly #states: (PowerState | undefined)[] = [];
  readonly #booted = new Set<string>();
  readonly #histories = new Map<string, History>();
  #place: string;
  #toldViolations = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#place = options.machines[0] ?? OUTSIDE;
    this.watcher = { fact: (fact) => this.#onFact(fact), log: (line) => this.#onLog(line) };
  }

  /** `my-vm1# ` or `host> `. */
  get prompt(): string {
    return promptOf(this.#place);
  }

  /** Whether the next line belongs to this one. */
  goesOn(line: string): boolean {
    return goesOn(line, this.#place);
  }

  /** Waits until every machine has come up, or does not seem to. */
  async boot(cluster: RunningCluster): Promise<void> {
    const { machines, show } = this.#options;
    const late = (): readonly string[] => machines.filter((name) => !this.#booted.has(name));
    while (late().length > 0 && cluster.now() < BOOT_PATIENCE && !cluster.isOver) {
      await cluster.wait(SECOND);
    }
    if (!cluster.isOver) for (const name of late()) show(`${name} has not come up\n`);
  }

  /** Types a line; false when it was the last. Mistakes in it are shown. */
  async type(cluster: RunningCluster, line: string): Promise<boolean> {
    const { machines, show } = this.#options;
    try {
      const typed = readLine(line, this.#place, machines);
      if (typed === undefined) return true;
      this.#place = typed.place;
      if (typed.command !== undefined) return await this.#obey(cluster, typed.command);
      if (typed.text === '') return true;
      const command = this.#remember(typed.place, typed.text);
      const [, asksHistory, last] = /^(history)(?:\s+(\d+))?$/.exec(command) ?? [];
      if (asksHistory !== undefined) {
        show(this.#historyOf(typed.place).text(last === undefined ? undefined : Number(last)));
        return true;
      }
      const begunAt = cluster.now();
      const result = await cluster.exec(typed.place, command);
      if (result !== undefined) show(closed(result.output + result.errors));
      else if (cluster.now() - begunAt < PATIENCE) show(`${typed.place} is not up\n`);
      else show(`${typed.place} has not answered for ${PATIENCE / SECOND} s\n`);
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof EventNotFound)) throw error;
      show(`${error.message}\n`);
    }
    return true;
  }

  /** Says what rules were broken since the last time. */
  tellViolations(cluster: RunningCluster): void {
    const all = cluster.violations;
    for (const { invariant, message } of all.slice(this.#toldViolations)) {
      this.#options.show(`${invariant} is violated: ${message}\n`);
    }
    this.#toldViolations = all.length;
  }

  /** What could be typed, for a line that begins so; on a machine it is asked. */
  async complete(cluster: RunningCluster, line: string): Promise<readonly string[]> {
    const { machines } = this.#options;
    const places = [...machines, OUTSIDE].map(promptOf).filter((place) => place.startsWith(line));
    const { place, head, text } = partsOf(line, this.#place);
    if (place === OUTSIDE) return [...this.#hostCompletions(text).map((each) => head + each), ...places];
    if (!machines.includes(place) || (text === '' && head === '')) return places;
    const { start, command, candidates } = completionOf(text);
    const output = command === undefined ? '' : ((await cluster.exec(place, command))?.output ?? '');
    return [...candidates(output).map((each) => head + text.slice(0, start) + each), ...places];
  }

  #hostCompletions(text: string): readonly string[] {
    const last = /[^\s,]*$/.exec(text)![0];
    if (!HOST_WORDS.some((word) => text.startsWith(`${word} `)))
      return HOST_WORDS.filter((word) => word.startsWith(text));
    const { machines } = this.#options;
    const begin = text.slice(0, text.length - last.length);
    return machines.filter((name) => name.startsWith(last)).map((name) => begin + name);
  }

  /** Keeps a line that is typed on a machine, and gives what it means. */
  #remember(place: string, text: string): string {
    const history = this.#historyOf(place);
    const command = this.#options.isInteractive === true ? history.expand(text) : text;
    if (command !== text) this.#options.show(`${command}\n`);
    history.add(command);
    return command;
  }

  #historyOf(place: string): History {
    const known = this.#histories.get(place) ?? new History();
    this.#histories.set(place, known);
    return known;
  }

  async #obey(cluster: RunningCluster, command: HostCommand): Promise<boolean> {
    const { show } = this.#options;
    switch (command.kind) {
      case 'lab':
        for (const each of command.commands) cluster.command(each);
        return true;
      case 'wait':
        await cluster.wait(command.duration);
        return true;
      case 'speed':
        if (cluster.setSpeed === undefined) show('in the simulator time passes only as commands need it\n');
        else cluster.setSpeed(command.speed);
        return true;
      case 'f5': {
        const fetched = await cluster.fetch({ ...this.#options.page, timeout: PAGE_PATIENCE });
        show(closed(fetched?.body || (fetched?.outcome ?? 'the cluster is no more')));
        return true;
      }
      case 'status':
        show(this.#status(cluster));
        return true;
      case 'help':
        show(
          `NAME# COMMAND types a command on a machine; ${OUTSIDE}> begins what is done from outside:\n${hostHelp()}`,
        );
        return true;
      case 'exit':
        return false;
    }
  }

  #status(cluster: RunningCluster): string {
    const { machines } = this.#options;
    const width = Math.max(...machines.map((name) => name.length));
    const lines = machines.map((name, i) => `${name.padEnd(width)}  ${this.#states[i + 1] ?? 'off'}\n`);
    return `${(cluster.now() / SECOND).toFixed(1)} s of cluster time\n${lines.join('')}`;
  }

  #onFact(fact: Stamped): void {
    if (fact.kind !== 'node.state') return;
    this.#states[fact.node] = (fact as AnyFact).state as PowerState;
  }

  #onLog({ machine, tag, text }: LogLine): void {
    if (tag === 'rc' && text === 'runlevel 3 reached') this.#booted.add(machine);
  }
}

/** Ends with a line break, as a terminal shows it. */
function closed(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
