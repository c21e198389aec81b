import type { LoggingSection, LogTarget } from '@quorate/cluster-conf';
import { formatSyslogTime, type LogPriority, utf8Bytes } from '@quorate/kernel';
import type { RootFiles } from './files.js';

/** Where the daemons of the cluster log to unless cluster.conf says otherwise; every root disk has it. */
const LOG_DIRECTORY = '/var/log/cluster';

/** Whose messages go where `<logging>` of cluster.conf says. */
const DAEMONS: ReadonlySet<string> = new Set([
  'corosync',
  'qdiskd',
  'fenced',
  'dlm_controld',
  'gfs_controld',
  'rgmanager',
]);

const PRIORITIES: readonly LogPriority[] = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

/** What programs and daemons say, in the files of a node: /var/log/messages, and for each daemon of the cluster one of its own. */
export class SystemLog {
  readonly #hostname: string;
  readonly #files: RootFiles;

  constructor(hostname: string, files: RootFiles) {
    this.#hostname = hostname;
    this.#files = files;
  }

  /** Adds a line at second `at` of the wall clock; `logging` is that of the cluster.conf in force. */
  write(priority: LogPriority, tag: string, text: string, at: number, logging: LoggingSection | undefined): void {
    const time = formatSyslogTime(at);
    const target = DAEMONS.has(tag) ? targetOf(logging, tag) : undefined;
    const isToSyslog = target === undefined || (target.isToSyslog && isAsGrave(priority, target.syslogPriority));
    // As rsyslog is set up there: `*.info` goes to the file.
    if (isToSyslog && isAsGrave(priority, 'info')) {
      this.#append('/var/log/messages', `${time} ${this.#hostname} ${tag}: ${text}\n`, at);
    }
    if (target?.isToLogfile && isAsGrave(priority, target.isDebug ? 'debug' : target.logfilePriority)) {
      this.#append(target.logfile ?? `${LOG_DIRECTORY}/${tag}.log`, `${time} ${tag} ${text}\n`, at);
    }
  }

  #append(path: string, line: string, at: number): void {
    this.#files.write(path, utf8Bytes(line), true, at);
  }
}

/** What a `logging_daemon` of that name says, else what `<logging>` does. Entries for a part of corosync do not count. */
function targetOf(logging: LoggingSection | undefined, tag: string): LogTarget | undefined {
  return logging?.daemons.find(({ name, subsys }) => name === tag && subsys === undefined) ?? logging;
}

function isAsGrave(priority: LogPriority, least: LogPriority): boolean {
  return PRIORITIES.indexOf(priority) <= PRIORITIES.indexOf(least);
}
