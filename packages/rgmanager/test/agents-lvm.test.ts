import { beforeEach, expect, it } from 'vitest';
import { FakeMachine } from './agents-os.js';

const attributes = { name: 'data', vg_name: 'vg1' };
let machine: FakeMachine;
let tags: string[];
let isActive: boolean;

/** A group with one volume, on a node of a cluster of two. Real commands of LVM run in the tests of `@quorate/node`. */
beforeEach(() => {
  machine = new FakeMachine();
  tags = [];
  isActive = false;
  const prints = (textOf: (argv: readonly string[]) => string) =>
    function* (argv: readonly string[], os: { print(text: string): void }) {
      os.print(textOf(argv));
      return 0;
    };
  const { programs } = machine;
  programs.set(
    'vgs',
    prints((argv) => `  ${argv.includes('tags') ? tags.join(',') : 'wz--n-'}\n`),
  );
  programs.set(
    'lvs',
    prints(() => `  home -wi-${isActive ? 'a' : '-'}----\n`),
  );
  programs.set(
    'lvm',
    prints(() => 'volume_list=["@my-vm1"]\n'),
  );
  programs.set(
    'cman_tool',
    prints(() => 'Node name: my-vm1\n'),
  );
  programs.set(
    'corosync-quorumtool',
    prints(() => 'Nodeid     Name\n   1   my-vm1\n   2   my-vm2\n'),
  );
  programs.set('vgchange', function* ([, option, tag = '']) {
    if (option === '--addtag') tags.push(tag);
    else if (option === '--deltag') tags = tags.filter((each) => each !== tag);
    else if (option === '-an' && machine.failures.has('vg1')) return 5;
    else isActive = option === '-ay';
    return 0;
  });
});

it.each([
  ['nobody', [], 0, ['my-vm1']],
  ['this node', ['my-vm1'], 0, ['my-vm1']],
  ['a member', ['my-vm2'], 1, ['my-vm2']],
  ['a node that is no member', ['my-vm3'], 0, ['my-vm1']],
])('lvm start of a group of %s', (_, before, status, after) => {
  tags = [...before];
  expect(machine.agent('lvm', 'start', attributes).status).toBe(status);
  expect(tags).toEqual(after);
  expect(isActive).toBe(status === 0);
});

it('lvm stop takes the tag of this node away, and of no other', () => {
  tags = ['my-vm2'];
  isActive = true;
  expect(machine.agent('lvm', 'stop', attributes).status).toBe(0);
  expect([isActive, tags]).toEqual([false, ['my-vm2']]);
});

it.each([
  ['0', 'err [lvm] Logical volume vg1/home failed to shutdown', false],
  ['yes', 'err [lvm] Unable to deactivate vg1/home REBOOT', true],
])('lvm stop of a group that is in use, self_fence %s', (selfFence, text, isReset) => {
  machine.agent('lvm', 'start', attributes);
  machine.failures.set('vg1', 'EBUSY');
  expect(machine.agent('lvm', 'stop', { ...attributes, self_fence: selfFence }).status).toBe(1);
  expect(machine.logged('err')).toEqual([text]);
  expect(machine.done.includes('halt reboot')).toBe(isReset);
  expect(tags).toEqual(['my-vm1']);
});
