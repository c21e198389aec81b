import {
  fork,
  isErrno,
  type Os,
  type Program,
  SECOND,
  type Socket,
  type Task,
  utf8Bytes,
  utf8Text,
} from '@quorate/kernel';
import { pidOfDomain, startDomain } from './domains.js';

const LIBVIRT_PORT = 16509;
const ANSWER_LIMIT = 10 * SECOND;

/** libvirtd: takes guests over from other machines. */
export const libvirtd: Program = function* (_argv, os) {
  const listener = os.listen(LIBVIRT_PORT);
  if (isErrno(listener)) {
    os.printError(`libvirtd: cannot listen: ${listener}\n`);
    return 1;
  }
  for (;;) {
    const peer = yield* os.accept(listener);
    if (isErrno(peer)) return 1;
    yield* fork(serve(os, peer));
  }
};

/** `prepare NAME` asks whether it may come, `finish NAME` has it run here. */
function* serve(os: Os, peer: Socket): Task {
  for (let line = yield* readLine(os, peer); line !== undefined; line = yield* readLine(os, peer)) {
    const [verb, name = ''] = line.split(' ');
    const isFree = pidOfDomain(os, name) === undefined;
    const isDone = isFree && (verb === 'prepare' || (verb === 'finish' && startDomain(os, name)));
    yield* os.send(peer, utf8Bytes(isDone ? 'ok\n' : `domain '${name}' is already active\n`));
  }
  os.close(peer);
}

function* readLine(os: Os, peer: Socket): Task<string | undefined> {
  let text = '';
  while (!text.endsWith('\n')) {
    const bytes = yield* os.receive(peer);
    if (isErrno(bytes) || bytes.length === 0) return undefined;
    text += utf8Text(bytes);
  }
  return text.trim();
}

/** Connects to the libvirtd of another machine. */
export function connectLibvirtd(os: Os, address: string): Task<Socket | string> {
  return os.connect(address, LIBVIRT_PORT, ANSWER_LIMIT);
}

/** Asks it, and gives its answer; `ok` when it has done that. */
export function* askLibvirtd(os: Os, peer: Socket, question: string): Task<string> {
  yield* os.send(peer, utf8Bytes(`${question}\n`));
  return (yield* readLine(os, peer)) ?? 'connection reset by peer';
}
