import type { Os, Program, Task } from '@quorate/kernel';
import { formatQuorumNodes, formatQuorumStatus, type QuorumMember } from '@quorate/quorum';
import { getopt } from '../options.js';
import { COROSYNC_VERSION, type CorosyncAnswers, type CorosyncCall } from './corosync-call.js';

const NOT_LOADED = 'Cannot connect to quorum service, is it loaded?\n';
const USAGE = 'usage: \ncorosync-quorumtool [-s | -l [-h] [-i]]\n';

/**
 * `corosync-quorumtool -s|-l [-h] [-i]`: what corosync's quorum service says under cman.
 *
 * `-e` and `-v` are refused, as there is no votequorum. Source: corosync 1.4.7, tools/corosync-quorumtool.c.
 */
export const corosyncQuorumtool: Program = function* (argv, os) {
  let shows: 'nothing' | 'status' | 'nodes' = 'nothing';
  let isHex = false;
  let isNumeric = false;
  for (const each of getopt(argv.slice(1), 'VHsle:v:hin:d:')) {
    if (each.kind === 'error') os.printError(`corosync-quorumtool: ${each.text}\n`);
    if (each.kind !== 'option') continue;
    switch (each.letter) {
      case 's':
        shows = 'status';
        break;
      case 'l':
        shows = 'nodes';
        break;
      case 'h':
        isHex = true;
        break;
      case 'i':
        isNumeric = true;
        break;
      case 'e':
      case 'v': {
        const what = each.letter === 'e' ? 'expected' : 'node';
        os.printError(`You cannot change ${what} votes, corosync is not using votequorum\n`);
        return 2;
      }
    }
  }
  if (shows === 'status') return yield* showStatus(os);
  if (shows === 'nodes') return yield* showNodes(os, isHex, isNumeric);
  os.print(USAGE);
  return 0;
};

function ask<Call extends CorosyncCall>(os: Os, call: Call): Task<CorosyncAnswers[Call['kind']]> {
  return os.call('corosync', call) as Task<CorosyncAnswers[Call['kind']]>;
}

/** Its exit status is 0 even when it cannot ask. */
function* showStatus(os: Os): Task<number> {
  const view = yield* ask(os, { kind: 'quorum' });
  if (typeof view === 'string') os.printError(NOT_LOADED);
  else os.print(formatQuorumStatus(view, COROSYNC_VERSION));
  return 0;
}

function* showNodes(os: Os, isHex: boolean, isNumeric: boolean): Task<number> {
  const view = yield* ask(os, { kind: 'quorum' });
  const addresses = yield* ask(os, { kind: 'addresses' });
  if (typeof view === 'string' || typeof addresses === 'string') {
    os.printError(NOT_LOADED);
    return 1;
  }
  const shown = ({ nodeId, name }: QuorumMember): QuorumMember => {
    return { nodeId, name: isNumeric ? (addresses.get(nodeId) ?? '') : name };
  };
  os.print(formatQuorumNodes(view.members.map(shown), isHex));
  return 0;
}
