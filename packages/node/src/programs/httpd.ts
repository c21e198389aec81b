import {
  asciiBytes,
  concatBytes,
  fork,
  isErrno,
  type Nanos,
  type Os,
  type Program,
  SECOND,
  type Socket,
  type Task,
  utf8Text,
} from '@quorate/kernel';
import { valueAfter } from './options.js';

interface HttpdConfiguration {
  readonly ports: readonly number[];
  readonly documentRoot: string;
  readonly pidFile: string | undefined;
  /** Clients that are served at once (`MaxClients`). */
  readonly maxClients: number;
  /** How long a client may let it wait for its request (`Timeout`). */
  readonly timeout: Nanos;
}

/** Connections that wait for their turn: httpd asks for 511, and `net.core.somaxconn` of RHEL 6 makes 128 of it. */
const LISTEN_BACKLOG = 128;

const NO_BYTES = new Uint8Array(0);
const TYPES = new Map([
  ['html', 'text/html'],
  ['txt', 'text/plain'],
  ['css', 'text/css'],
]);

/** Reads the directives that matter here; the rest of an httpd.conf is accepted and has no effect. */
function parseHttpdConfiguration(text: string, serverRoot: string): HttpdConfiguration {
  const ports = new Set<number>();
  let documentRoot = '/var/www/html';
  let pidFile: string | undefined;
  let maxClients = 256;
  let timeout = 300 * SECOND;
  for (const line of text.split('\n')) {
    const [directive = '', value = ''] = line.trim().split(/\s+/, 2);
    const plain = value.replace(/^"|"$/g, '');
    switch (directive.toLowerCase()) {
      case 'listen':
        ports.add(Number(plain.slice(plain.lastIndexOf(':') + 1)) || 80);
        break;
      case 'documentroot':
        documentRoot = plain;
        break;
      case 'pidfile':
        pidFile = plain.startsWith('/') ? plain : `${serverRoot}/${plain}`;
        break;
      case 'maxclients':
        maxClients = Number(plain) || maxClients;
        break;
      case 'timeout':
        timeout = Number(plain) * SECOND || timeout;
        break;
    }
  }
  return { ports: [...ports], documentRoot, pidFile, maxClients, timeout };
}

/**
 * `httpd [-Dname] -d root -f file -k start`: serves the files below its DocumentRoot over HTTP/1.0.
 *
 * It runs until it is killed. A `Listen` directive counts by its port: which addresses answer is decided by which
 * addresses the machine has.
 */
export const httpd: Program = function* (argv, os) {
  const root = valueAfter(argv, '-d') ?? '/etc/httpd';
  const file = valueAfter(argv, '-f') ?? 'conf/httpd.conf';
  const path = file.startsWith('/') ? file : `${root}/${file}`;
  const text = yield* os.readFile(path);
  if (isErrno(text)) {
    os.printError(`httpd: could not open document config file ${path}\n`);
    return 1;
  }
  const configuration = parseHttpdConfiguration(utf8Text(text), root);
  const listeners: Socket[] = [];
  for (const port of configuration.ports) {
    const listener = os.listen(port);
    if (isErrno(listener)) {
      const reason = listener === 'EADDRINUSE' ? '(98)Address already in use' : '(22)Invalid argument';
      os.printError(`${reason}: make_sock: could not bind to address 0.0.0.0:${port}\n`);
      return 1;
    }
    listeners.push(listener);
  }
  if (listeners.length === 0) {
    os.printError('no listening sockets available, shutting down\n');
    return 1;
  }
  if (configuration.pidFile !== undefined) yield* os.writeFile(configuration.pidFile, asciiBytes(`${os.pid}\n`));
  const workers = new Workers(os, configuration);
  for (const listener of listeners.slice(1)) yield* fork(acceptForever(os, listener, workers));
  yield* acceptForever(os, listeners[0]!, workers);
  return 0;
};

function* acceptForever(os: Os, listener: Socket, workers: Workers): Task {
  for (;;) {
    const connection = yield* os.accept(listener);
    if (isErrno(connection)) return;
    yield* workers.take(connection);
  }
}

/**
 * The processes of the prefork server: each serves one client, and the next one after it.
 *
 * Simplified: who has sent no request for `Timeout` is turned out only when its place is wanted, and who finds the backlog full
 * is closed, where Linux would leave its SYN unanswered.
 */
