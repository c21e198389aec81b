/**
 * A file as images need it: bytes by offset, in the host's file system or in memory.
 *
 * Calls are synchronous and throw `StoreError` for what the host refuses (no space, input or output error).
 */
export interface ByteFile {
  /** In bytes. */
  readonly size: number;
  readonly isReadOnly: boolean;
  /** Fills `into` from `offset` on. What lies beyond the end reads as zero. */
  read(offset: number, into: Uint8Array): void;
  /** Writes all of `bytes`, and extends the file where they end beyond it. */
  write(offset: number, bytes: Uint8Array): void;
  /** Cuts the file, or extends it by zeros. */
  resize(size: number): void;
  /** Makes what was written durable. */
  flush(): void;
}
