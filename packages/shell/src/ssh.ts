import { type Errno, isErrno, type Os, type Program, strerror, type Task, utf8Text } from '@quorate/kernel';
import { askRemote, fileIn, parseOptions, type RemoteReply, type RemoteRequest, resolveHost } from '@quorate/node';

/** What ssh ends with when it did not come as far as the command. */
const NO_SESSION = 255;
const OPTIONS = { flags: '1246AaCfgKkMNnqsTtVvXxYy', values: 'bcDeFIiLlmOopRSw' };

/** `ssh [root@]HOST COMMAND…`: runs it there, and ends as it did. Without a command those lines are run that come in. */
export const ssh: Program = function* (argv, os) {
  // Options end where the command begins.
  const at = argv.findIndex((word, i) => i > 0 && !word.startsWith('-') && !takesNext(argv[i - 1]!));
  const { error } = parseOptions(argv.slice(1, at < 0 ? undefined : at), OPTIONS);
  const host = argv[at];
  if (error !== undefined || host === undefined || at < 0) {
    os.printError('usage: ssh [-l login_name] [-o option] [-p port] [user@]hostname [command]\n');
    return NO_SESSION;
  }
  const words = argv.slice(at + 1);
  const command = words.length > 0 ? words.join(' ') : os.input.replaceAll('\n', ';').replace(/;+$/, '');
  if (command === '') {
    os.printError('Pseudo-terminal will not be allocated because stdin is not a terminal.\n');
    return 0;
  }
  const input = words.length > 0 ? os.input : '';
  const reply = yield* ask(os, host, { kind: 'run', command, input });
  if (reply === undefined) return NO_SESSION;
  os.print(utf8Text(reply.output));
  os.printError(reply.errors);
  return reply.status;
};

function takesNext(option: string): boolean {
  return option.length === 2 && option.startsWith('-') && OPTIONS.values.includes(option[1]!);
}

/** A file here, or on another machine. */
interface Place {
  readonly host: string | undefined;
  readonly path: string;
}

/** `scp [[root@]HOST:]FILE… [[root@]HOST:]TARGET`. */
export const scp: Program = function* (argv, os) {
  const { operands, error } = parseOptions(argv.slice(1), { flags: '1246BCpqrv', values: 'cFiloPS' });
  if (error !== undefined || operands.length < 2) {
    os.printError('usage: scp [-pqr] [-o ssh_option] [[user@]host1:]file1 ... [[user@]host2:]file2\n');
    return 1;
  }
  const to = placeOf(operands.at(-1)!);
  let status = 0;
  for (const operand of operands.slice(0, -1)) {
    const content = yield* contentOf(os, placeOf(operand));
    const isCopied =
      content !== undefined && (yield* put(os, to, operand.slice(operand.lastIndexOf('/') + 1), content));
    if (!isCopied) status = 1;
  }
  return status;
};

/** `HOST:PATH` unless a slash comes before the colon. */
function placeOf(operand: string): Place {
  const [, host, path] = /^([^/:]+):(.*)$/.exec(operand) ?? [undefined, undefined, operand];
  return { host, path: path! };
}

/** What a file has; undefined when that has been complained about. */
function* contentOf(os: Os, { host, path }: Place): Task<Uint8Array | undefined> {
  if (host !== undefined) {
    const reply = yield* ask(os, host, { kind: 'get', path });
    os.printError(reply?.errors ?? '');
    return reply?.status === 0 ? reply.output : undefined;
  }
  const found = yield* os.stat(path);
  const isDirectory = !isErrno(found) && found.type === 'directory';
  const content = isDirectory ? 'EISDIR' : yield* os.readFile(path);
  if (!isErrno(content)) return content;
  os.printError(`${path}: ${isDirectory ? 'not a regular file' : strerror(content)}\n`);
  return undefined;
}

function* put(os: Os, { host, path }: Place, name: string, content: Uint8Array): Task<boolean> {
  if (host !== undefined) {
    const reply = yield* ask(os, host, { kind: 'put', path, name, content });
    os.printError(reply?.errors ?? '');
    return reply?.status === 0;
  }
  const target = yield* fileIn(os, path, name);
  const written = yield* os.writeFile(target, content);
  if (isErrno(written)) os.printError(`${target}: ${strerror(written)}\n`);
  return !isErrno(written);
}

/** Asks the sshd of a host; undefined when that has been complained about. */
function* ask(os: Os, target: string, request: RemoteRequest): Task<RemoteReply | undefined> {
  const [, user = 'root', host = ''] = /^(?:([^@]*)@)?(.*)$/.exec(target) ?? [];
  const address = yield* resolveHost(os, host);
  if (address === undefined) {
    os.printError(`ssh: Could not resolve hostname ${host}: Name or service not known\n`);
    return undefined;
  }
  if (user !== 'root') {
    os.printError('Permission denied (publickey,gssapi-keyex,gssapi-with-mic,password).\n');
    return undefined;
  }
  const reply = yield* askRemote(os, address, request);
  if (!isErrno(reply)) return reply;
  os.printError(complaintOf(reply, host, address));
  return undefined;
}

function complaintOf(errno: Errno, host: string, address: string): string {
  if (errno === 'ECONNRESET' || errno === 'EPIPE') return `Connection to ${host} closed by remote host.\n`;
  return `ssh: connect to host ${host === address ? address : host} port 22: ${strerror(errno)}\n`;
}
