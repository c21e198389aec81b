import { fork, isErrno, type Os, type Socket, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import type { DataDirectory } from './data-directory.js';

/** A database that clients can connect to. */
export interface Server {
  readonly data: DataDirectory;
  /** What clients hear in place of an answer; undefined when it serves them. */
  refusal(): string | undefined;
}

/**
 * Serves clients, one statement a line: `put KEY VALUE`, `get KEY`, `count`, `where` (name of this machine).
 *
 * What stands for SQL here. An answer is one line.
 */
export function* serveStatements(os: Os, listener: Socket, server: Server): Task {
  for (;;) {
    const client = yield* os.accept(listener);
    if (isErrno(client)) return;
    yield* fork(serveClient(os, client, server));
  }
}

function* serveClient(os: Os, client: Socket, server: Server): Task {
  let text = '';
  for (;;) {
    const bytes = yield* os.receive(client);
    if (isErrno(bytes) || bytes.length === 0) break;
    text += utf8Text(bytes);
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const answer = server.refusal() ?? (yield* answerTo(os, text.slice(0, end).trim(), server.data));
      text = text.slice(end + 1);
      yield* os.send(client, utf8Bytes(`${answer}\n`));
    }
  }
  os.close(client);
}

function* answerTo(os: Os, statement: string, data: DataDirectory): Task<string> {
  const [verb = '', key = '', ...rest] = statement.split(/\s+/);
  switch (verb.toLowerCase()) {
    case 'put': {
      const refused = yield* data.put(key, rest.join(' '));
      return refused === undefined ? 'OK' : `ERROR ${refused}`;
    }
    case 'get':
      return data.value(key) ?? 'NULL';
    case 'count':
      return String(data.size);
    case 'where':
      return os.hostname;
    default:
      return `ERROR unknown statement: ${verb}`;
  }
}
