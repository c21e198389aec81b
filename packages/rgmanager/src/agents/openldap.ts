import type { Program, Task } from '@quorate/kernel';
import { applicationAgent, optionsOf } from './application.js';
import { commentedOut, confDirectoryOf, writeGeneratedFile } from './generated-file.js';
import { pidFileOf, startDaemon } from './pid-file.js';
import type { AgentCall } from './resource-agent.js';

/**
 * openldap.sh: a slapd on the addresses of its service.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/openldap.sh.
 */
export const openldap: Program = applicationAgent({ type: 'openldap', launch });

function* launch(call: AgentCall, addresses: readonly string[]): Task<boolean> {
  const urls = optionsOf(call, 'url_list').flatMap((url) => urlsOf(url, addresses));
  if (urls.length === 0) {
    call.log('err', `Generating URL List for ${call.instance} > Failed`);
    return false;
  }
  const path = `${confDirectoryOf(call)}/slapd.conf`;
  const isWritten = yield* writeGeneratedFile(call, {
    path,
    originalPath: call.parameter('config_file'),
    bodyOf: (original) => `pidfile "${pidFileOf(call)}"\n\n${commentedOut(original, /^\s*(pidfile)/i)}`,
  });
  const argv = ['/usr/sbin/slapd', '-f', path, '-n', call.instance, '-h', urls.join(' ')];
  return isWritten && (yield* startDaemon(call, [...argv, ...optionsOf(call, 'slapd_options')], pidFileOf(call)));
}

/** A URL without a host, or with host 0, is one for each address. */
function urlsOf(url: string, addresses: readonly string[]): readonly string[] {
  if (url.includes(':///')) return addresses.map((address) => url.replace('://', `://${address}`));
  if (url.includes('://0:')) return addresses.map((address) => url.replace('://0:', `://${address}:`));
  return [url];
}
