import { type Nanos, SECOND, type Stamped } from '@quorate/kernel';
import type { AnyFact, Progress } from '@quorate/lab';
import { ServiceState } from '@quorate/rgmanager';
import type { Colours } from '../command-io.js';
import type { View } from './view.js';

function stamp(at: Nanos): string {
  return `${(at / SECOND).toFixed(1).padStart(7)} s`;
}

/** Lost slices are told in steps of that many. */
const LOST_STEP = 100;

/** A line for each thing that happened: for pipes, logs and small terminals. */
export class PlainView implements View {
  readonly kinds = ['node.state', 'rg.service', 'client.outage-ended'];
  readonly #print: (line: string) => void;
  readonly #machines: readonly string[];
  readonly #colours: Colours;
  #owner = 0;
  #toldLost = 0;

  /** `machines`: host names in the order of the node ids. */
  constructor(print: (line: string) => void, machines: readonly string[], colours: Colours) {
    this.#print = print;
    this.#machines = machines;
    this.#colours = colours;
  }

  progress(at: Nanos, progress: Progress): void {
    const { bold, green, red } = this.#colours;
    switch (progress.kind) {
      case 'step-began':
        this.#print(`${stamp(at)}  ${bold(`[${progress.number}/${progress.of}] ${progress.title}`)}`);
        break;
      case 'observed': {
        const { text, isTrue, found } = progress.observed;
        const line = isTrue ? `${green('ok')} ${text}` : `${red('NOT')} ${text}: ${found}`;
        this.#print(`${stamp(at)}    ${line.trimEnd().replace(/\s*\n\s*/g, ' | ')}`);
        break;
      }
      case 'attack-began':
        this.#print(`${stamp(at)}    ${red(progress.family)} ${progress.text}`);
        break;
      case 'attack-ended':
        this.#print(`${stamp(at)}    ${green(progress.family)} is over: ${progress.text}`);
        break;
      case 'step-ended':
        break;
    }
  }

  fact(fact: Stamped): void {
    const { node, at, ...any } = fact as AnyFact;
    switch (fact.kind) {
      case 'node.state':
        this.#tell(at, `${this.#nameOf(node)} ${any.state}`);
        break;
      case 'rg.service':
        if (any.state !== ServiceState.STARTED || any.owner === this.#owner) break;
        this.#owner = Number(any.owner);
        this.#tell(at, `the service runs on ${this.#nameOf(this.#owner)}`);
        break;
      case 'client.outage-ended': {
        const seconds = ((at - Number(any.from)) / SECOND).toFixed(1);
        this.#tell(at, `the page is back after ${seconds} s and ${any.failed} failed F5`);
        break;
      }
    }
  }

  lost(slices: number): void {
    if (slices < this.#toldLost + LOST_STEP) return;
    this.#toldLost = slices;
    this.#print(`the clock waited for a busy machine: ${slices} slices lost so far`);
  }

  end(): void {}

  #tell(at: Nanos, text: string): void {
    this.#print(`${stamp(at)}    ${this.#colours.dim(text)}`);
  }

  #nameOf(node: number): string {
    return this.#machines[node - 1] ?? `node ${node}`;
  }
}
