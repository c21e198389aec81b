import { it } from 'vitest';
import { expectAnswers, type Line } from './typed-lines.js';

const SERVICE = 'my_service_group';

const TYPED: readonly Line[] = [
  [
    'my-vm2',
    `clusvcadm -r ${SERVICE} -m my-vm3`,
    /^Trying to relocate .*\.\.\.Success\n.* is now running on my-vm3\n$/,
  ],
  ['my-vm1', 'clustat -s my_service_group', / my-vm3 +started +\n$/],
  ['my-vm1', `clusvcadm -d ${SERVICE}`, /disabling .*\.\.\.Success\n$/],
  ['my-vm4', 'clustat', /\(my-vm3\) +disabled/],
  ['my-vm5', `clusvcadm -e ${SERVICE} -m my-vm2`, /trying to enable .*\.\.\.Success\n.*is now running on my-vm2\n$/],
  ['my-vm5', `clusvcadm -R ${SERVICE}`, /restart .*\.\.\.Success\n$/],
  ['my-vm5', `clusvcadm -Z ${SERVICE}`, /freezing .*\.\.\.Success\n$/],
  ['my-vm1', 'clustat', / my-vm2 +started +\[Z\]/],
  ['my-vm5', `clusvcadm -U ${SERVICE}`, /unfreezing .*\.\.\.Success\n$/],
  ['my-vm3', `clusvcadm -F -e ${SERVICE}`, /Service is already running\n$/],
  ['my-vm1', 'clusvcadm -e nothing', /Service does not exist/],
  ['my-vm1', 'cman_tool nodes', /^ {3}1 {3}M /m],
  ['my-vm1', 'ps aux', /httpd|rgmanager/],
  [
    'my-vm2',
    'group_tool ls',
    /^fence domain\nmember count {2}5\n.*\n\ndlm lockspaces\nname .*members {7}1 2 3 4 5 \n\ngfs mountgroups\nname .*flags {9}0x00000048 mounted\n.*members {7}1 2 3 4 5 \n\n$/s,
  ],
  ['my-vm2', 'echo kept > /mydata/kept; sync; echo $?', /^0\n$/],
  ['my-vm1', 'cat /mydata/kept /etc/redhat-release', /^kept\nCentOS release 6\.7 \(Final\)\n$/],
  ['my-vm2', 'group_tool dump fence', /^\d+ fenced.* started\n.* set_master from 0 to (complete|low) node 1\n/s],
];

it('an administrator moves, disables, enables, restarts and freezes the service', () => {
  expectAnswers(TYPED);
});
