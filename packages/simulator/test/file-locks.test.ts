import { it } from 'vitest';
import { expectAnswers, type Line } from './typed-lines.js';

const FILE = '/mydata/lock';

const TYPED: readonly Line[] = [
  ['my-vm1', `flock ${FILE} echo held`, /^held\n$/],
  // Another process of the same machine, while the first one has it.
  ['my-vm1', `flock ${FILE} flock -n ${FILE} echo both`, /^$/],
  ['my-vm1', `flock -s ${FILE} flock -s -n ${FILE} echo both`, /^both\n$/],
  ['my-vm2', `flock -n ${FILE} echo free`, /^free\n$/],
  [
    'my-vm2',
    `flock --fcntl ${FILE} dlm_tool plocks storage`,
    /^\d+ WR 0-9223372036854775807 nodeid 2 pid \d+ owner [0-9a-f]+ rown 2\n$/,
  ],
  ['my-vm2', `flock --fcntl ${FILE} flock --fcntl -n ${FILE} echo both`, /^$/],
  ['my-vm3', `flock --fcntl -n ${FILE} dlm_tool plocks storage`, /nodeid 3 .* rown 0\n$/],
  ['my-vm2', `flock --fcntl -s ${FILE} flock --fcntl -s -n ${FILE} echo both`, /^both\n$/],
  ['my-vm1', 'flock /etc/lock echo nothing', /^flock: \/etc\/lock: Operation not supported\n$/],
  ['my-vm1', 'dlm_tool health', /^\S+ running\n(\S+ running\n)*healthy\n$/],
  ['my-vm1', 'dlm_tool status', /^cluster nodeid 1 quorate 1 ring seq (\d+) \1\n/],
  ['my-vm1', 'dlm_tool lockdebug rgmanager -s', /\n {2}remote master \d+\n/],
];

it('locks on files of a cluster file system: of one machine, and of several', () => {
  expectAnswers(TYPED);
});
