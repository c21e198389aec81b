/** The nodes of `powerFencedConf`. */
export const POWER_FENCED_NODES: readonly string[] = ['node1', 'node2', 'node3'];

/** A cluster.conf of three nodes that fence each other through the power switch; `rm` is what it says of services. */
export function powerFencedConf(name: string, rm = ''): string {
  const nodes = POWER_FENCED_NODES.map(
    (node, i) => `    <clusternode name="${node}" nodeid="${i + 1}">
      <fence><method name="power"><device name="switch" port="${node}"/></method></fence>
    </clusternode>
`,
  );
  return `<?xml version="1.0"?>
<cluster config_version="1" name="${name}">
  <cman expected_votes="3"/>
  <fence_daemon clean_start="1"/>
  <clusternodes>
${nodes.join('')}  </clusternodes>
  <fencedevices><fencedevice agent="fence_power" ipaddr="10.0.0.254" name="switch"/></fencedevices>
${rm}</cluster>
`;
}
