import { EditableConf } from '@quorate/cluster-conf';
import { ConfigError, isErrno, type Os, type Program, strerror, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { CONF_FILE } from '../../stack-config.js';
import { resolveHost } from '../hosts.js';
import { getopt } from '../options.js';
import { askRemote } from '../ssh/remote-request.js';

const USAGE = `Usage: ccs_sync [options] [<host0> [... <hostN>]]
   -f <cluster_conf>            Path to the cluster.conf file to propagate.
   -c <NSS certificate DB>      Path to your cacert.pem file.
   -i                           Increment the configuration version before propagating.
   -h                           Print this help dialog.
   -p <port number>             Connect to ricci on the specified port.
   -w                           Exit with failure status if any warnings are issued.
   -v                           Print version information.
`;

interface CcsSyncOptions {
  readonly file: string;
  readonly hosts: readonly string[];
  readonly isIncremented: boolean;
  readonly isStrict: boolean;
}

/** What ends the program: exit status, and what it says on standard error. */
interface Ending {
  readonly status: number;
  readonly errors: string;
}

/**
 * `ccs_sync`: gives the nodes of a cluster.conf, or those that are named, that file as theirs. A node that does not take it is
 * complained about, and the exit status is 0 all the same.
 *
 * Source: cluster.git config/tools/ccs_sync, of 2009. Differs from it: it asks ricci on each node, with a password; here root's
 * ssh does, and `-c` and `-p` mean nothing.
 */
export const ccsSync: Program = function* (argv, os) {
  const options = decodeOptions(argv.slice(1));
  if ('status' in options) {
    os.printError(options.errors);
    return options.status;
  }
  const content = yield* os.readFile(options.file);
  if (isErrno(content)) {
    os.printError(`Unable to parse ${options.file}: ${strerror(content)}\n`);
    return 1;
  }
  const given = open(utf8Text(content), options);
  if ('status' in given) {
    os.printError(given.errors);
    return given.status;
  }
  const nodes = namesIn(given);
  if (nodes.length === 0 && options.hosts.length === 0) {
    os.printError(`Unable to find cluster nodes in ${options.file}\n`);
    return 1;
  }
  for (const host of options.hosts) {
    if (nodes.some((node) => node.toLowerCase() === host.toLowerCase())) continue;
    os.printError(`Warning: ${host} is not listed as a node in ${options.file}\n`);
    if (!options.isStrict) continue;
    os.printError('Aborting.\n');
    return 1;
  }
  const text = utf8Bytes(given.text);
  for (const host of options.hosts.length > 0 ? new Set(options.hosts) : nodes) {
    const complaint = yield* give(os, host, text);
    if (complaint !== undefined) os.printError(`${complaint}\n`);
  }
  return 0;
};

function decodeOptions(args: readonly string[]): CcsSyncOptions | Ending {
  const options = { file: CONF_FILE, hosts: [] as string[], isIncremented: false, isStrict: false };
  for (const each of getopt(args, 'f:c:p:hivVw')) {
    if (each.kind === 'operand') options.hosts.push(each.word);
    else if (each.kind === 'error') return { status: 0, errors: `ccs_sync: ${each.text}\n${USAGE}` };
    else if (each.letter === 'f') options.file = each.value!;
    else if (each.letter === 'i') options.isIncremented = true;
    else if (each.letter === 'w') options.isStrict = true;
    else if (each.letter === 'h') return { status: 0, errors: USAGE };
    else if (each.letter === 'p' && !isPort(each.value!)) {
      return { status: 1, errors: `Invalid port number: ${each.value}\n` };
    }
  }
  return options;
}

function isPort(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) > 0 && Number(text) <= 0xffff;
}

function open(text: string, { file, isIncremented }: CcsSyncOptions): EditableConf | Ending {
  let conf: EditableConf;
  try {
    conf = new EditableConf(text, file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { status: 1, errors: `${error.message}\nUnable to parse ${file}: ${strerror('EINVAL')}\n` };
  }
  if (!isIncremented) return conf;
  const version = conf.root.attributes.get('config_version') ?? '';
  if (!/^\d+$/.test(version)) return { status: 1, errors: 'Unable to increment the cluster.conf version\n' };
  return conf.withAttribute(conf.root, 'config_version', String(Number(version) + 1));
}

function namesIn(conf: EditableConf): readonly string[] {
  const nodes = conf.find('clusternodes')?.children.filter(({ name }) => name === 'clusternode') ?? [];
  return nodes.flatMap(({ attributes }) => attributes.get('name') ?? []);
}

/** What to complain about. */
function* give(os: Os, host: string, content: Uint8Array): Task<string | undefined> {
  if (host === os.hostname) {
    const written = yield* os.writeFile(CONF_FILE, content);
    return isErrno(written) ? unset(host) : undefined;
  }
  const address = yield* resolveHost(os, host);
  if (address === undefined) return `Unable to connect to ${host}`;
  const reply = yield* askRemote(os, address, { kind: 'put', path: CONF_FILE, name: '', content });
  if (!isErrno(reply)) return reply.status === 0 ? undefined : unset(host);
  switch (reply) {
    case 'ECONNREFUSED':
      return `Failed to connect to ${host}: Connection refused.`;
    case 'ENETUNREACH':
      return `Failed to connect to ${host}: Network unreachable.`;
    case 'ETIMEDOUT':
      return `Failed to connect to ${host}: Connection timed out.`;
    case 'ECONNRESET':
    case 'EPIPE':
      return `The connection to ${host} died unexpectedly`;
    default:
      return `Unable to connect to ${host}`;
  }
}

function unset(host: string): string {
  return `Unable to set the cluster.conf for ${host}`;
}
