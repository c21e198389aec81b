import { CLUSTER_CONF } from '../hyperv-blog/index.js';

/** What differs from one version of the cluster.conf to the next. */
export const CHANGES = [
  'page-has-script',
  'page-stays-longer',
  'data-has-twin',
  'mail-fails-back',
  'mail-moved-up',
  'batch-relocates',
  'report-is-alone',
  'guest',
] as const;

export type Change = (typeof CHANGES)[number];

/** The first version: all later ones are made of it. */
export const FIRST_VERSION = 34;

/** Init scripts of the services. */
export const WORKERS = ['extra', 'data', 'twin', 'mail', 'crunch', 'side', 'report', 'guest'] as const;

/** Services of every version, by what clusvcadm calls them. */
export const SERVICES = ['page', 'data', 'mail', 'batch', 'report'] as const;

/** One that wants a machine for itself, and is there in some versions only. */
export const GUEST = 'guest';

/** Node ids of restricted failover domains: a service runs nowhere else. */
export const RESTRICTED: ReadonlyMap<string, readonly number[]> = new Map([
  ['page', [1, 2, 3]],
  ['data', [1, 4, 5]],
]);

function domain(name: string, flags: string, nodes: readonly number[]): string {
  const members = nodes.map((node, i) => `<failoverdomainnode name="my-vm${node}" priority="${i + 1}"/>`);
  return `<failoverdomain name="${name}" ${flags}>${members.join('')}</failoverdomain>`;
}

function script(name: string, attributes = ''): string {
  return `<script name="${name}" file="/etc/init.d/${name}" ${attributes}/>`;
}

/**
 * The walk-through's cluster with other services: an ordered and restricted domain, one without order, one without failback; a
 * restart counter, independent subtrees, a dependence, a service that wants a machine for itself, and an address that two services name, of
 * which the first has it.
 */
export function clusterConf(version: number, changes: ReadonlySet<Change>): string {
  const when = (change: Change, text: string, otherwise = ''): string => (changes.has(change) ? text : otherwise);
  const rm = `<rm>
    <failoverdomains>
      ${domain('page', 'ordered="1" restricted="1"', RESTRICTED.get('page')!)}
      ${domain('data', 'ordered="0" restricted="1"', RESTRICTED.get('data')!)}
      ${domain('mail', `ordered="1" nofailback="${when('mail-fails-back', '0', '1')}"`, [5, 4, 3])}
    </failoverdomains>
    <resources>
      <clusterfs device="/dev/mapper/my--vg1-my--store1" fstype="gfs2" mountpoint="/mydata" name="my_gfs2"/>
      <ip address="10.156.76.60" sleeptime="0"/>
    </resources>
    <service name="page" domain="page" recovery="relocate">
      <clusterfs ref="my_gfs2"/>
      <ip address="10.156.76.58" sleeptime="${when('page-stays-longer', '3', '1')}"/>
      <apache config_file="conf/httpd.conf" name="my_apache" server_root="/etc/httpd" shutdown_wait="2"/>
      ${when('page-has-script', script('extra'))}
    </service>
    <service name="data" domain="data" recovery="restart" max_restarts="2" restart_expire_time="60">
      <clusterfs ref="my_gfs2">${script('data')}</clusterfs>
      ${when('data-has-twin', script('twin'))}
    </service>
    <service name="mail" ${when('mail-moved-up', '', 'domain="mail"')} recovery="restart">
      <ip address="10.156.76.59" sleeptime="1">${script('mail')}</ip>
      <ip ref="10.156.76.60"/>
    </service>
    <service name="batch" recovery="${when('batch-relocates', 'relocate', 'restart')}">
      ${script('crunch', '__independent_subtree="1" __max_restarts="2" __restart_expire_time="60"')}
      ${script('side', '__independent_subtree="2"')}
      <ip ref="10.156.76.60"/>
    </service>
    <service name="report" ${when('report-is-alone', '', 'depend="service:data"')} recovery="restart">${script('report')}</service>
    ${when('guest', `<service name="${GUEST}" exclusive="1" recovery="relocate">${script('guest')}</service>`)}
  </rm>`;
  return CLUSTER_CONF.replace(/<rm>.*<\/rm>/s, rm).replace(/config_version="\d+"/, `config_version="${version}"`);
}
