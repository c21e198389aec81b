import type { Program } from '@quorate/kernel';
import { plainTopology } from '../../plain-topology.js';
import type { Topology } from '../../topology.js';
import { keeper } from './programs/keeper.js';
import { leave, locks, purge } from './programs/locks.js';
import { register } from './programs/register.js';
import { LOCKSPACES } from './workload.js';

const MACHINES = 5;

const NODES = Array.from({ length: MACHINES }, (_, i) => `node${i + 1}`);

/** Five nodes with a vote each, which fence each other through the power switch. */
const CLUSTER_CONF = `<?xml version="1.0"?>
<cluster config_version="1" name="chaos">
  <cman expected_votes="${MACHINES}"/>
  <totem token="2000"/>
  <fence_daemon clean_start="0" post_fail_delay="0" post_join_delay="6"/>
  <clusternodes>
${NODES.map(
  (name, i) => `    <clusternode name="${name}" nodeid="${i + 1}">
      <fence><method name="power"><device name="switch" port="${name}"/></method></fence>
    </clusternode>
`,
).join('')}  </clusternodes>
  <dlm><lockspace name="${LOCKSPACES.nodir}" nodir="1"/></dlm>
  <fencedevices><fencedevice agent="fence_power" ipaddr="10.0.0.254" name="switch"/></fencedevices>
</cluster>
`;

/** Turned off with chkconfig: nothing but the lock manager and what it needs runs. */
const TURNED_OFF = ['K01rgmanager', 'K74gfs2', 'K76clvmd'];

/** Five nodes that have a lock manager and nothing above it, and the programs that use it. */
export function lockChaosTopology(programs: ReadonlyMap<string, Program>): Topology {
  const topology = plainTopology({
    machines: MACHINES,
    clusterConf: CLUSTER_CONF,
    programs: new Map<string, Program>([
      ...programs,
      ['keeper', keeper],
      ['leave', leave],
      ['locks', locks],
      ['purge', purge],
      ['register', register],
    ]),
  });
  // Nobody serves pages here.
  const hosts = topology.hosts.filter(({ kind }) => kind !== 'browser');
  const links = TURNED_OFF.map((link) => [`/etc/rc.d/rc3.d/${link}`, ''] as const);
  return { ...topology, hosts, files: new Map([...topology.files, ...links]) };
}
