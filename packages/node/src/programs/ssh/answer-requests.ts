import { type Errno, fork, isErrno, type Os, type Socket, type Task } from '@quorate/kernel';
import { encodeReply, type RemoteReply, type RemoteRequest, receiveRequest } from './remote-request.js';

/** How a daemon answers. */
type Answer = (os: Os, request: RemoteRequest) => Task<RemoteReply>;

/** Answers requests at a port as long as the node has a network, each on a connection of its own. The error when the port is not to be had. */
export function* answerRequests(os: Os, port: number, answer: Answer): Task<Errno | undefined> {
  const listener = os.listen(port);
  if (isErrno(listener)) return listener;
  for (;;) {
    const client = yield* os.accept(listener);
    if (isErrno(client)) return undefined;
    yield* fork(serve(os, client, answer));
  }
}

function* serve(os: Os, client: Socket, answer: Answer): Task {
  const request = yield* receiveRequest(os, client);
  if (request !== undefined) yield* os.send(client, encodeReply(yield* answer(os, request)));
  os.close(client);
}
