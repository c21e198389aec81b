import { EditableConf } from '@quorate/cluster-conf';
import { fork, join, type Os, type Task, type TaskId } from '@quorate/kernel';
import { CcsComplaint } from './complaint.js';
import { type ConfPlace, localFile, ofHost, order } from './conf-place.js';
import { nodeNames } from './nodes.js';
import type { CcsOptions } from './options.js';

/** What is done to machines; gives the exit status. @throws CcsComplaint when it cannot be done. */
export type ClusterAction = (os: Os, options: CcsOptions) => Task<number>;

const NAME_MAX = 15;

/** A cluster of no nodes. A file that is there is replaced; that of a host only with `-i`. */
const createCluster: ClusterAction = function* (os, { words: [name], file, host, isForced }) {
  if (name === undefined) throw new CcsComplaint('--createcluster needs <cluster>', 2);
  if (name.length > NAME_MAX) {
    throw new CcsComplaint(`${name}: a cluster name has at most ${NAME_MAX} characters, not ${name.length}`);
  }
  const place = placeOf(os, { file, host });
  if (file === undefined && !isForced && (yield* place.exists())) {
    throw new CcsComplaint(`${place.name} already exists (use -i to replace it).`);
  }
  const sections = ['fence_daemon', 'clusternodes', 'cman', 'fencedevices'];
  const empty = new EditableConf('<cluster config_version="1">\n</cluster>\n');
  const named = empty.withAttribute(empty.root, 'name', name);
  const conf = sections.reduce((now, section) => now.withSection(section), named);
  yield* place.write(conf.withSection('rm', 'failoverdomains').withSection('rm', 'resources').text);
  return 0;
};

const getConf: ClusterAction = function* (os, options) {
  os.print(yield* placeOf(os, options).read());
  return 0;
};

/** Gives the file of `-f` to the host of `-h`. */
const setConf: ClusterAction = function* (os, { file, host }) {
  if (file === undefined || host === undefined) throw new CcsComplaint('--setconf needs -f <file> and -h <host>', 2);
  yield* ofHost(os, host).write(yield* localFile(os, file).read());
  return 0;
};

/** Gives the file to all of its nodes, and has it read where all have got it. */
const sync: ClusterAction = function* (os, options) {
  const place = placeOf(os, options);
  const text = yield* place.read();
  const nodes = nodeNames(new EditableConf(text, place.name));
  const complaints = yield* onEach(os, nodes, (node) => ofHost(os, node).write(text));
  if (!options.isActivating) return complaints;
  const first = options.host ?? nodes[0];
  if (complaints !== 0) throw new CcsComplaint('Not activated: not every node has the file.');
  if (first !== undefined) os.print(yield* order(os, first, 'activate', false));
  return 0;
};

/** Whether all nodes have the file. */
const checkConf: ClusterAction = function* (os, options) {
  const place = placeOf(os, options);
  const text = yield* place.read();
  const failed = yield* onEach(os, nodeNames(new EditableConf(text, place.name)), function* (node) {
    if ((yield* ofHost(os, node).read()) !== text) throw new CcsComplaint(`Node: ${node} does not match.`);
  });
  if (failed === 0) os.print('All nodes in sync.\n');
  return failed;
};

function startOrStop(task: 'start_node' | 'stop_node', isOfAll: boolean): ClusterAction {
  return function* (os, options) {
    const { host = os.hostname } = options;
    const place = placeOf(os, options);
    const nodes = isOfAll ? nodeNames(new EditableConf(yield* place.read(), place.name)) : [host];
    return yield* onEach(os, nodes, function* (node) {
      yield* order(os, node, task, options.isLasting);
      os.print(`${task === 'start_node' ? 'Started' : 'Stopped'} ${node}\n`);
    });
  };
}

/** The file of `-f`, else that of the host, which is this machine unless told. */
export function placeOf(os: Os, { file, host }: Pick<CcsOptions, 'file' | 'host'>): ConfPlace {
  return file === undefined ? ofHost(os, host ?? os.hostname) : localFile(os, file);
}

/** Does something on all nodes at once; complains of each on which it cannot be done, and gives 1 then. */
function* onEach(os: Os, nodes: readonly string[], act: (node: string) => Task): Task<number> {
  const running: TaskId[] = [];
  for (const node of nodes) running.push(yield* fork(withComplaint(act(node))));
  let status = 0;
  for (const id of running) {
    const complaint = (yield* join(id)) as string | undefined;
    if (complaint === undefined) continue;
    os.printError(`${complaint}\n`);
    status = 1;
  }
  return status;
}

function* withComplaint(task: Task): Task<string | undefined> {
  try {
    yield* task;
    return undefined;
  } catch (error) {
    if (error instanceof CcsComplaint) return error.message;
    throw error;
  }
}

export const CLUSTER_ACTIONS: ReadonlyMap<string, ClusterAction> = new Map([
  ['--createcluster', createCluster],
  ['--getconf', getConf],
  ['--setconf', setConf],
  ['--sync', sync],
  ['--checkconf', checkConf],
  ['--start', startOrStop('start_node', false)],
  ['--stop', startOrStop('stop_node', false)],
  ['--startall', startOrStop('start_node', true)],
  ['--stopall', startOrStop('stop_node', true)],
]);
