import { isErrno, type Program, type Task, utf8Text } from '@quorate/kernel';
import { type Application, applicationAgent, optionsOf } from './application.js';
import { confDirectoryOf, writeGeneratedFile } from './generated-file.js';
import { pidFileOf, startDaemon, stopByPidFile } from './pid-file.js';
import type { AgentCall } from './resource-agent.js';

/**
 * tomcat-5.sh: a Tomcat on the addresses of its service.
 *
 * Simplified: as for tomcat-6.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/tomcat-5.sh, utils/tomcat-parse-config.pl.
 */
export const tomcat5: Program = tomcatAgent('tomcat-5', (call) => call.parameter('catalina_base'));

/**
 * tomcat-6.sh: the same, from CATALINA_BASE of its configuration.
 *
 * Simplified: CATALINA_BASE is not linked into the service's own directory; the program is told where both lie.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/tomcat-6.sh, utils/tomcat-parse-config.pl.
 */
export const tomcat6: Program = tomcatAgent('tomcat-6', (_call, settings) => settings.get('CATALINA_BASE') ?? '');

type Settings = ReadonlyMap<string, string>;

function tomcatAgent(type: 'tomcat-5' | 'tomcat-6', baseOf: (call: AgentCall, settings: Settings) => string): Program {
  const application: Application = {
    type,
    *verify(call) {
      const settings = yield* readSettings(call);
      for (const name of ['CATALINA_HOME', 'CATALINA_TMPDIR']) {
        const directory = settings.get(name) ?? '';
        if (directory === '') return `${name} Not Specified In ${call.parameter('config_file')}`;
        const found = yield* call.os.stat(directory);
        if (isErrno(found) || found.type !== 'directory') return `${name} Does Not Exist`;
      }
      const user = call.parameter('tomcat_user') || (settings.get('TOMCAT_USER') ?? '');
      return user === '' ? 'TOMCAT_USER Does Not Exist' : undefined;
    },
    *launch(call, addresses) {
      const base = baseOf(call, yield* readSettings(call));
      const own = confDirectoryOf(call);
      const isWritten = yield* writeGeneratedFile(call, {
        path: `${own}/conf/server.xml`,
        originalPath: `${base}/conf/server.xml`,
        isXml: true,
        bodyOf: (original) => withAddresses(original, addresses),
      });
      const options = optionsOf(call, 'catalina_options');
      const places = [`-Dcatalina.base=${own}`, `-Dcatalina.pid=${pidFileOf(call)}`];
      const argv = [type === 'tomcat-5' ? '/usr/bin/java' : '/usr/sbin/tomcat6', ...options, ...places, 'start'];
      return isWritten && (yield* startDaemon(call, argv, pidFileOf(call)));
    },
    *stop(call) {
      if (!(yield* stopByPidFile(call, pidFileOf(call)))) return false;
      yield* call.os.remove(pidFileOf(call));
      return true;
    },
  };
  return applicationAgent(application);
}

/** `NAME=value` lines of the configuration, which the original has a shell read. */
function* readSettings(call: AgentCall): Task<Settings> {
  const bytes = yield* call.os.readFile(call.parameter('config_file'));
  const lines = isErrno(bytes) ? [] : utf8Text(bytes).split('\n');
  const pairs = lines.flatMap((line) => {
    const [, name, value] = /^\s*(?:export\s+)?(\w+)="?([^"#]*)"?/.exec(line) ?? [];
    return name === undefined ? [] : [[name, (value ?? '').trim()] as const];
  });
  return new Map(pairs);
}

/** Each connector of a server.xml once for each address. */
function withAddresses(original: string, addresses: readonly string[]): string {
  return original.replace(/<Connector\s[^>]*>/g, (connector) =>
    addresses
      .map((address) =>
        connector.replace(/\s+address=".*?"/, '').replace('<Connector', `<Connector address="${address}"`),
      )
      .join('\n'),
  );
}
