import type { Os, Program, Task } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';
import { RELEASE_VERSION } from './release.js';

const USAGE = `Usage:

group_tool [options] [compat|ls|dump]

Options:
  -h               Print this help, then exit
  -V               Print program version information, then exit

compat             Show compatibility mode that groupd is running

ls                 Show group state for fence, dlm, gfs
   -g <num>        select daemons to query
                   0: query fenced, dlm_controld, gfs_controld
                   1: query groupd (for old compat mode)
                   2: use 0 if daemons running in new mode,
                   or 1 if groupd running in old mode.
                   Default 0
   -n              Show all node information (with -g0)
   -v              Show extra event information (with -g1)

dump               Show debug log from groupd
dump fence         Show debug log from fenced (fence_tool dump)
dump dlm           Show debug log from dlm_controld (dlm_tool dump)
dump gfs           Show debug log from gfs_controld (gfs_control dump)
                   (dlm_tool plocks <name>)

`;

/** What `dump` runs, by the first letters of its operand. */
const DUMPS: readonly (readonly [prefix: string, program: string])[] = [
  ['gfs', 'gfs_control'],
  ['dlm', 'dlm_tool'],
  ['fence', 'fence_tool'],
];

/**
 * `group_tool [ls|dump [fence|dlm|gfs]|compat]`: what fenced, dlm_controld and gfs_controld say, one after the other, through their
 * own tools; how those end does not matter.
 *
 * groupd, whom `-g1`, `dump` alone and `compat` ask, runs nowhere: cluster.conf has no `groupd_compat` here.
 *
 * Source: cluster.git group/tool/main.c.
 */
export const groupTool: Program = function* groupTool(argv, os) {
  const { flags, values, operands, error } = parseOptions(argv.slice(1), { flags: 'hVvn', values: 'g' });
  if (error !== undefined) {
    os.printError(`group_tool: ${error}\nPlease use '-h' for usage.\n`);
    return 1;
  }
  if (flags.has('h')) {
    os.print(USAGE);
    return 0;
  }
  if (flags.has('V')) {
    os.print(`group_tool ${RELEASE_VERSION}\n`);
    return 0;
  }
  // Operands that are no operation are passed over.
  const at = operands.findIndex((word) => ['dump', 'ls', 'list', 'compat'].includes(word));
  switch (operands[at]) {
    case 'compat':
      return 1;
    case 'dump':
      return yield* dump(os, operands[at + 1] ?? '');
    default: {
      const mode = Number.parseInt(values.get('g') ?? '0', 10) || 0;
      if (mode !== 0 && mode !== 2) return 0;
      const withNodes = flags.has('v') || flags.has('n') ? ['-n'] : [];
      for (const program of ['fence_tool', 'dlm_tool', 'gfs_control']) yield* system(os, [program, 'ls', ...withNodes]);
      return 0;
    }
  }
};

function* dump(os: Os, what: string): Task<number> {
  for (const [prefix, program] of DUMPS) if (what.startsWith(prefix)) yield* system(os, [program, 'dump']);
  if (what.startsWith('plocks')) os.printError('use dlm_tool command\n');
  return 0;
}

/** system(3): what the command prints is printed here. */
function* system(os: Os, argv: readonly string[]): Task {
  const { output, errors } = yield* os.run(argv);
  os.print(output);
  os.printError(errors);
}
