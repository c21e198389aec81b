import { type Errno, isErrno, type Os, strerror, type Task, utf8Bytes } from '@quorate/kernel';
import { sectorDevice } from '../../os/sector-device.js';
import type { Storage } from '../../os/storage.js';
import { deviceBytes } from '../device-bytes.js';
import type { Wanted } from './options.js';

/** The next block: shorter at the end, and empty behind it. */
export type Source = (length: number) => Task<Uint8Array | Errno>;

/** Or why there is none. */
export function* sourceOf(os: Os, storage: Storage, { from, to, block, count, skip }: Wanted): Task<Source | string> {
  if (from === '/dev/zero') {
    const isEndless = count === Number.POSITIVE_INFINITY && storage.disks.device(to ?? '') === undefined;
    if (isEndless) return '/dev/zero has no end: count= is missing';
    return function* (length) {
      return new Uint8Array(length);
    };
  }
  const device = from === undefined ? undefined : storage.disks.device(from);
  let at = skip * block;
  if (device !== undefined) {
    const bytes = deviceBytes(sectorDevice(device));
    return function* (length) {
      const read = yield* bytes.read(at, Math.min(length, bytes.length - at));
      at += length;
      return read;
    };
  }
  const whole =
    from === undefined ? utf8Bytes(os.input) : from === '/dev/null' ? new Uint8Array(0) : yield* os.readFile(from);
  if (isErrno(whole)) return `opening \`${from}': ${strerror(whole)}`;
  if (at > whole.length) return `\`${from ?? 'standard input'}': cannot skip to specified offset`;
  return function* (length) {
    at += length;
    return whole.subarray(at - length, at);
  };
}
