import { type MountgroupView, mountgroupsText } from '@quorate/gfs2';
import { isErrno, type Os, type Program, type Task } from '@quorate/kernel';
import { type ControldCall, parseOptions } from '@quorate/node';
import { RELEASE_VERSION } from './release.js';

/** A tool that lists what a daemon controls, and prints what it has noted. */
interface ControlTool<View extends { readonly name: string }> {
  readonly name: string;
  readonly daemon: string;
  readonly usage: string;
  textOf(views: readonly View[], withNodes: boolean): string;
}

function controlTool<View extends { readonly name: string }>(tool: ControlTool<View>): Program {
  return function* (argv, os) {
    const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'nhV', values: '' });
    if (error !== undefined) {
      os.printError(`${tool.name}: ${error}\nPlease use '-h' for usage.\n`);
      return 1;
    }
    if (flags.has('V')) {
      os.print(`${tool.name} ${RELEASE_VERSION}\n`);
      return 0;
    }
    const [operation, name] = operands;
    if (flags.has('h') || (operation !== 'ls' && operation !== 'dump')) {
      os.print(tool.usage);
      return flags.has('h') ? 0 : 1;
    }
    if (operation === 'dump') return yield* dumpOf(os, tool.daemon);
    const views = yield* askDaemon<readonly View[]>(os, tool.daemon, { kind: 'list' });
    const asked = typeof views === 'object' ? views.filter((view) => name === undefined || view.name === name) : [];
    if (typeof views !== 'object' || (name !== undefined && asked.length === 0)) return 1;
    os.print(tool.textOf(asked, flags.has('n')));
    return 0;
  };
}

/** Without its daemon there is nothing to print, and that is no failure. */
export function* dumpOf(os: Os, daemon: string): Task<number> {
  const text = yield* askDaemon<string>(os, daemon, { kind: 'dump' });
  if (text !== 'ECONNREFUSED') os.print(text);
  return 0;
}

/** Asks a daemon; ECONNREFUSED for whatever it refuses that is no text. */
export function* askDaemon<Reply>(os: Os, daemon: string, call: ControldCall): Task<Reply | 'ECONNREFUSED'> {
  const reply = yield* os.call(daemon, call);
  return call.kind !== 'dump' && isErrno(reply) ? 'ECONNREFUSED' : (reply as Reply | 'ECONNREFUSED');
}

/** `gfs_control ls [-n] [NAME]`, `gfs_control dump`. Source: gfs2-utils group/gfs_control/main.c. */
export const gfsControl: Program = controlTool<MountgroupView>({
  name: 'gfs_control',
  daemon: 'gfs_controld',
  usage: `Usage:

gfs_control [options] [ls|dump]

Options:
  -n               Show all node information in ls
  -h               Print this help, then exit
  -V               Print program version information, then exit

`,
  textOf: mountgroupsText,
});
