import { parseClusterConf } from '@quorate/cluster-conf';
import { ConfigError, isErrno, type Os, type Program, strerror, type Task, utf8Text } from '@quorate/kernel';
import { CONF_FILE } from '../../stack-config.js';
import { resolveHost } from '../hosts.js';
import { parseOptions } from '../options.js';
import { askRemote } from '../ssh/remote-request.js';

/**
 * `ccs_sync [-i] [-f FILE] [NODE…]`: gives the nodes of a cluster.conf, or those that are named, that file as theirs. `-i` goes on
 * where one cannot be reached.
 *
 * The original asks ricci on each node, with a password; here root's ssh does. Its words for what fails are not known here.
 */
export const ccsSync: Program = function* (argv, os) {
  const { flags, values, operands, error } = parseOptions(argv.slice(1), { flags: 'ivw', values: 'f' });
  if (error !== undefined) {
    os.printError(`ccs_sync: ${error}\nUsage: ccs_sync [-i] [-f file] [node...]\n`);
    return 1;
  }
  const file = values.get('f') ?? CONF_FILE;
  const content = yield* os.readFile(file);
  if (isErrno(content)) {
    os.printError(`Unable to open ${file}: ${strerror(content)}\n`);
    return 1;
  }
  const nodes = operands.length > 0 ? operands : namesIn(utf8Text(content), file);
  if (typeof nodes === 'string') {
    os.printError(`${nodes}\n`);
    return 1;
  }
  let status = 0;
  for (const node of nodes) {
    const complaint = yield* give(os, node, content);
    if (complaint === undefined) continue;
    os.printError(`Unable to give ${node} ${CONF_FILE}: ${complaint}\n`);
    if (!flags.has('i')) status = 1;
  }
  return status;
};

/** The nodes of a cluster.conf, or what is wrong with it. */
function namesIn(text: string, file: string): readonly string[] | string {
  try {
    return parseClusterConf(text, file).conf.nodes.map(({ name }) => name);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

function* give(os: Os, node: string, content: Uint8Array): Task<string | undefined> {
  if (node === os.hostname) {
    const written = yield* os.writeFile(CONF_FILE, content);
    return isErrno(written) ? strerror(written) : undefined;
  }
  const address = yield* resolveHost(os, node);
  if (address === undefined) return 'Name or service not known';
  const reply = yield* askRemote(os, address, { kind: 'put', path: CONF_FILE, name: '', content });
  if (isErrno(reply)) return strerror(reply);
  return reply.status === 0 ? undefined : reply.errors.trimEnd();
}
