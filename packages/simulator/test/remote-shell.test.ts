import { it } from 'vitest';
import { expectAnswers, type Line } from './typed-lines.js';

const TYPED: readonly Line[] = [
  [
    'my-vm1',
    'df /mydata',
    /^Filesystem {11}1K-blocks .*\n\/dev\/mapper\/my--vg1-my--store1\n {22}20\d{6} .* \/mydata\n$/,
  ],
  ['my-vm1', 'ssh my-vm2 uptime', /^ \d\d:\d\d:\d\d up 0 min, {2}1 user,/],
  ['my-vm1', "ssh my-vm3 'hostname; clustat -s my_service_group | grep -c started'", /^my-vm3\n1\n$/],
  ['my-vm1', 'scp /etc/cluster/cluster.conf my-vm4:/tmp/c.conf', /^$/],
  ['my-vm4', 'ssh my-vm1 cat /tmp/c.conf', /No such file/],
  ['my-vm4', 'head -n 2 /tmp/c.conf', /<cluster config_version="34" name="my-cluster">/],
  ['my-vm5', 'scp my-vm4:/tmp/c.conf /mydata && ssh my-vm2 ls /mydata', /c\.conf/],
  ['my-vm4', 'cd /mydata; scp c.conf my-vm1: && ssh my-vm1 "pwd; ls"', /^\/root\nc\.conf\n$/],
  ['my-vm3', 'sed -i s/config_version=\\"34\\"/config_version=\\"35\\"/ /etc/cluster/cluster.conf', /^$/],
  ['my-vm3', 'cman_tool version -r; sleep 1; ssh my-vm5 cman_tool version', /^6\.2\.0 config 35\n$/],
  ['my-vm4', 'ifconfig eth0 down', /^$/],
  ['my-vm3', 'ccs_sync', /^(Unable to connect to my-vm4|Failed to connect to my-vm4: Connection timed out\.)\n$/],
  ['my-vm3', 'ccs_sync -i my-vm2; ssh my-vm2 head -n 2 /etc/cluster/cluster.conf', /<cluster config_version="36"/],
  ['my-vm3', 'ccs_sync -w my-vm9', /^Warning: my-vm9 is not listed as a node in .*\nAborting\.\n$/],
  ['my-vm1', 'ssh my-vm4 date', /^ssh: connect to host my-vm4 port 22: (No route to host|Connection timed out)\n$/],
];

it('an administrator works on one machine from another', () => {
  expectAnswers(TYPED);
});
