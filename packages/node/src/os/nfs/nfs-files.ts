import { type Errno, type FileInfo, isErrno, type MountInfo, type Os, SECOND, type Task } from '@quorate/kernel';
import { askServer, type NfsReply, type NfsRequest } from './nfs-request.js';

/** Between two attempts to reach a server. */
const RETRY = 5 * SECOND;
/** A soft mount gives up after so many (`retrans`). */
const SOFT_ATTEMPTS = 3;

/** Types of file systems that another host serves. */
export function isNfs({ type }: Pick<MountInfo, 'type'>): boolean {
  return type === 'nfs' || type === 'nfs4';
}

/**
 * The client of NFS for one process: each operation asks the server anew, so it goes on where the server's address has moved to.
 *
 * A hard mount asks until somebody answers; a soft one gives up with EIO.
 */
export class NfsFiles {
  readonly #os: Os;
  readonly #mount: MountInfo;

  constructor(os: Os, mount: MountInfo) {
    this.#os = os;
    this.#mount = mount;
  }

  /** Why the server does not let this machine have it; undefined if it does. */
  *mount(): Task<Errno | undefined> {
    const found = yield* this.#value<FileInfo | Errno>({ kind: 'mount', path: '/' });
    if (isErrno(found)) return found;
    return found.type === 'directory' ? undefined : 'ENOTDIR';
  }

  *readFile(path: string): Task<Uint8Array | Errno> {
    const answer = yield* this.#ask({ kind: 'read', path });
    return isErrno(answer) ? answer : (answer.reply.errno ?? answer.bytes);
  }

  writeFile(path: string, bytes: Uint8Array, append: boolean): Task<number | Errno> {
    return this.#value({ kind: append ? 'append' : 'write', path }, bytes);
  }

  sync(path: string): Task<Errno | undefined> {
    return this.#value({ kind: 'sync', path });
  }

  remove(path: string): Task<Errno | undefined> {
    return this.#value({ kind: 'remove', path });
  }

  rename(path: string, to: string): Task<Errno | undefined> {
    return this.#value({ kind: 'rename', path, to: this.#served(to) });
  }

  makeDirectory(path: string): Task<Errno | undefined> {
    return this.#value({ kind: 'mkdir', path });
  }

  removeDirectory(path: string): Task<Errno | undefined> {
    return this.#value({ kind: 'rmdir', path });
  }

  list(path: string): Task<readonly string[] | Errno> {
    return this.#value({ kind: 'list', path });
  }

  stat(path: string): Task<FileInfo | Errno> {
    return this.#value({ kind: 'stat', path });
  }

  *#value<Value>(request: Omit<NfsRequest, 'host'>, bytes?: Uint8Array): Task<Value> {
    const answer = yield* this.#ask(request, bytes);
    return (isErrno(answer) ? answer : (answer.reply.errno ?? answer.reply.value)) as Value;
  }

  /** Path on the server. */
  #served(path: string): string {
    const [, , directory = ''] = /^([^:]+):(.*)$/.exec(this.#mount.device) ?? [];
    return `${directory.replace(/\/$/, '')}${path}`.replace(/(?<=.)\/$/, '');
  }

  *#ask(
    { path, ...request }: Omit<NfsRequest, 'host'>,
    bytes?: Uint8Array,
  ): Task<{ readonly reply: NfsReply; readonly bytes: Uint8Array } | Errno> {
    const os = this.#os;
    const options = this.#mount.options.split(',');
    const address = options.find((option) => option.startsWith('addr='))?.slice('addr='.length) ?? '';
    for (let attempt = 1; ; attempt++) {
      const answer = yield* askServer(os, address, { ...request, host: os.hostname, path: this.#served(path) }, bytes);
      if (!isErrno(answer)) return answer;
      if (answer === 'EINVAL') return 'EINVAL';
      if (options.includes('soft') && attempt === SOFT_ATTEMPTS) return 'EIO';
      yield* os.sleep(RETRY);
    }
  }
}
