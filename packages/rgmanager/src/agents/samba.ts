import type { Program, Task } from '@quorate/kernel';
import { applicationAgent, optionsOf } from './application.js';
import { commentedOut, confDirectoryOf, writeGeneratedFile } from './generated-file.js';
import { makeDirectories } from './make-directories.js';
import { pidDirectoryOf, startDaemon } from './pid-file.js';
import type { AgentCall } from './resource-agent.js';

/** Lines of smb.conf that the service has its own for. */
const OWN = /^\s*(pid directory|interfaces|bind interfaces only|netbios name)/i;

/**
 * samba.sh: an smbd and an nmbd on the addresses of their service.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/samba.sh.
 */
export const samba: Program = applicationAgent({
  type: 'samba',
  pidFiles: (call) => [pidFileOf(call, 'smbd'), pidFileOf(call, 'nmbd')],
  launch,
});

/** Samba names its pid files after its configuration. */
function pidFileOf(call: AgentCall, daemon: string): string {
  return `${directoryOf(call)}/${daemon}-smb.conf.pid`;
}

function directoryOf(call: AgentCall): string {
  return `${pidDirectoryOf(call)}/${call.instance}`;
}

function* launch(call: AgentCall, addresses: readonly string[]): Task<boolean> {
  yield* makeDirectories(call.os, directoryOf(call));
  const path = `${confDirectoryOf(call)}/smb.conf`;
  const isWritten = yield* writeGeneratedFile(call, {
    path,
    originalPath: call.parameter('config_file'),
    bodyOf: (original) =>
      [
        `pid directory = "${directoryOf(call)}"`,
        `interfaces = ${addresses.join(' ')}`,
        'bind interfaces only = Yes',
        `netbios name = ${call.parameter('name').replace(' ', '_')}`,
        '',
        commentedOut(original, OWN),
      ].join('\n'),
  });
  if (!isWritten) return false;
  for (const daemon of ['smbd', 'nmbd']) {
    const argv = [`/usr/sbin/${daemon}`, '-D', '-s', path, ...optionsOf(call, `${daemon}_options`)];
    if (!(yield* startDaemon(call, argv, pidFileOf(call, daemon)))) return false;
  }
  return true;
}
