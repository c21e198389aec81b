import { isErrno, type Os, strerror, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import {
  askRemote,
  type RemoteReply,
  type RemoteRequest,
  RICCI_PORT,
  type RicciTask,
  resolveHost,
} from '@quorate/node';
import { CcsComplaint } from './complaint.js';

const CONF_FILE = '/etc/cluster/cluster.conf';

/** Where a cluster.conf is read and written. @throws CcsComplaint when it cannot be. */
export interface ConfPlace {
  /** As complaints call it. */
  readonly name: string;
  read(): Task<string>;
  /** Whether there is one. */
  exists(): Task<boolean>;
  write(text: string): Task;
}

/** A file of this machine. */
export function localFile(os: Os, path: string): ConfPlace {
  return {
    name: path,
    *read() {
      const bytes = yield* os.readFile(path);
      if (isErrno(bytes)) throw new CcsComplaint(`Unable to open ${path}: ${strerror(bytes)}`);
      return utf8Text(bytes);
    },
    *exists() {
      return !isErrno(yield* os.stat(path));
    },
    *write(text) {
      const written = yield* os.writeFile(path, utf8Bytes(text));
      if (isErrno(written)) throw new CcsComplaint(`Unable to write ${path}: ${strerror(written)}`);
    },
  };
}

/** What ricci of a machine has. */
export function ofHost(os: Os, host: string): ConfPlace {
  return {
    name: CONF_FILE,
    *read() {
      return utf8Text((yield* need(os, host, { kind: 'get', path: CONF_FILE })).output);
    },
    *exists() {
      return (yield* ask(os, host, { kind: 'get', path: CONF_FILE })).status === 0;
    },
    *write(text) {
      yield* need(os, host, { kind: 'put', path: CONF_FILE, name: '', content: utf8Bytes(text) });
    },
  };
}

/** Has ricci of a machine do something. */
export function* order(os: Os, host: string, task: RicciTask, isLasting: boolean): Task<string> {
  const input = isLasting ? 'lasting' : '';
  return utf8Text((yield* need(os, host, { kind: 'run', command: task, input })).output);
}

/** What ricci answers, when it has done it. */
function* need(os: Os, host: string, request: RemoteRequest): Task<RemoteReply> {
  const reply = yield* ask(os, host, request);
  if (reply.status !== 0) throw new CcsComplaint(`${host}: ${reply.errors.trimEnd()}`);
  return reply;
}

function* ask(os: Os, host: string, request: RemoteRequest): Task<RemoteReply> {
  const address = yield* resolveHost(os, host === 'localhost' ? os.hostname : host);
  if (address === undefined) throw new CcsComplaint(`Unable to find the address of ${host}.`);
  const reply = yield* askRemote(os, address, request, RICCI_PORT);
  if (isErrno(reply)) throw new CcsComplaint(`Unable to connect to ${host}, make sure the ricci server is started.`);
  return reply;
}
