import { isErrno, type Os, type Program, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { generatedText, isEdited } from './generated-file.js';
import { makeDirectories } from './make-directories.js';
import { type AgentCall, AgentExit, resourceAgent, whenValid } from './resource-agent.js';
import { serviceAddresses } from './service-addresses.js';

const SIGTERM = 15;

/**
 * smb.sh: an smbd and an nmbd of one service, with a configuration of their own, `/etc/samba/smb.conf.NAME`.
 *
 * Simplified: no shares are made of the service's file systems; an administrator adds them to the file, which is his from then on.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/smb.sh.
 */
export const smb: Program = resourceAgent('smb', {
  start: whenValid(validate, start),
  stop: whenValid(validate, stop),
  status: whenValid(validate, status),
  validate,
});

function confFile(call: AgentCall): string {
  return `/etc/samba/smb.conf.${call.parameter('name')}`;
}

function* validate(call: AgentCall): Task<number> {
  const name = call.parameter('name');
  if (name === '') return AgentExit.ARGUMENTS;
  if (call.parameter('service_name') !== '') return AgentExit.SUCCESS;
  call.log('err', `Samba service ${name} is not the child of a service`);
  return AgentExit.ARGUMENTS;
}

function* start(call: AgentCall): Task<number> {
  const { os } = call;
  const name = call.parameter('name');
  const path = confFile(call);
  yield* writeConfiguration(call, path);
  call.log('info', `Starting Samba instance "${name}"`);
  yield* makeDirectories(os, `/var/run/samba/${name}`);
  yield* makeDirectories(os, `/var/cache/samba/${name}`);
  for (const daemon of ['/usr/sbin/smbd', '/usr/sbin/nmbd']) {
    if (!isErrno(os.spawn([daemon, '-D', '-s', path]))) continue;
    call.log('err', `Samba service failed: there is no ${daemon}`);
    return AgentExit.INSTALLED;
  }
  return AgentExit.SUCCESS;
}

function* writeConfiguration(call: AgentCall, path: string): Task {
  const { os } = call;
  const name = call.parameter('name');
  const before = yield* os.readFile(path);
  if (!isErrno(before) && isEdited(utf8Text(before))) return call.log('debug', 'Config file changed; skipping');
  call.log(isErrno(before) ? 'info' : 'debug', `Creating ${path}`);
  const addresses = yield* serviceAddresses(call);
  const lines = [
    '[global]',
    `\tworkgroup = ${call.parameter('workgroup') || 'LINUXCLUSTER'}`,
    `\tpid directory = /var/run/samba/${name}`,
    `\tlock directory = /var/cache/samba/${name}`,
    '\tbind interfaces only = yes',
    `\tnetbios name = ${name.replace(' ', '_')}`,
    `\tinterfaces = ${addresses.join(' ')}`,
    '',
  ];
  yield* makeDirectories(os, '/etc/samba');
  yield* os.writeFile(path, utf8Bytes(generatedText(path, 'cluster.conf', lines.join('\n'))));
}

function* stop(call: AgentCall): Task<number> {
  call.log('info', `Stopping Samba instance "${call.parameter('name')}"`);
  for (const daemon of ['nmbd', 'smbd']) {
    for (const pid of pidsOf(call.os, daemon, confFile(call))) call.os.kill(pid, SIGTERM);
  }
  return AgentExit.SUCCESS;
}

function* status(call: AgentCall): Task<number> {
  const dead = ['nmbd', 'smbd'].find((daemon) => pidsOf(call.os, daemon, confFile(call)).length === 0);
  if (dead === undefined) return AgentExit.SUCCESS;
  call.log('err', `share_start_stop: ${dead} for service ${call.parameter('service_name')} died!`);
  return AgentExit.GENERIC;
}

/** Processes of a daemon with that configuration. */
function pidsOf(os: Os, daemon: string, path: string): readonly number[] {
  const found = os.processes().filter(({ argv }) => argv[0]?.endsWith(`/${daemon}`) === true && argv.at(-1) === path);
  return found.map(({ pid }) => pid);
}
