import { asciiBytes } from '@quorate/kernel';
import { ClusterNode } from '@quorate/node';
import { administratorsPrograms } from '@quorate/shell';

const node = new ClusterNode({
  id: 1,
  name: 'my-vm1',
  life: 1,
  seed: { hi: 0, lo: 8 },
  interfaces: [],
  devices: [],
  files: new Map([['/mydata/a.txt', asciiBytes('written on my-vm1\n')]]),
  programs: administratorsPrograms,
});
export const log: string[] = [];
function type(command: string): void {
  log.push(`[root@my-vm1 ~]# ${command}`);
  node.step(0, { kind: 'command', id: 1, command }, (output) => {
    if (output.kind === 'reply')
      log.push(...`${output.result.output}${output.result.errors}`.split('\n').filter(Boolean));
  });
}
node.step(0, { kind: 'boot', wall: { sec: 1_446_154_200, nsec: 0 }, carrier: [] }, () => {});
for (const command of ["echo 'appended' >> /mydata/a.txt", 'cat /mydata/a.txt', 'clustat']) type(command);
