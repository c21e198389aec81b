import type { Program } from '@quorate/kernel';

/** `basename PATH [SUFFIX]`. */
export const basename: Program = function* ([, path, suffix = ''], os) {
  if (path === undefined) return missing('basename', (text) => os.printError(text));
  const name = path.replace(/(.)\/+$/, '$1').replace(/^.*\/(?=.)/, '');
  os.print(`${suffix !== '' && name.endsWith(suffix) && name !== suffix ? name.slice(0, -suffix.length) : name}\n`);
  return 0;
};

/** `dirname PATH`. */
export const dirname: Program = function* ([, path], os) {
  if (path === undefined) return missing('dirname', (text) => os.printError(text));
  const bare = path.replace(/(.)\/+$/, '$1');
  const end = bare.lastIndexOf('/');
  os.print(`${end < 0 ? '.' : bare.slice(0, end).replace(/\/+$/, '') || '/'}\n`);
  return 0;
};

function missing(program: string, printError: (text: string) => void): number {
  printError(`${program}: missing operand\nTry \`${program} --help' for more information.\n`);
  return 1;
}
