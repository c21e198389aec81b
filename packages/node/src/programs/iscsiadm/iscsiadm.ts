import type { Program } from '@quorate/kernel';
import { IscsiError } from '../../os/iscsi/iscsi-error.js';
import { parseCommand } from './command-options.js';
import { misused, SEE_HELP } from './complaints.js';
import { discoveryMode } from './discovery-mode.js';
import { nodeMode } from './node-mode.js';
import { sessionMode } from './session-mode.js';

const USAGE = `iscsiadm -m discovery [-P printlevel] [-t sendtargets -p ip:port [-l]]
iscsiadm -m node [-P printlevel] [-L all,manual,automatic,onboot] [-U all,manual,automatic,onboot] [-S] [[-T targetname -p ip:port] [-l | -u | -R]] [[-o operation] [-n name] [-v value]]
iscsiadm -m session [-P printlevel] [-r sessionid] [-R | -u]
`;

/**
 * `iscsiadm -m discovery|node|session …`: the administration of open-iscsi 2.1, with its texts and exit codes.
 *
 * Modes `discoverydb`, `iface`, `host` and `fw`, discovery over iSNS, and statistics do not exist here.
 */
export const iscsiadm: Program = function* (argv, os) {
  const { given, error } = parseCommand(argv.slice(1));
  if (error !== undefined) return misused(os, error);
  if (given.has('V')) {
    os.print('iscsiadm version 2.1.8\n');
    return IscsiError.success;
  }
  if (given.has('h')) {
    os.print(USAGE);
    return IscsiError.success;
  }
  const mode = given.get('m');
  switch (mode) {
    case undefined:
      os.printError(SEE_HELP);
      return IscsiError.invalid;
    case 'discovery':
      return yield* discoveryMode(os, given);
    case 'node':
      return yield* nodeMode(os, given);
    case 'session':
      return yield* sessionMode(os, given);
    default:
      return misused(os, 'mode -1 is not yet supported');
  }
};
