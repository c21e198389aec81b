import type { ProgramResult } from '@quorate/kernel';
import { atoi } from '../conf/atoi.js';
import { getopt } from './getopt.js';
import { qualifiedName, RGMANAGER_VERSION } from './service-name.js';

/** What clustat is asked to show. */
export interface ClustatQuery {
  readonly kind: 'show';
  readonly format: 'table' | 'long' | 'xml';
  /** Only this member. */
  readonly member: string | undefined;
  /** Only this service, `type:name`. */
  readonly service: string | undefined;
  /** Shown again and again, that many seconds apart; 0: once. */
  readonly intervalSec: number;
  /** What this node knows, without asking others. */
  readonly isFast: boolean;
}

export type ClustatCommand =
  | ClustatQuery
  /** The id of this node (`-I`). */
  | { readonly kind: 'id' }
  /** Nothing but an exit status: whether the cluster is quorate (`-Q`). */
  | { readonly kind: 'quorum' }
  /** There is nothing to ask. */
  | { readonly kind: 'end'; readonly result: ProgramResult };

const USAGE = `usage: clustat <options>
    -i <interval>      Refresh every <interval> seconds.  May not be used
                       with -x.
    -I                 Display local node ID and exit
    -m <member>        Display status of <member> and exit
    -s <service>       Display status of <service> and exit
    -v                 Display version and exit
    -x                 Dump information as XML
    -Q                 Return 0 if quorate, 1 if not (no output)
    -f                 Enable fast clustat reports
    -l                 Use long format for services

`;

function end(status: number, output: string, errors = ''): ClustatCommand {
  return { kind: 'end', result: { status, output, errors } };
}

/**
 * Reads clustat's command line; `argv[0]` is its name. Compatible: `-x` is refused after `-i`, but not before it; of `-v`,
 * `-I` and `-Q` the last counts, when there is no `-h`; and whoever is told the usage has been served.
 *
 * Source: rgmanager src/utils/clustat.c, `main`.
 */
export function parseClustat(argv: readonly string[]): ClustatCommand {
  let instead: ClustatCommand | undefined;
  let query: ClustatQuery = {
    kind: 'show',
    format: 'table',
    member: undefined,
    service: undefined,
    intervalSec: 0,
    isFast: false,
  };
  for (const { letter, value } of getopt(argv.slice(1), 'fIls:m:i:xvQh')) {
    switch (letter) {
      case 'f':
        query = { ...query, isFast: true };
        break;
      case 'I':
        instead = { kind: 'id' };
        break;
      case 'l':
        if (query.format === 'table') query = { ...query, format: 'long' };
        break;
      case 's':
        query = { ...query, service: qualifiedName(value) };
        break;
      case 'm':
        query = { ...query, member: value };
        break;
      case 'i':
        query = { ...query, intervalSec: Math.max(1, atoi(value)) };
        break;
      case 'x':
        if (query.intervalSec > 0) return end(1, "Error: Options '-i' and '-x' are mutually exclusive\n");
        query = { ...query, format: 'xml' };
        break;
      case 'v':
        instead = end(0, `clustat version ${RGMANAGER_VERSION}\n`);
        break;
      case 'Q':
        instead = { kind: 'quorum' };
        break;
      case 'h':
        return end(0, USAGE);
      default:
        return end(0, USAGE, `clustat: ${value}\n`);
    }
  }
  return instead ?? query;
}
