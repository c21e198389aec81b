/** A program in an engine: it keeps its state from one call to the next, and knows nothing but the bytes that it is given. */
export interface Engine {
  /** With version. */
  readonly name: string;
  /** Hands the request to the program's `main`. Rejects with the message of what it throws. */
  call(request: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}