class Workers {
  readonly #os: Os;
  readonly #configuration: HttpdConfiguration;
  readonly #backlog: Socket[] = [];
  /** Clients whose request is waited for, and since when. */
  readonly #silent = new Map<Socket, Nanos>();
  #busy = 0;

  constructor(os: Os, configuration: HttpdConfiguration) {
    this.#os = os;
    this.#configuration = configuration;
  }

  *take(connection: Socket): Task {
    if (this.#busy < this.#configuration.maxClients) {
      this.#busy += 1;
      yield* fork(this.#work(connection));
      return;
    }
    if (this.#backlog.length < LISTEN_BACKLOG) this.#backlog.push(connection);
    else this.#os.close(connection);
    for (const [silent, since] of this.#silent) {
      if (this.#os.now() - since >= this.#configuration.timeout) this.#os.close(silent);
    }
  }

  *#work(first: Socket): Task {
    for (let client: Socket | undefined = first; client !== undefined; client = this.#backlog.shift()) {
      yield* this.#serve(client);
    }
    this.#busy -= 1;
  }

  *#serve(client: Socket): Task {
    const os = this.#os;
    const request = yield* this.#requestOf(client);
    if (request !== undefined) {
      const [method, target = '/'] = request.split(' ', 2);
      const answer =
        method === 'GET' || method === 'HEAD'
          ? yield* answerTo(os, target, this.#configuration.documentRoot)
          : response('501 Not Implemented', 'text/plain', asciiBytes('501 Not Implemented\n'));
      yield* os.send(client, method === 'HEAD' ? answer.head : concatBytes(answer.head, answer.body));
    }
    os.close(client);
  }

  /** What a client wants; undefined if it goes without asking. */
  *#requestOf(client: Socket): Task<string | undefined> {
    this.#silent.set(client, this.#os.now());
    let request = '';
    while (!request.includes('\r\n\r\n') && request.length < 8192) {
      const bytes = yield* this.#os.receive(client);
      if (isErrno(bytes) || bytes.length === 0) {
        request = '';
        break;
      }
      request += utf8Text(bytes);
    }
    this.#silent.delete(client);
    return request === '' ? undefined : request;
  }
}

interface HttpAnswer {
  readonly head: Uint8Array;
  readonly body: Uint8Array;
}

function* answerTo(os: Os, target: string, documentRoot: string): Task<HttpAnswer> {
  const plain = target.split('?', 1)[0]!;
  const name = plain.endsWith('/') ? `${plain}index.html` : plain;
  const isOutside = name.split('/').includes('..');
  const content = isOutside ? 'EACCES' : yield* os.readFile(documentRoot + name);
  if (!isErrno(content)) return response('200 OK', typeOf(name), content);
  const status =
    content === 'ENOENT' || content === 'ENOTDIR'
      ? '404 Not Found'
      : content === 'EACCES'
        ? '403 Forbidden'
        : '500 Internal Server Error';
  return response(status, 'text/html', asciiBytes(`<html><body><h1>${status}</h1></body></html>\n`));
}

function typeOf(name: string): string {
  return TYPES.get(name.slice(name.lastIndexOf('.') + 1)) ?? 'application/octet-stream';
}

function response(status: string, type: string, body: Uint8Array): HttpAnswer {
  const head = `HTTP/1.0 ${status}\r\nServer: Apache/2.2.15 (CentOS)\r\nContent-Length: ${body.length}\r\nContent-Type: ${type}\r\nConnection: close\r\n\r\n`;
  return { head: asciiBytes(head), body: body.length === 0 ? NO_BYTES : body };
}

/** Reads one page: its status line and body, or why there was none. For programs on a node. */
export function* fetchPage(os: Os, address: string, path: string): Task<{ status: string; body: string } | string> {
  const socket = yield* os.connect(address, 80, 10 * SECOND);
  if (isErrno(socket)) return socket;
  yield* os.send(socket, asciiBytes(`GET ${path} HTTP/1.0\r\nHost: ${address}\r\n\r\n`));
  let text = '';
  for (;;) {
    const bytes = yield* os.receive(socket);
    if (isErrno(bytes)) return bytes;
    if (bytes.length === 0) break;
    text += utf8Text(bytes);
  }
  os.close(socket);
  const end = text.indexOf('\r\n\r\n');
  return { status: text.slice(0, text.indexOf('\r\n')), body: end < 0 ? '' : text.slice(end + 4) };
}
