import { isErrno, type Program, type Task } from '@quorate/kernel';
import { type AgentCall, AgentExit, resourceAgent } from './resource-agent.js';

/** Options of an export that may be given, and beginnings of those that have a value. */
const OPTIONS = new Set([
  ...['secure', 'insecure', 'rw', 'ro', 'async', 'sync', 'wdelay', 'no_wdelay', 'hide', 'nohide', 'subtree_check'],
  ...['no_subtree_check', 'secure_locks', 'insecure_locks', 'auth_nlm', 'no_auth_nlm', 'root_squash', 'no_root_squash'],
  ...['all_squash', 'no_all_squash'],
]);
const VALUED = ['fsid=', 'mountpoint=', 'mp=', 'anonuid=', 'anongid='];

/**
 * nfsclient.sh: a directory that is exported to one host, or to hosts of a pattern.
 *
 * Simplified: a target is looked for as it is written, not by its other names; the list of exports is not kept for other clients
 * (`use_cache`).
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/nfsclient.sh.
 */
export const nfsclient: Program = resourceAgent('nfsclient', { start, stop, status, validate, others: { recover } });

function* start(call: AgentCall): Task<number> {
  if ((yield* validate(call)) !== AgentExit.SUCCESS) return AgentExit.ARGUMENTS;
  const what = exportOf(call);
  const given = call.parameter('options');
  const fsid = given.includes('fsid=') ? '' : call.parameter('fsid');
  const options = [fsid === '' ? '' : `fsid=${fsid}`, given].filter((each) => each !== '').join(',');
  call.log('info', `Adding export: ${what}${options === '' ? '' : ` (${options})`}`);
  const { status: exit } = yield* call.os.run(['exportfs', '-i', ...(options === '' ? [] : ['-o', options]), what]);
  return exit;
}

function* stop(call: AgentCall): Task<number> {
  if ((yield* validate(call)) !== AgentExit.SUCCESS) return AgentExit.ARGUMENTS;
  const what = exportOf(call);
  call.log('info', `Removing export: ${what}`);
  const { status: exit } = yield* call.os.run(['exportfs', '-u', what]);
  return exit;
}

function* status(call: AgentCall): Task<number> {
  if ((yield* validate(call)) !== AgentExit.SUCCESS) return AgentExit.ARGUMENTS;
  const target = call.parameter('target') === '*' ? '<world>' : call.parameter('target');
  const { output } = yield* call.os.run(['exportfs', '-v']);
  const isThere = output.split('\n').some((line) => {
    const [path, rest = ''] = line.split(/\s+/, 2);
    return path === pathOf(call) && rest.toLowerCase().startsWith(`${target.toLowerCase()}(`);
  });
  if (isThere) return AgentExit.SUCCESS;
  call.log('err', `nfsclient:${call.parameter('name')} is missing!`);
  return AgentExit.NOT_RUNNING;
}

/** What rgmanager does before it recovers a whole service. */
function* recover(call: AgentCall): Task<number> {
  if (['0', 'no', 'false'].includes(call.parameter('allow_recover'))) return AgentExit.GENERIC;
  if ((yield* stop(call)) !== AgentExit.SUCCESS) return AgentExit.GENERIC;
  return (yield* start(call)) === AgentExit.SUCCESS ? AgentExit.SUCCESS : AgentExit.GENERIC;
}

function* validate(call: AgentCall): Task<number> {
  let exit: number = AgentExit.SUCCESS;
  for (const option of call.parameter('options').split(',').filter(Boolean)) {
    if (OPTIONS.has(option) || VALUED.some((start) => option.startsWith(start))) continue;
    call.log('err', `Export Option ${option} invalid`);
    exit = AgentExit.ARGUMENTS;
  }
  if (call.parameter('target') === '') exit = AgentExit.ARGUMENTS;
  const path = pathOf(call);
  if (path === '') {
    call.log('err', 'No export path specified.');
    return AgentExit.ARGUMENTS;
  }
  const found = yield* call.os.stat(path);
  if (!isErrno(found) && found.type === 'directory') return exit;
  call.log('err', `${path} is not a directory`);
  return AgentExit.ARGUMENTS;
}

function pathOf(call: AgentCall): string {
  return call.parameter('path').replace(/\/$/, '');
}

/** As `exportfs` writes it. */
function exportOf(call: AgentCall): string {
  return `${call.parameter('target')}:${pathOf(call)}`;
}
