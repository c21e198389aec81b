import { type Nanos, SECOND, type Stamped } from '@quorate/kernel';
import type { Progress } from '@quorate/lab';
import pc from 'picocolors';
import type { View } from './view.js';

function stamp(at: Nanos): string {
  return `${(at / SECOND).toFixed(1).padStart(7)} s`;
}

/** A line for each thing that happened: for pipes, logs and small terminals. */
export class PlainView implements View {
  readonly #print: (line: string) => void;

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

  fact(_fact: Stamped): void {}

  lost(slices: number): void {
    this.#print(`the clock waited for a busy machine: ${slices} slices lost so far`);
  }

  end(): void {}
}
