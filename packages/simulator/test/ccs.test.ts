import { it } from 'vitest';
import { expectAnswers, type Line } from './typed-lines.js';

const STARTED = /^Starting ricci: .*OK/;

const TYPED: readonly Line[] = [
  ['my-vm1', 'ccs -h my-vm3 --lsnodes', /^Unable to connect to my-vm3, make sure the ricci server is started\.\n$/],
  ...[1, 2, 3, 4, 5].map((n): Line => [`my-vm${n}`, 'service ricci start', STARTED]),
  ['my-vm1', 'ccs -h my-vm3 --addresource ip address=10.156.76.59', /^$/],
  ['my-vm1', 'ccs -h my-vm3 --getversion; ccs --getversion', /^35\n34\n$/],
  ['my-vm1', 'ccs -h my-vm3 --checkconf', /^(Node: my-vm[1245] does not match\.\n){4}$/],
  ['my-vm1', 'ccs -h my-vm3 --sync --activate', /^$/],
  ['my-vm1', 'ccs --checkconf', /^All nodes in sync\.\n$/],
  ['my-vm5', 'cman_tool version', /^6\.2\.0 config 35\n$/],
  ['my-vm5', 'chkconfig ricci on', /^$/],
  ['my-vm1', 'ccs -h my-vm5 --stop', /^Stopped my-vm5\n$/],
  ['my-vm5', 'cman_tool status; chkconfig --list cman', /^(?!Version).*cman .*3:off/s],
  ['my-vm1', 'ccs -h my-vm5 --start --noenable', /^Started my-vm5\n$/],
  ['my-vm5', 'cman_tool version; chkconfig --list rgmanager', /^6\.2\.0 config 35\n.*3:off/],
  ['my-vm2', 'service ricci stop', /OK/],
  [
    'my-vm1',
    'ccs --sync --activate',
    /^Unable to connect to my-vm2, make sure the ricci server is started\.\nNot activated: not every node has the file\.\n$/,
  ],
];

it('a cluster is edited, told and stopped by ccs from one of its machines', () => {
  expectAnswers(TYPED);
});
