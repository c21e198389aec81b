import { formatCtime, isErrno, type Os, type Program, SECOND, type Task, utf8Text } from '@quorate/kernel';
import { KERNEL_RELEASE } from '@quorate/node';

const LOG_FILE = '/var/log/messages';
/** The kernel's first line of a boot. */
const FIRST_LINE = `Linux version ${KERNEL_RELEASE}`;
/** `dmesg`: what the kernel has said since the boot, as syslog kept it. */
export const dmesg: Program = function* (_argv, os) {
  const lines = (yield* kernelLines(os)) ?? [];
  const first = lines.lastIndexOf(FIRST_LINE);
  for (const line of lines.slice(Math.max(0, first))) os.print(`${line}\n`);
  return 0;
};

function* kernelLines(os: Os): Task<readonly string[] | undefined> {
  const bytes = yield* os.readFile(LOG_FILE);
  if (isErrno(bytes)) return undefined;
  const mark = `${os.hostname} kernel: `;
  return utf8Text(bytes)
    .split('\n')
    .flatMap((line) => (line.includes(mark) ? [line.slice(line.indexOf(mark) + mark.length)] : []));
}

/** `uname [-a] [-r] [-n]`. */
export const uname: Program = function* (argv, os) {
  const all = `Linux ${os.hostname} ${KERNEL_RELEASE} #1 SMP x86_64 GNU/Linux`;
  const parts: Readonly<Record<string, string>> = { '-a': all, '-r': KERNEL_RELEASE, '-n': os.hostname };
  os.print(`${argv.length === 1 ? 'Linux' : (parts[argv[1]!] ?? 'Linux')}\n`);
  return 0;
};

/** `sleep NUMBER[smhd]…`. */
export const sleep: Program = function* (argv, os) {
  const factors: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };
  if (argv.length < 2) {
    os.printError("sleep: missing operand\nTry `sleep --help' for more information.\n");
    return 1;
  }
  let seconds = 0;
  for (const word of argv.slice(1)) {
    const [, number, unit] = /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(word) ?? [];
    if (number === undefined) {
      os.printError(`sleep: invalid time interval \`${word}'\nTry \`sleep --help' for more information.\n`);
      return 1;
    }
    seconds += Number(number) * factors[unit!]!;
  }
  yield* os.sleep(seconds * SECOND);
  return 0;
};

/** `uptime`: one user, and no load, as nothing measures it. */
export const uptime: Program = function* (_argv, os) {
  const minutes = Math.floor(os.uptime() / (60 * SECOND));
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  const parts = [
    days > 0 ? `${days} day${days === 1 ? '' : 's'}` : '',
    hours > 0 ? `${String(hours).padStart(2)}:${String(minutes % 60).padStart(2, '0')}` : `${minutes % 60} min`,
  ];
  const since = parts.filter(Boolean).join(', ');
  os.print(` ${formatCtime(os.wall().sec).slice(11, 19)} up ${since},  1 user,  load average: 0.00, 0.00, 0.00\n`);
  return 0;
};

/** `true` and `false`, for programs that run others: a shell does them itself. */
export function constant(status: number): Program {
  return function* () {
    return status;
  };
}
