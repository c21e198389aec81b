import type { Program, Task } from '@quorate/kernel';
import { applicationAgent, optionsOf } from './application.js';
import { confDirectoryOf, writeGeneratedFile } from './generated-file.js';
import { pidFileOf, startDaemon } from './pid-file.js';
import type { AgentCall } from './resource-agent.js';

/**
 * named.sh: a name server on the addresses of its service.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/named.sh, utils/named-parse-config.pl.
 */
export const named: Program = applicationAgent({ type: 'named', launch });

function* launch(call: AgentCall, addresses: readonly string[]): Task<boolean> {
  const path = `${confDirectoryOf(call)}/named.conf`;
  const own = [
    `\tdirectory "${call.parameter('named_working_dir')}";`,
    `\tpid-file "${pidFileOf(call)}";`,
    `\tlisten-on { ${addresses.map((address) => `${address};`).join(' ')} };`,
  ];
  const isWritten = yield* writeGeneratedFile(call, {
    path,
    originalPath: call.parameter('config_file'),
    bodyOf: (original) =>
      original
        .split('\n')
        .filter((line) => !/^\s*(listen-on|pid-file|directory)/.test(line))
        .flatMap((line) => (/^\s*options\s+\{/.test(line) ? [line, ...own] : [line]))
        .join('\n'),
  });
  const argv = ['/usr/sbin/named', '-c', path, ...optionsOf(call, 'named_options')];
  return isWritten && (yield* startDaemon(call, argv, pidFileOf(call)));
}
