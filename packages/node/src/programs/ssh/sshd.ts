import { isErrno, type Os, type Program, strerror, type Task, utf8Bytes } from '@quorate/kernel';
import { answerRequests } from './answer-requests.js';
import { type RemoteReply, type RemoteRequest, SSH_PORT } from './remote-request.js';

const NOTHING = new Uint8Array(0);
/** Where root is who has just come, and where paths begin that do not begin at the root. */
const HOME = '/root';

/** `sshd`: runs what is typed on other machines, and hands files to `scp`. Root of every machine of the network is trusted. */
export const sshd: Program = function* (_argv, os) {
  const refused = yield* answerRequests(os, SSH_PORT, replyTo);
  if (refused === undefined) return 0;
  os.printError(`error: Bind to port ${SSH_PORT} on 0.0.0.0 failed: Address already in use.\n`);
  return 255;
};

function* replyTo(os: Os, request: RemoteRequest): Task<RemoteReply> {
  switch (request.kind) {
    case 'run': {
      const { command, input } = request;
      const { status, output, errors } = yield* os.run(['bash', '-c', command], { input, directory: HOME });
      return { status, output: utf8Bytes(output), errors };
    }
    case 'get': {
      const path = fromHome(request.path);
      const found = yield* os.stat(path);
      if (!isErrno(found) && found.type === 'directory') return refusal(path, 'not a regular file');
      const content = yield* os.readFile(path);
      return isErrno(content) ? refusal(path, strerror(content)) : { status: 0, output: content, errors: '' };
    }
    case 'put': {
      const path = yield* fileIn(os, fromHome(request.path), request.name);
      const written = yield* os.writeFile(path, request.content);
      return isErrno(written) ? refusal(path, strerror(written)) : { status: 0, output: NOTHING, errors: '' };
    }
  }
}

/** Where a file of that name comes that is copied to a path. */
export function* fileIn(os: Os, path: string, name: string): Task<string> {
  const found = yield* os.stat(path);
  return !isErrno(found) && found.type === 'directory' ? `${path.replace(/\/$/, '')}/${name}` : path;
}

function fromHome(path: string): string {
  return path.startsWith('/') ? path : `${HOME}/${path}`;
}

function refusal(path: string, reason: string): RemoteReply {
  return { status: 1, output: NOTHING, errors: `scp: ${path}: ${reason}\n` };
}
