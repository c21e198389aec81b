import { type Errno, isErrno, type Os, strerror, type Task, utf8Text } from '@quorate/kernel';
import { sectorDevice } from '../../os/sector-device.js';
import type { Storage } from '../../os/storage.js';
import { deviceBytes } from '../device-bytes.js';
import type { Wanted } from './options.js';

/** The root file system takes what memory there is. */
const ROOT_FILE_BYTES_MAX = 64 << 20;

/** Where blocks go. */
export interface Sink {
  readonly name: string;
  write(bytes: Uint8Array): Task<Errno | undefined>;
  sync(): Task<Errno | undefined>;
  /** What a file has behind the end of the copy. */
  rest?(): Uint8Array;
}

/** Or why there is none. */
export function* sinkOf(os: Os, storage: Storage, { to, block, seek, keepsRest }: Wanted): Task<Sink | string> {
  const nothing = function* (): Task<undefined> {};
  if (to === undefined || to === '/dev/null') {
    const print = function* (bytes: Uint8Array): Task<undefined> {
      if (to === undefined) os.print(utf8Text(bytes));
    };
    return { name: to ?? 'standard output', write: print, sync: nothing };
  }
  let at = seek * block;
  const device = storage.disks.device(to);
  if (device !== undefined) {
    const target = deviceBytes(sectorDevice(device));
    return {
      name: to,
      *write(bytes) {
        const offset = at;
        at += bytes.length;
        return offset + bytes.length > target.length ? 'ENOSPC' : yield* target.write(offset, bytes);
      },
      sync: nothing,
    };
  }
  if (to.startsWith('/dev/')) return `opening \`${to}': ${strerror('ENOENT')}`;
  return yield* fileSink(os, to, at, keepsRest);
}

/** What a file has before `offset` stays, and with `keepsRest` what is behind the end of the copy too. */
function* fileSink(os: Os, path: string, offset: number, keepsRest: boolean): Task<Sink | string> {
  const found = offset > 0 || keepsRest ? yield* os.readFile(path) : 'ENOENT';
  const old = isErrno(found) ? new Uint8Array(0) : found.slice();
  const head = new Uint8Array(offset);
  head.set(old.subarray(0, offset));
  const opened = yield* os.writeFile(path, head);
  if (isErrno(opened)) return `opening \`${path}': ${strerror(opened)}`;
  const isOnRoot = isErrno(yield* os.space(path));
  let length = offset;
  return {
    name: path,
    *write(bytes) {
      if (isOnRoot && length + bytes.length > ROOT_FILE_BYTES_MAX) return 'EFBIG';
      length += bytes.length;
      const written = yield* os.writeFile(path, bytes, { append: true });
      return isErrno(written) ? written : undefined;
    },
    *sync() {
      return yield* os.sync(path);
    },
    ...(keepsRest && { rest: () => old.subarray(length) }),
  };
}
