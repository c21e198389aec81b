import type { CmanToolOperation } from './cman-tool-options.js';

const HEAD = `Usage:

cman_tool <join|leave|kill|expected|votes|version|wait|status|nodes|services|debug> [options]

Options:
  -h               Print this help, then exit
  -V               Print program version information, then exit
  -d               Enable debug output

`;

/** In the original's order, which has nothing to say of `debug`. */
const SECTIONS: readonly (readonly [CmanToolOperation, string])[] = [
  [
    'join',
    `join
  Cluster & node information is taken from configuration modules.
  These switches are provided to allow those values to be overridden.
  Use them with extreme care.

  -m <addr>        Multicast address to use
  -v <votes>       Number of votes this node has
  -e <votes>       Number of expected votes for the cluster
  -p <port>        UDP port number for cman communications
  -n <nodename>    The name of this node (defaults to hostname)
  -c <clustername> The name of the cluster to join
  -N <id>          Node id
  -C <module>      Config file reader (default: xmlconfig)
  -w               Wait until node has joined a cluster
  -q               Wait until the cluster is quorate
  -t               Maximum time (in seconds) to wait
  -k <file>        Private key file for Corosync communications
  -P               Don't set corosync to realtime priority
  -X               Use internal cman defaults for configuration
  -A               Don't load openais services
  -D<fail|warn|none> What to do about the config. Default (without -D) is to
                   validate the config. with -D no validation will be done.
                   -Dwarn will print errors but allow the operation to continue.
`,
  ],
  [
    'wait',
    `wait               Wait until the node is a member of a cluster
  -q               Wait until the cluster is quorate
  -t               Maximum time (in seconds) to wait
`,
  ],
  [
    'leave',
    `leave
  -w               If cluster is in transition, wait and keep trying
  -t               Maximum time (in seconds) to wait
  remove           Tell other nodes to ajust quorum downwards if necessary
  force            Leave even if cluster subsystems are active
`,
  ],
  [
    'kill',
    `kill
  -n <nodename>    The name of the node to kill (can specify multiple times)
`,
  ],
  [
    'expected',
    `expected
  -e <votes>       New number of expected votes for the cluster
`,
  ],
  [
    'votes',
    `votes
  -v <votes>       New number of votes for this node
`,
  ],
  [
    'status',
    `status             Show local record of cluster status
`,
  ],
  [
    'nodes',
    `nodes              Show local record of cluster nodes
  -a                 Also show node address(es)
  -n <nodename>      Only show information for specific node
  -F <format>        Specify output format (see man page)
`,
  ],
  [
    'services',
    `services           Show local record of cluster services
`,
  ],
  [
    'version',
    `version
  -r               Reload cluster.conf and update config version.
  -D <fail,warn,none> What to do about the config. Default (without -D) is to
                   validate the config. with -D no validation will be done. -Dwarn will print errors
                   but allow the operation to continue
  -S               Don't run ccs_sync to distribute cluster.conf (if appropriate)
`,
  ],
];

/**
 * What `-h` prints: of one operation, or of all.
 *
 * Source: cluster.git cman/cman_tool/main.c, `print_usage`.
 */
export function usage(operation: CmanToolOperation | undefined): string {
  const shown = SECTIONS.filter(([name]) => operation === undefined || name === operation);
  return HEAD + shown.map(([, text]) => `${text}\n`).join('');
}
