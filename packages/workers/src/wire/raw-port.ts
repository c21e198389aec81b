import { type BatchRecord, BatchWriter, readBatch } from './batch.js';

/** One end of a raw port between two workers: what is written during a turn leaves in one message at its end. */
export class RawPort {
  readonly out: BatchWriter = new BatchWriter();
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** `take` gets every record that comes, within a `turn`, which is called once for each batch. */
  listen(take: (record: BatchRecord) => void, turn: (work: () => void) => void): void {
    this.#port.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => turn(() => readBatch(new Uint8Array(data), take));
  }

  flush(): void {
    const batch = this.out.take();
    if (batch !== undefined) this.#port.postMessage(batch, [batch]);
  }

  close(): void {
    this.#port.close();
  }
}
