import type { LogPriority } from '@quorate/kernel';
import type { ElementReader } from './element-reader.js';

/** Where one daemon logs to. */
export interface LogTarget {
  readonly isToSyslog: boolean;
  readonly isToLogfile: boolean;
  readonly syslogFacility: string;
  readonly syslogPriority: LogPriority;
  readonly logfilePriority: LogPriority;
  /** Undefined: `/var/log/cluster/DAEMON.log`. */
  readonly logfile: string | undefined;
  readonly isDebug: boolean;
}

export interface LoggingDaemon extends LogTarget {
  readonly name: string;
  /** A subsystem of corosync. */
  readonly subsys: string | undefined;
}

/** `<logging>`; what a `logging_daemon` does not say it has from here. Source: cluster.conf(5). */
export interface LoggingSection extends LogTarget {
  readonly daemons: readonly LoggingDaemon[];
}

const PRIORITIES: readonly LogPriority[] = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

const DEFAULTS: LogTarget = {
  isToSyslog: true,
  isToLogfile: true,
  syslogFacility: 'local4',
  syslogPriority: 'info',
  logfilePriority: 'info',
  logfile: undefined,
  isDebug: false,
};

export function readLogging(at: ElementReader): LoggingSection {
  const target = readTarget(at, DEFAULTS);
  const section: LoggingSection = {
    ...target,
    daemons: at.children('logging_daemon').map((daemon) => readDaemon(daemon, target)),
  };
  at.finish();
  return section;
}

function readDaemon(at: ElementReader, inherited: LogTarget): LoggingDaemon {
  const daemon = {
    name: at.required('name', 'the name of a daemon'),
    subsys: at.optional('subsys'),
    ...readTarget(at, inherited),
  };
  at.finish();
  return daemon;
}

function readTarget(at: ElementReader, inherited: LogTarget): LogTarget {
  return {
    isToSyslog: at.switch('to_syslog', inherited.isToSyslog, ['yes'], ['no']),
    isToLogfile: at.switch('to_logfile', inherited.isToLogfile, ['yes'], ['no']),
    syslogFacility: at.text('syslog_facility', inherited.syslogFacility),
    syslogPriority: at.oneOf('syslog_priority', PRIORITIES) ?? inherited.syslogPriority,
    logfilePriority: at.oneOf('logfile_priority', PRIORITIES) ?? inherited.logfilePriority,
    logfile: at.optional('logfile') ?? inherited.logfile,
    isDebug: at.switch('debug', inherited.isDebug, ['on'], ['off']),
  };
}
