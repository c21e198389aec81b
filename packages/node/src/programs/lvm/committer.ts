import type { Os } from '@quorate/kernel';
import type { CommitOptions } from '@quorate/volumes';
import type { Storage } from '../../os/storage.js';

/** This machine as it signs the text of a group that it writes. */
export function committer(os: Os, { observe }: Storage): CommitOptions {
  return { host: os.hostname, time: os.wall().sec, now: () => os.now(), ...(observe && { observe }) };
}
