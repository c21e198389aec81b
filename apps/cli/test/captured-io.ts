import { Readable, Writable } from 'node:stream';
import type { CommandIo, TextStream } from '../src/command-io.js';

/** Keeps what is written to it; `terminal` makes it one of that size. */
export class CapturedStream extends Writable implements TextStream {
  readonly isTTY: boolean;
  columns?: number;
  rows?: number;
  readonly #pieces: string[] = [];

  constructor(terminal?: { readonly columns: number; readonly rows: number }) {
    super({ decodeStrings: false });
    this.isTTY = terminal !== undefined;
    if (terminal !== undefined) {
      this.columns = terminal.columns;
      this.rows = terminal.rows;
    }
  }

  override _write(text: string | Buffer, _encoding: string, done: () => void): void {
    this.#pieces.push(text.toString());
    done();
  }

  /** Each write as one text, oldest first. */
  get pieces(): readonly string[] {
    return this.#pieces;
  }

  get text(): string {
    return this.#pieces.join('');
  }
}

export interface CapturedIo extends CommandIo {
  readonly stdout: CapturedStream;
  readonly stderr: CapturedStream;
}

/** A process whose output is no terminal. `untilSignal`: until it is to end, by default for ever. */
export function capturedIo(env: CommandIo['env'] = {}, untilSignal: Promise<void> = new Promise(() => {})): CapturedIo {
  const stdin = Readable.from([]);
  return { stdin, stdout: new CapturedStream(), stderr: new CapturedStream(), env, untilSignal: () => untilSignal };
}
