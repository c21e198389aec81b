import { TraceError, TraceFile } from '@quorate/trace';
import { readBytes } from './options.js';
import { UsageError } from './usage-error.js';

/** Reads a trace and does something with it. @throws {UsageError} when the file is none, or a broken one */
export async function withTrace<T>(path: string, use: (trace: TraceFile) => T | Promise<T>): Promise<T> {
  try {
    return await use(new TraceFile(readBytes(path)));
  } catch (error) {
    if (error instanceof TraceError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
}
