import { isErrno, type Os, type Program, SECOND, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { resolveHost } from '../hosts.js';
import { parseOptions } from '../options.js';

/** A client of the modelled databases. */
interface DatabaseClient {
  /** Letter of the option with the statement. */
  readonly statement: string;
  /** Letter of the option with the port, and the port without it. */
  readonly port: readonly [string, number];
  /** What it complains with when nobody answers. */
  complaint(host: string, why: string): string;
}

/** Asks a server one statement, and prints its answer. An answer that is an error is a complaint and status 1. */
function databaseClient({ statement, port: [letter, standard], complaint }: DatabaseClient): Program {
  return function* (argv, os) {
    const options = parseOptions(argv.slice(1), { flags: '', values: `h${letter}${statement}` });
    const host = options.values.get('h') ?? 'localhost';
    const asked = options.values.get(statement);
    if (options.error !== undefined || asked === undefined) {
      os.printError(`usage: ${argv[0]} -h HOST [-${letter} PORT] -${statement} STATEMENT\n`);
      return 1;
    }
    const address = yield* resolveHost(os, host);
    const answer = address === undefined ? 'ENOENT' : yield* ask(os, address, options.number(letter, standard), asked);
    if (/^E[A-Z]+$/.test(answer)) os.printError(`${complaint(host, answer)}\n`);
    else if (/^(ERROR|FATAL)/.test(answer)) os.printError(`${answer}\n`);
    else {
      os.print(`${answer}\n`);
      return 0;
    }
    return 1;
  };
}

function* ask(os: Os, address: string, port: number, statement: string): Task<string> {
  const socket = yield* os.connect(address, port, 10 * SECOND);
  if (isErrno(socket)) return socket;
  yield* os.send(socket, utf8Bytes(`${statement}\n`));
  let text = '';
  while (!text.includes('\n')) {
    const bytes = yield* os.receive(socket);
    if (isErrno(bytes) || bytes.length === 0) return 'ECONNRESET';
    text += utf8Text(bytes);
  }
  os.close(socket);
  return text.slice(0, text.indexOf('\n'));
}

/** `mysql -h HOST [-P PORT] -e STATEMENT`. */
export const mysql: Program = databaseClient({
  statement: 'e',
  port: ['P', 3306],
  complaint: (host, why) => `ERROR 2003 (HY000): Can't connect to MySQL server on '${host}' (${why})`,
});

/** `psql -h HOST [-p PORT] -c STATEMENT`. */
export const psql: Program = databaseClient({
  statement: 'c',
  port: ['p', 5432],
  complaint: (host, why) => `psql: could not connect to server "${host}": ${why}`,
});
