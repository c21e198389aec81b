/** What a formatter needs of a device. Offsets are multiples of the block size written with. */
export interface WritableDevice {
  readonly sizeBytes: number;
  /** Writes `bytes` at `byteOffset`. The bytes are lent: valid during the call only. */
  write(byteOffset: number, bytes: Uint8Array): void;
}

/** What a reader of an image needs of a device. */
export interface ReadableDevice {
  readonly sizeBytes: number;
  /** Fills all of `into` from `byteOffset` on. Never asked for bytes behind `sizeBytes`. */
  read(byteOffset: number, into: Uint8Array): void;
}
