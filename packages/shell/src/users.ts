import { formatDateTime, type Program } from '@quorate/kernel';

/** `whoami`: everybody is root here. */
export const whoami: Program = function* (_argv, os) {
  os.print('root\n');
  return 0;
};

/** `id [-u] [-g] [-n]`. */
export const id: Program = function* (argv, os) {
  const letters = argv.slice(1).join('').replaceAll('-', '');
  const isShort = /[ugG]/.test(letters);
  const short = letters.includes('n') ? 'root' : '0';
  os.print(`${isShort ? short : 'uid=0(root) gid=0(root) groups=0(root)'}\n`);
  return 0;
};

/** `who`: root at the console, since the boot. */
export const who: Program = function* (_argv, os) {
  const since = os.wall().sec - Math.floor(os.uptime() / 1e9);
  os.print(`root     tty1         ${formatDateTime(since).slice(0, 16)}\n`);
  return 0;
};
