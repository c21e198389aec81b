import { formatCtime, isErrno, type Os, type Program, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import type { FenceConf } from '../fence-conf.js';
import { RELEASE_VERSION } from '../release.js';
import { cmanStatus } from './cman-tool.js';
import { parseCommandLine } from './command-line.js';

const LOG_FILE = '/var/log/cluster/fence_check.log';
const PID_FILE = '/var/run/fence_check.pid';

const USAGE = `Usage:

fence_check [options]

Options:
  -h               Print this help, then exit
  -V               Print program version information, then exit
  -d               Disable output to logfile (${LOG_FILE})
  -v               Produce verbose output
  -e               Produce extra verbose output
                   ATTENTION: IT MIGHT SHOW FENCE PASSWORDS IN LOG FILES!!!
  -f               Override checks and force execution
                   DO NOT USE ON PRODUCTION CLUSTERS!!!
`;

/**
 * fence_check: asks each fence method of each node for its status, on the master of the fence domain.
 *
 * Exit status: 0 all of them answered, 1 it was called wrongly or ended, 2 cman is not running, 3 it may not be asked here or now,
 * 4 another one runs, 5 a method did not answer. fenced waits `fence_check_delay` seconds for one that runs, and then ends it.
 *
 * Source: cluster.git fence/fence_check/fence_check.in.
 *
 * @param conf what cluster.conf says on that machine.
 */
export function fenceCheckProgram(conf: (os: Os) => FenceConf): Program {
  return function* fence_check(argv, os) {
    const { flags, complaint } = parseCommandLine(argv.slice(1), 'hdefvV', 'hV');
    if (complaint !== undefined) {
      os.printError(`getopt: ${complaint}\n${USAGE}`);
      return 1;
    }
    if (flags.has('h')) {
      os.print(USAGE);
      return 0;
    }
    if (flags.has('V')) {
      os.print(`fence_check version ${RELEASE_VERSION}\n`);
      return 0;
    }
    return yield* new FenceCheck(os, flags, conf(os)).run();
  };
}

/** One run of it. */
class FenceCheck {
  readonly #os: Os;
  readonly #flags: ReadonlyMap<string, number>;
  readonly #conf: FenceConf;
  #ourId = '';

  constructor(os: Os, flags: ReadonlyMap<string, number>, conf: FenceConf) {
    this.#os = os;
    this.#flags = flags;
    this.#conf = conf;
  }

  *run(): Task<number> {
    const os = this.#os;
    const date = formatCtime(os.wall().sec);
    yield* this.#say(`fence_check run at ${date.slice(0, 19)} UTC ${date.slice(20)} pid: ${os.pid}\n`);
    const other = os.processes().find(({ pid, argv }) => pid !== os.pid && isFenceCheck(argv[0] ?? ''));
    if (other !== undefined) {
      const held = yield* os.readFile(PID_FILE);
      const holder = isErrno(held) ? '' : utf8Text(held).trim();
      yield* this.#say(`Another process (${holder}) is holding the lock\n`);
      return 4;
    }
    yield* os.writeFile(PID_FILE, utf8Bytes(`${os.pid}\n`));
    const status = yield* this.#executeCheck();
    yield* this.#verbose(`cleanup: ${status}\n`);
    yield* os.remove(PID_FILE);
    return status;
  }

  *#executeCheck(): Task<number> {
    const refused = yield* this.#canCheck();
    if (refused !== 0) return refused;
    const { output } = yield* this.#os.run(['cman_tool', 'nodes', '-F', 'id,name']);
    const rows = output.split('\n').map((row) => row.trim().split(/\s+/));
    const names = rows.filter(([id]) => id !== '' && !id!.startsWith('0')).map(([, name = '']) => name);
    yield* this.#verbose(`Get node list: ${names.join(' ')}\n`);
    let status = 0;
    for (const name of names) {
      yield* this.#verbose(`Testing ${name} fencing\n`);
      const stopped = yield* this.#canCheck();
      if (stopped !== 0) return status === 5 ? status : stopped;
      yield* this.#verbose(`Checking how many fencing methods are configured for node ${name}\n`);
      const methods = this.#conf.nodes.find((node) => node.name === name)?.fenceMethods.length ?? 0;
      yield* this.#verbose(`Found ${methods} method(s) to test for node ${name}\n`);
      for (let method = 1; method <= methods; method++) {
        yield* this.#verbose(`Testing ${name} method ${method} status\n`);
        if (!(yield* this.#test(name, method))) status = 5;
      }
    }
    return status;
  }

  *#test(name: string, method: number): Task<boolean> {
    const extra = this.#flags.has('e') ? ['-vv'] : [];
    const { status, errors } = yield* this.#os.run(['fence_node', ...extra, '-S', name, '-m', String(method)]);
    if (status === 0) {
      yield* this.#say(`Testing ${name} method ${method}: success\n`);
      return true;
    }
    yield* this.#say(`Testing ${name} method ${method}: FAILED\n`);
    // Of the agent that was asked last: what came of it, and before the verdict what it was told.
    const lines = errors.trimEnd().split('\n');
    for (const line of lines.slice(this.#flags.has('e') ? -3 : -2, -1)) yield* this.#say(`${line}\n`);
    return false;
  }

  /** 0, or the exit status for why it may not be asked. */
  *#canCheck(): Task<number> {
    const ourId = yield* cmanStatus(this.#os, 'Node ID');
    yield* this.#verbose(`Checking if cman is running: ${ourId === undefined ? 'not running' : 'running'}\n`);
    if (ourId === undefined) return yield* this.#unable('cman is not running', 2);
    this.#ourId = ourId;
    if (this.#flags.has('f')) return 0;
    const quorum = yield* cmanStatus(this.#os, 'Quorum');
    const isQuorate = quorum !== undefined && !quorum.includes('Activity blocked');
    yield* this.#verbose(`Checking if node is quorate: ${isQuorate ? 'quorate' : 'not quorate'}\n`);
    if (!isQuorate) return yield* this.#unable('node is not quorate', 3);
    return yield* this.#canAskDomain();
  }

  *#canAskDomain(): Task<number> {
    const { status, output } = yield* this.#os.run(['fence_tool', 'ls']);
    yield* this.#verbose(`Checking if node is in fence domain: ${status === 0 ? 'yes' : 'not part of fence domain'}\n`);
    if (status !== 0) return yield* this.#unable('node is not part of the fence domain', 3);
    const isMaster = /^master nodeid (\d+)$/m.exec(output)?.[1] === this.#ourId;
    const master = isMaster ? 'this node is fence master' : 'node is not fence master';
    yield* this.#verbose(`Checking if node is fence master: ${master}\n`);
    if (!isMaster) return yield* this.#unable('node is not fence master', 3);
    const isFencing = /^victim count {2}(\d+)$/m.exec(output)?.[1] !== '0';
    const progress = isFencing ? 'real fencing in progress' : 'no fencing in progress';
    yield* this.#verbose(`Checking if real fencing is in progress: ${progress}\n`);
    return isFencing ? yield* this.#unable('real fencing operation in progress', 3) : 0;
  }

  *#unable(why: string, status: number): Task<number> {
    yield* this.#say(`Unable to perform fence_check: ${why}\n`);
    return status;
  }

  *#verbose(text: string): Task {
    if (this.#flags.has('v')) yield* this.#say(text);
  }

  *#say(text: string): Task {
    this.#os.print(text);
    if (!this.#flags.has('d')) yield* this.#os.writeFile(LOG_FILE, utf8Bytes(text), { append: true });
  }
}

/** Whether that is the name under which a fence_check runs. */
export function isFenceCheck(program: string): boolean {
  return program === 'fence_check' || program.endsWith('/fence_check');
}
