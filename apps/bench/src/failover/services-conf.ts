/** Nodes with a vote each that fence each other on a shared disk; all services prefer the first of them. */
export interface ServicesConf {
  readonly nodes: number;
  readonly services: number;
  /** Attributes of `<totem>`. */
  readonly totem: string;
}

/** Path of the init script behind every service. */
export const INIT_SCRIPT = '/etc/init.d/daemon';

/** A cluster.conf with services of an address and an init script each; the addresses are in 10.0.0.0/16. */
export function servicesConf({ nodes, services, totem }: ServicesConf): string {
  const ids = Array.from({ length: nodes }, (_, i) => i + 1);
  const members = ids.map(
    (id) => `    <clusternode name="node${id}" nodeid="${id}">
      <fence><method name="scsi"><device devices="/dev/sdb" name="scsi"/></method></fence>
      <unfence><device action="on" devices="/dev/sdb" name="scsi"/></unfence>
    </clusternode>
`,
  );
  const domain = ids.map((id) => `        <failoverdomainnode name="node${id}" priority="${id}"/>\n`);
  const groups = Array.from(
    { length: services },
    (_, i) => `    <service domain="all" name="s${i + 1}" recovery="relocate">
      <ip address="10.0.${1 + Math.floor(i / 250)}.${1 + (i % 250)}"/>
      <script file="${INIT_SCRIPT}" name="daemon${i + 1}"/>
    </service>
`,
  );
  return `<?xml version="1.0"?>
<cluster config_version="1" name="services">
  <cman expected_votes="${nodes}"/>
  <totem ${totem}/>
  <clusternodes>
${members.join('')}  </clusternodes>
  <fencedevices><fencedevice agent="fence_scsi" name="scsi"/></fencedevices>
  <rm>
    <failoverdomains>
      <failoverdomain name="all" ordered="1">
${domain.join('')}      </failoverdomain>
    </failoverdomains>
${groups.join('')}  </rm>
</cluster>
`;
}
