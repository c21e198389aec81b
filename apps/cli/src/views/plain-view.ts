import { type Nanos, SECOND, type Stamped } from '@quorate/kernel';
import type { Progress } from '@quorate/lab';
import { ServiceState } from '@quorate/rgmanager';
import pc from 'picocolors';
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

  #owner = 0;
  #toldLost = 0;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  progress(at: Nanos, progress: Progress): void {
    switch (progress.kind) {
      case 'step-began':
        this.#print(`${stamp(at)}  ${pc.bold(`[${progress.number}/${progress.of}] ${progress.title}`)}`);
        break;
      case 'observed': {
        const { text, isTrue, found } = progress.observed;
        this.#print(`${stamp(at)}    ${isTrue ? pc.green('ok') : pc.red('NOT')} ${text}${isTrue ? '' : `: ${found}`}`);
        break;
      }
      case 'step-ended':
        break;
    }
  }

  fact(fact: Stamped): void {
    const any = fact as Stamped & Readonly<Record<string, unknown>>;
    switch (fact.kind) {
      case 'node.state':
        this.#print(`${stamp(fact.at)}    ${pc.dim(`my-vm${fact.node} ${any.state}`)}`);
        break;
      case 'rg.service':
        if (any.state !== ServiceState.STARTED || any.owner === this.#owner) break;
        this.#owner = Number(any.owner);
        this.#print(`${stamp(fact.at)}    ${pc.dim(`the service runs on my-vm${any.owner}`)}`);
        break;
      case 'client.outage-ended': {
        const seconds = ((fact.at - Number(any.from)) / SECOND).toFixed(1);
        this.#print(
          `${stamp(fact.at)}    ${pc.dim(`the page is back after ${seconds} s and ${any.failed} failed F5`)}`,
        );
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
}
