import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { writeQuota } from '../quota/quotas.js';
import { Refusal } from '../refusal.js';

/** Makes the records of users and groups say that they have so many blocks; limits stay. */
export function* writeQuotas(fs: FileSystem, values: ReadonlyMap<number, number>): Task {
  for (const [number, value] of values) {
    try {
      yield* writeQuota(fs, number, { value });
    } catch (error) {
      // Without room for a record it stays as it is.
      if (!(error instanceof Refusal)) throw error;
    }
  }
}
