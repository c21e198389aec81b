import { type BatchRecord, BatchWriter, readBatch } from './batch.js';

/** One end of a raw port between two workers: what is written during a turn leaves in one message at its end. */
export class RawPort {
  readonly out: BatchWriter = new BatchWriter();
  readonly #port: MessagePort;

  /** `take` gets every record that comes; `turned` is called after the last one of a batch. */
  constructor(port: MessagePort, take: (record: BatchRecord) => void, turned: () => void) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
      readBatch(data, take);
      turned();
    };
  }

  flush(): void {
    const batch = this.out.take();
    if (batch !== undefined) this.#port.postMessage(batch, [batch]);
  }
}
