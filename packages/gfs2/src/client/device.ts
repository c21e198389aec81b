/** A disk that a client has to itself. Offsets and lengths are in bytes, and whole blocks of the file system. */
export interface ClientDevice {
  readonly sizeBytes: number;
  read(byteOffset: number, length: number): Promise<Uint8Array>;
  /** The bytes are lent until the promise settles. */
  write(byteOffset: number, bytes: Uint8Array): Promise<void>;
  /** Everything written before survives a power cut. */
  flush(): Promise<void>;
  /** What is there is of no use any more. Without it nothing can be trimmed. */
  discard?(byteOffset: number, length: number): Promise<void>;
}
