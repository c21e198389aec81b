import { Encoder } from '@msgpack/msgpack';
import { ByteWriter, murmur3, type Nanos } from '@quorate/kernel';

/** What a machine was given, and what it made of it, since it was last asked; each MessagePack, in buffers of their own. */
export interface RecordPiece {
  /** Documents `[at, input]`. */
  readonly inputs: ArrayBuffer;
  /** Documents `[at, kind, size, digest]`. */
  readonly outputs: ArrayBuffer;
}

/** An output as a recording keeps it. */
export interface OutputMark {
  readonly at: Nanos;
  readonly kind: string;
  /** Bytes of the output as a MessagePack document. */
  readonly size: number;
  /** Over this output and all before it: where two runs first differ here, they first differ. */
  readonly digest: number;
}

/** Something with a name that a machine takes or emits; plain data. */
interface Named {
  readonly kind: string;
}

/** The running digest over a machine's outputs. */
export class OutputDigest {
  // Sorted, so that outputs that are equal have equal bytes however they were built.
  readonly #encoder = new Encoder({ ignoreUndefined: true, sortKeys: true });
  #digest = 0;

  mark(at: Nanos, output: Named): OutputMark {
    const bytes = this.#encoder.encodeSharedRef(output);
    this.#digest = murmur3(bytes, this.#digest);
    return { at, kind: output.kind, size: bytes.length, digest: this.#digest };
  }
}

/** Writes down what a machine is stepped with and what it emits. */
export class MachineRecorder {
  readonly #encoder = new Encoder({ ignoreUndefined: true });
  readonly #digest = new OutputDigest();
  readonly #inputs = new ByteWriter(false);
  readonly #outputs = new ByteWriter(false);

  input(at: Nanos, input: Named): void {
    this.#inputs.raw(this.#encoder.encodeSharedRef([at, input]));
  }

  output(at: Nanos, output: Named): void {
    const { kind, size, digest } = this.#digest.mark(at, output);
    this.#outputs.raw(this.#encoder.encodeSharedRef([at, kind, size, digest]));
  }

  /** Undefined when there was nothing. */
  take(): RecordPiece | undefined {
    if (this.#inputs.length === 0) return undefined;
    const piece = { inputs: bufferOf(this.#inputs), outputs: bufferOf(this.#outputs) };
    this.#inputs.reset();
    this.#outputs.reset();
    return piece;
  }
}

function bufferOf(writer: ByteWriter): ArrayBuffer {
  return writer.bytes().slice().buffer;
}
