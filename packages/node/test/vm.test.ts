import { it } from 'vitest';
import { checkConsole } from './console.js';
import { TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';

const FILES = {
  '/etc/libvirt/qemu/guest.xml': '<domain type="kvm"><name>guest</name></domain>\n',
  '/srv/vm/other.xml': '<domain type="kvm"><name>other</name></domain>\n',
};

it('vm.txt: virtual machines are started, stopped and sent to another machine', () => {
  const machine = new TestMachine({
    files: FILES,
    programs: { ...TEST_PROGRAMS, '/etc/rc.d/rc': TEST_PROGRAMS.echo! },
  });
  machine.boot();
  checkConsole('vm', machine);
});
