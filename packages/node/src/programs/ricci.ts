import { isErrno, type Os, type Program, strerror, type Task, utf8Bytes } from '@quorate/kernel';
import { failureIn } from '../init/failure.js';
import { CONF_FILE } from '../stack-config.js';
import { answerRequests } from './ssh/answer-requests.js';
import type { RemoteReply, RemoteRequest } from './ssh/remote-request.js';

export const RICCI_PORT = 11111;

/** What is started on a node, in this order, and stopped in the reverse. */
const SERVICES = ['cman', 'clvmd', 'gfs2', 'rgmanager'];

/** What ricci does when it is told: `start_node`, `stop_node`, and `activate` what the cluster.conf of the node says. */
export type RicciTask = 'start_node' | 'stop_node' | 'activate';

/**
 * `ricci`: hands out the cluster.conf of its machine, takes another one, and starts and stops the services of the cluster.
 *
 * Differs from the original in its messages, and in that it asks for no password: root of every machine is trusted.
 */
export const ricci: Program = function* (_argv, os) {
  const refused = yield* answerRequests(os, RICCI_PORT, replyTo);
  if (refused === undefined) return 0;
  os.printError(`ricci: cannot listen on port ${RICCI_PORT}: ${strerror(refused)}\n`);
  return 1;
};

function* replyTo(os: Os, request: RemoteRequest): Task<RemoteReply> {
  switch (request.kind) {
    case 'get': {
      const content = yield* os.readFile(CONF_FILE);
      return isErrno(content) ? refusal(`${CONF_FILE}: ${strerror(content)}`) : { ...DONE, output: content };
    }
    case 'put': {
      const written = yield* os.writeFile(CONF_FILE, request.content);
      return isErrno(written) ? refusal(`${CONF_FILE}: ${strerror(written)}`) : DONE;
    }
    case 'run':
      return yield* act(os, request.command as RicciTask, request.input === 'lasting');
  }
}

function* act(os: Os, task: RicciTask, isLasting: boolean): Task<RemoteReply> {
  switch (task) {
    case 'activate': {
      const { status, output, errors } = yield* os.run(['cman_tool', 'version', '-r', '-S']);
      return { status, output: utf8Bytes(output), errors };
    }
    case 'start_node':
    case 'stop_node': {
      const isStart = task === 'start_node';
      for (const service of isStart ? SERVICES : [...SERVICES].reverse()) {
        if (isLasting) yield* os.run(['chkconfig', service, isStart ? 'on' : 'off']);
        const { status, output } = yield* os.run([`/etc/init.d/${service}`, isStart ? 'start' : 'stop']);
        if (status !== 0)
          return refusal(`service ${service} ${isStart ? 'start' : 'stop'} failed: ${failureIn(output)}`);
      }
      return DONE;
    }
    default:
      return refusal(`${String(task)}: unknown task`);
  }
}

const DONE: RemoteReply = { status: 0, output: new Uint8Array(0), errors: '' };

function refusal(reason: string): RemoteReply {
  return { status: 1, output: new Uint8Array(0), errors: `${reason}\n` };
}
