import { formatSyslogTime, type Program } from '@quorate/kernel';

const DAY_SEC = 86_400;

/**
 * `ps aux`: every process of the machine.
 *
 * Processors and memory are not modelled, so their columns are zero.
 */
export const ps: Program = function* (_argv, os) {
  os.print('USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n');
  const now = os.wall().sec;
  for (const { pid, startedAt, argv } of os.processes()) {
    const started = formatSyslogTime(startedAt);
    // The day of what was started a day ago or earlier, the time of everything else.
    const start =
      now - startedAt < DAY_SEC ? started.slice(7, 12) : started.slice(0, 6).replace(' ', '').replace(' ', '0');
    os.print(
      `root     ${String(pid).padStart(5)}  0.0  0.0      0     0 ?        S<s  ${start}   0:00 ${argv.join(' ')}\n`,
    );
  }
  return 0;
};

export const hostname: Program = function* (_argv, os) {
  os.print(`${os.hostname}\n`);
  return 0;
};
