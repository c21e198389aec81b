import { type Errno, fork, isErrno, type Os, type Program, type Socket, type Task } from '@quorate/kernel';
import { normalizePath } from '../../os/files.js';
import { NFS_PORT, type NfsRequest, receiveMessage, sendMessage } from '../../os/nfs/nfs-request.js';
import { isFor, readExports } from './exports.js';

/**
 * nfsd: serves the directories that `exportfs` names to the hosts that it names, on port 2049.
 *
 * What is written is on stable storage when it is answered.
 */
export const nfsd: Program = function* (_argv, os) {
  const listener = os.listen(NFS_PORT);
  if (isErrno(listener)) {
    os.printError(`nfsd: unable to bind: ${listener}\n`);
    return 1;
  }
  for (;;) {
    const client = yield* os.accept(listener);
    if (isErrno(client)) return 1;
    yield* fork(serve(os, client));
  }
};

/** rpc.mountd and rpc.statd: there, and nothing else. */
export const idleDaemon: Program = function* (_argv, os) {
  for (;;) yield* os.sleep(Number.POSITIVE_INFINITY);
};

function* serve(os: Os, client: Socket): Task {
  const asked = yield* receiveMessage(os, client);
  if (!isErrno(asked) && isRequest(asked.message)) {
    const request = asked.message;
    const result = (yield* refusal(os, request)) ?? (yield* carryOut(os, request, asked.bytes));
    if (isErrno(result)) yield* sendMessage(os, client, { errno: result });
    else if (result instanceof Uint8Array) yield* sendMessage(os, client, {}, result);
    else yield* sendMessage(os, client, { value: result });
  }
  os.close(client);
}

function isRequest(message: unknown): message is NfsRequest {
  const { host, path, to = '' } = message as Partial<NfsRequest>;
  return [host, path, to].every((each) => typeof each === 'string');
}

/** Why the client may not ask that; undefined if it may. */
function* refusal(os: Os, { kind, host, path, to }: NfsRequest): Task<Errno | undefined> {
  const exports = (yield* readExports(os)).filter((each) => isFor(each, host));
  for (const each of to === undefined ? [path] : [path, to]) {
    const plain = normalizePath(each);
    const found = exports.find((served) => plain === served.path || plain.startsWith(`${served.path}/`));
    if (found === undefined) return kind === 'mount' ? 'EACCES' : 'ESTALE';
    const isReading = ['mount', 'read', 'list', 'stat'].includes(kind);
    if (!isReading && !found.options.includes('rw')) return 'EROFS';
  }
  return undefined;
}

function* carryOut(os: Os, { kind, path, to = '' }: NfsRequest, bytes: Uint8Array): Task<unknown> {
  switch (kind) {
    case 'mount':
    case 'stat':
      return yield* os.stat(path);
    case 'read':
      return yield* os.readFile(path);
    case 'write':
    case 'append': {
      const written = yield* os.writeFile(path, bytes, { append: kind === 'append' });
      return isErrno(written) ? written : ((yield* os.sync(path)) ?? written);
    }
    case 'sync':
      return yield* os.sync(path);
    case 'list': {
      const names = yield* os.list(path);
      return isErrno(names) ? names : [...names];
    }
    case 'remove':
      return yield* os.remove(path);
    case 'rename':
      return yield* os.rename(path, to);
    case 'mkdir':
      return yield* os.makeDirectory(path);
    case 'rmdir':
      return yield* os.removeDirectory(path);
    default:
      return 'EINVAL';
  }
}
