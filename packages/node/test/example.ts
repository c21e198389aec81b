import { asciiBytes, SECOND } from '@quorate/kernel';
import { ClusterNode, type NodeInput } from '@quorate/node';

const clusterConf = `<cluster name="solo" config_version="1">
  <clusternodes><clusternode name="alpha" nodeid="1"/></clusternodes>
</cluster>`;
const node = new ClusterNode({
  id: 1,
  name: 'alpha',
  life: 1,
  seed: { hi: 0, lo: 8 },
  interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', addresses: ['10.0.0.1/24'] }],
  devices: [],
  files: new Map([
    ['/etc/hosts', asciiBytes('10.0.0.1 alpha\n')],
    ['/etc/cluster/cluster.conf', asciiBytes(clusterConf)],
  ]),
});
export const log: string[] = [];
function step(now: number, input: NodeInput): void {
  node.step(now, input, (output) => {
    if (output.kind === 'reply') log.push(`$ after ${now / SECOND} s`, ...output.result.output.trim().split(/ *\n/));
  });
}
step(0, { kind: 'boot', wall: { sec: 1_446_154_200, nsec: 0 }, carrier: [true] });
for (let now = node.deadline(); now < 10 * SECOND; now = node.deadline()) step(now, { kind: 'wake' });
step(10 * SECOND, { kind: 'command', id: 1, command: 'cman_tool status' });
