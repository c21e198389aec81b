import { describe, expect, it } from 'vitest';
import { DEVICE_FILE, fenceScsi, KEY_FILE } from '../src/index.js';
import { type Machine, newMachine, printing, run } from './fake-os.js';
import { ReservationModel } from './reservation-model.js';

const STATUS = 'Version: 6.2.0\nConfig Version: 34\nCluster Name: my-cluster\nCluster Id: 25554\nNode name: my-vm1\n';

/** A node of the walk-through's cluster with that disk as /dev/sdb. */
function node(id: number, disk: ReservationModel): Machine {
  const machine = newMachine(`my-vm${id}`);
  machine.programs.set('fence_scsi', fenceScsi);
  machine.programs.set('cman_tool', function* (argv, os) {
    if (argv[1] === 'status') os.print(STATUS);
    else if (/^my-vm\d$/.test(argv[3] ?? '')) os.print(`${argv[3]!.slice(-1)}\n`);
    else return 1;
    return 0;
  });
  machine.scsi = (device, cdb, data) => (device === '/dev/sdb' ? disk.command(`my-vm${id}`, cdb, data) : 'ENXIO');
  return machine;
}

function cluster(): { disk: ReservationModel; nodes: Machine[] } {
  const disk = new ReservationModel();
  const nodes = [1, 2, 3, 4, 5].map((id) => node(id, disk));
  for (const [i, each] of nodes.entries()) expect(run(each, 'fence_scsi', on(i + 1)).status).toBe(0);
  return { disk, nodes };
}

const on = (id: number): string => `action=on\nnodename=my-vm${id}\nagent=fence_scsi\ndevices=/dev/sdb\n`;
const off = (id: number): string => `nodename=my-vm${id}\nagent=fence_scsi\ndevices=/dev/sdb\n`;
const status = (id: number): string => `action=status\n${off(id)}`;
const keys = (disk: ReservationModel): string[] => [...disk.registrations.values()].map((key) => key.toString(16));
const errorsOf = (machine: Machine, input: string): string =>
  run(machine, 'fence_scsi', input).errors.replace(/^.*\[/, '[');

describe('unfencing five nodes', () => {
  const { disk, nodes } = cluster();

  it('registers each key, and the first node reserves', () => {
    expect(keys(disk)).toEqual(['63d20001', '63d20002', '63d20003', '63d20004', '63d20005']);
    expect(disk.holder).toBe('my-vm1');
    expect(disk.trace.filter((line) => !line.includes('READ'))).toEqual([
      'my-vm1: REGISTER AND IGNORE EXISTING KEY type 0',
      'my-vm1: RESERVE type 5',
      ...[2, 3, 4, 5].map((id) => `my-vm${id}: REGISTER AND IGNORE EXISTING KEY type 0`),
    ]);
  });

  it('counts one generation per registration', () => {
    expect(disk.generation).toBe(5);
  });

  it('leaves the key and the device in files', () => {
    expect(nodes[2]!.files.get(KEY_FILE)).toBe('63d20003\n');
    expect(nodes[2]!.files.get(DEVICE_FILE)).toBe('/dev/sdb\n');
  });

  it('may be repeated: the device is listed once', () => {
    expect(run(nodes[2]!, 'fence_scsi', on(3)).status).toBe(0);
    expect(nodes[2]!.files.get(DEVICE_FILE)).toBe('/dev/sdb\n');
  });
});

describe('fencing', () => {
  it('a node that holds no reservation loses its key; the holder stays', () => {
    const { disk, nodes } = cluster();
    expect(run(nodes[0]!, 'fence_scsi', off(5)).status).toBe(0);
    expect(keys(disk)).toEqual(['63d20001', '63d20002', '63d20003', '63d20004']);
    expect([disk.holder, disk.generation]).toEqual(['my-vm1', 6]);
  });

  it('the holder makes the fencing node the holder', () => {
    const { disk, nodes } = cluster();
    expect(run(nodes[3]!, 'fence_scsi', off(1)).status).toBe(0);
    expect([disk.holder, disk.generation]).toEqual(['my-vm4', 6]);
    expect(keys(disk)).not.toContain('63d20001');
  });

  it('a node that is fenced already is success without a command', () => {
    const { disk, nodes } = cluster();
    run(nodes[0]!, 'fence_scsi', off(5));
    disk.trace.length = 0;
    expect(run(nodes[1]!, 'fence_scsi', off(5)).status).toBe(0);
    expect(disk.trace).toEqual(['my-vm2: READ KEYS', 'my-vm2: READ KEYS', 'my-vm2: READ RESERVATION']);
  });

  it('by a node that was fenced itself fails: the verification finds the key', () => {
    const { nodes } = cluster();
    run(nodes[0]!, 'fence_scsi', off(2));
    const { status: exit, output, errors } = run(nodes[1]!, 'fence_scsi', off(1));
    expect(exit).toBe(1);
    expect(output).toContain('[debug] failed to remove key 63d20001 from device /dev/sdb\n');
    expect(errors).toBe('Oct 29 14:05:00 fence_scsi: [error] main::do_verify_off: failed to verify 1 devices\n');
  });

  it('oneself is refused', () => {
    const { nodes } = cluster();
    expect(errorsOf(nodes[0]!, off(1))).toBe('[error] main::do_action_off\n');
  });

  it('without an own key ends as perl does', () => {
    const machine = node(1, new ReservationModel());
    expect(run(machine, 'fence_scsi', off(2))).toMatchObject({ status: 2, errors: 'No such file or directory\n' });
  });

  it('waits for `delay` seconds first', () => {
    const { nodes } = cluster();
    run(nodes[0]!, 'fence_scsi', `delay=7\n${off(5)}`);
    expect(nodes[0]!.now).toBe(7e9);
  });
});

describe('status', () => {
  it('0 while the key is registered, 2 afterwards', () => {
    const { nodes } = cluster();
    expect(run(nodes[0]!, 'fence_scsi', status(5)).status).toBe(0);
    run(nodes[0]!, 'fence_scsi', off(5));
    expect(run(nodes[0]!, 'fence_scsi', status(5)).status).toBe(2);
  });
});

describe('unit attentions', () => {
  it('are swallowed before a command that must not meet one', () => {
    const { disk, nodes } = cluster();
    disk.attentions.set('my-vm1', 3);
    expect(run(nodes[0]!, 'fence_scsi', off(5)).status).toBe(0);
    disk.attentions.set('my-vm5', 2);
    expect(run(nodes[4]!, 'fence_scsi', on(5)).status).toBe(0);
  });
});

describe('keys and devices', () => {
  it.each([
    ['0x63d20009', '63d20009'],
    ['00abc', 'abc'],
    ['ABC', 'abc'],
  ])('key=%s registers %s', (key, registered) => {
    const disk = new ReservationModel();
    const machine = newMachine('anybody');
    machine.programs.set('fence_scsi', fenceScsi);
    machine.scsi = (_device, cdb, data) => disk.command('anybody', cdb, data);
    expect(run(machine, ['fence_scsi', '-o', 'on', '-k', key, '-d', '/dev/sdb , /dev/sdb']).status).toBe(0);
    expect(keys(disk)).toEqual([registered]);
  });

  it('an index of four hex digits each, without leading zeros', () => {
    const disk = new ReservationModel();
    const machine = node(1, disk);
    machine.programs.set('cman_tool', function* (argv, os) {
      os.print(argv[1] === 'status' ? 'Cluster Id: 42\n' : '10\n');
      return 0;
    });
    run(machine, 'fence_scsi', on(1));
    expect(keys(disk)).toEqual(['2a000a']);
  });

  it.each([
    ['a key of zero', 'key=0\ndevices=/dev/sdb\n', '[error] key cannot be zero\n'],
    ['a key that is no number', 'key=xyz\ndevices=/dev/sdb\n', '[error] key cannot be zero\n'],
    ['a node that cman does not know', 'nodename=nobody\ndevices=/dev/sdb\n', '[error] main::get_node_id (err=1)\n'],
    ['a device that is not there', `action=on\nkey=1\ndevices=/dev/sdz\n`, '[error] device /dev/sdz does not exist\n'],
    ['an action it does not have', `action=reboot\n${off(2)}`, "[error] unknown action 'reboot'\n"],
    ['no devices', 'nodename=my-vm1\n', '[error] main::get_devices_clvm (err=127)\n'],
  ])('%s', (_, input, errors) => {
    const machine = node(1, new ReservationModel());
    expect(errorsOf(machine, input)).toBe(errors);
  });

  it('devices default to the physical volumes of clustered volume groups', () => {
    const disk = new ReservationModel();
    const machine = node(1, disk);
    machine.programs.set('vgs', printing('  wz--nc:/dev/sdb\n  wz--n-:/dev/sda2\n'));
    expect(run(machine, 'fence_scsi', 'action=on\nnodename=my-vm1\n').status).toBe(0);
    expect(keys(disk)).toEqual(['63d20001']);
    machine.programs.set('vgs', printing('  wz--n-:/dev/sda2\n'));
    expect(errorsOf(machine, 'nodename=my-vm1\n')).toBe('[error] no devices found\n');
  });

  it('without cman there is no key', () => {
    const machine = node(1, new ReservationModel());
    machine.programs.set('cman_tool', printing('', 1));
    expect(errorsOf(machine, off(2))).toBe('[error] main::get_cluster_id (err=1)\n');
  });

  it('a registration that fails, and a reservation that nobody has, are failures', () => {
    const disk = new ReservationModel();
    disk.failing.add('REGISTER AND IGNORE EXISTING KEY type 0');
    expect(errorsOf(node(1, disk), on(1))).toBe(
      '[error] failed to create registration (key=63d20001, device=/dev/sdb)\n',
    );
    disk.failing.clear();
    disk.failing.add('RESERVE type 5');
    expect(errorsOf(node(1, disk), on(1))).toBe(
      '[error] failed to create reservation (key=63d20001, device=/dev/sdb)\n',
    );
    disk.failing.add('READ KEYS');
    expect(errorsOf(node(1, disk), status(1))).toBe('[error] main::get_registration_keys (err=24)\n');
  });
});

describe('what it says', () => {
  const times = (output: string): string => output.replaceAll(/^Oct 29 14:05:00 fence_scsi: /gm, '');

  it.each([
    [
      'on, as the first node',
      on(1),
      [
        '[debug] main::do_register_ignore (node_key=63d20001, dev=/dev/sdb)',
        '[debug] main::do_reset (dev=/dev/sdb, status=0)',
        '[debug] main::do_register_ignore (err=0)',
        '[debug] main::do_reserve (host_key=63d20001, dev=/dev/sdb)',
        '[debug] main::do_reserve (err=0)',
      ],
    ],
    ['status', status(1), ['[debug] main::do_reset (dev=/dev/sdb, status=0)']],
  ])('%s', (_, input, lines) => {
    const machine = node(1, new ReservationModel());
    expect(times(run(machine, 'fence_scsi', input).output)).toBe(lines.map((line) => `${line}\n`).join(''));
  });

  it('off', () => {
    const { nodes } = cluster();
    expect(times(run(nodes[0]!, 'fence_scsi', off(5)).output)).toBe(
      '[debug] main::do_preempt_abort (host_key=63d20001, node_key=63d20005, dev=/dev/sdb)\n' +
        '[debug] main::do_preempt_abort (err=0)\n',
    );
  });

  it('nothing with -q', () => {
    const machine = node(1, new ReservationModel());
    expect(run(machine, 'fence_scsi -q -o on -n my-vm1 -d /dev/sdb')).toEqual({ status: 0, output: '', errors: '' });
    expect(run(machine, 'fence_scsi -q -o on -n my-vm1 -d /dev/sdz')).toEqual({ status: 1, output: '', errors: '' });
  });

  it('all of it in the log file, run after run', () => {
    const { nodes } = cluster();
    const log = '/var/log/cluster/fence_scsi.log';
    expect(run(nodes[0]!, 'fence_scsi', `logfile=${log}\n${off(5)}`)).toEqual({ status: 0, output: '', errors: '' });
    expect(run(nodes[0]!, 'fence_scsi', `logfile=${log}\n${off(1)}`)).toEqual({ status: 1, output: '', errors: '' });
    expect(times(nodes[0]!.files.get(log)!)).toBe(
      '[debug] main::do_preempt_abort (host_key=63d20001, node_key=63d20005, dev=/dev/sdb)\n' +
        '[debug] main::do_preempt_abort (err=0)\n' +
        '[error] main::do_action_off\n',
    );
  });

  it('a log file, a key file or a device file that cannot be written ends it as perl does', () => {
    const { nodes } = cluster();
    const machine = nodes[0]!;
    machine.refused.set('/log', 'EISDIR');
    expect(run(machine, 'fence_scsi', `logfile=/log\n${off(5)}`)).toEqual({
      status: 21,
      output: '',
      errors: 'Is a directory\n',
    });
    machine.refused.set(DEVICE_FILE, 'ENOSPC');
    machine.files.delete(DEVICE_FILE);
    expect(run(machine, 'fence_scsi', on(1))).toMatchObject({ status: 28, errors: 'No space left on device\n' });
    machine.refused.set(KEY_FILE, 'EROFS');
    expect(run(machine, 'fence_scsi', on(1))).toMatchObject({ status: 30, errors: 'Read-only file system\n' });
  });
});

describe('several devices', () => {
  /** Two disks, /dev/sdb and /dev/sdc. */
  function pair(): { disks: ReservationModel[]; nodes: Machine[] } {
    const disks = [new ReservationModel(), new ReservationModel()];
    const nodes = [1, 2].map((id) => {
      const machine = node(id, disks[0]!);
      machine.scsi = (device, cdb, data) => {
        const disk = disks[['/dev/sdb', '/dev/sdc'].indexOf(device)];
        return disk === undefined ? 'ENOENT' : disk.command(`my-vm${id}`, cdb, data);
      };
      return machine;
    });
    return { disks, nodes };
  }
  const both = (input: string): string => input.replace('/dev/sdb', '/dev/sdb,/dev/sdc');

  it('each is registered, reserved and listed; the victim goes from each', () => {
    const { disks, nodes } = pair();
    for (const [i, each] of nodes.entries()) expect(run(each, 'fence_scsi', both(on(i + 1))).status).toBe(0);
    expect(disks.map(({ holder }) => holder)).toEqual(['my-vm1', 'my-vm1']);
    expect(nodes[1]!.files.get(DEVICE_FILE)).toBe('/dev/sdb\n/dev/sdc\n');
    expect(run(nodes[0]!, 'fence_scsi', both(off(2))).status).toBe(0);
    expect(disks.map(keys)).toEqual([['63d20001'], ['63d20001']]);
  });

  it('status is success with the key on one of them', () => {
    const { disks, nodes } = pair();
    run(nodes[0]!, 'fence_scsi', both(on(1)));
    disks[0]!.registrations.clear();
    expect(run(nodes[0]!, 'fence_scsi', both(status(1))).status).toBe(0);
    disks[1]!.registrations.clear();
    expect(run(nodes[0]!, 'fence_scsi', both(status(1))).status).toBe(2);
  });

  it('that of which one does not let the victim go fail, and say how many', () => {
    const { disks, nodes } = pair();
    for (const [i, each] of nodes.entries()) run(each, 'fence_scsi', both(on(i + 1)));
    disks[1]!.failing.add('PREEMPT AND ABORT type 5');
    expect(errorsOf(nodes[0]!, both(off(2)))).toBe('[error] main::do_verify_off: failed to verify 1 devices\n');
    expect(disks.map(keys)).toEqual([['63d20001'], ['63d20001', '63d20002']]);
  });

  it('that race: each of two nodes wins one disk, both fail, and neither can write to both', () => {
    const { disks, nodes } = pair();
    for (const [i, each] of nodes.entries()) run(each, 'fence_scsi', both(on(i + 1)));
    // Each begins with another disk.
    const first = run(nodes[0]!, 'fence_scsi', off(2));
    const second = run(nodes[1]!, 'fence_scsi', off(1).replace('/dev/sdb', '/dev/sdc'));
    expect([first.status, second.status]).toEqual([0, 0]);
    expect(run(nodes[0]!, 'fence_scsi', both(off(2))).status).toBe(1);
    expect(run(nodes[1]!, 'fence_scsi', both(off(1))).status).toBe(1);
    expect(disks.map(keys)).toEqual([['63d20001'], ['63d20002']]);
  });
});

describe('a multipath device', () => {
  /** /dev/mapper/mpatha is /dev/dm-1, which lies on /dev/dm-0, which has two paths to one disk. */
  function multipath(): { disk: ReservationModel; machine: Machine } {
    const disk = new ReservationModel();
    const machine = node(1, disk);
    machine.scsi = (device, cdb, data) =>
      disk.command(device.startsWith('/dev/dm') || device.startsWith('/dev/mapper') ? '/dev/sdb' : device, cdb, data);
    machine.directories.set('/sys/block', ['dm-0', 'dm-1', 'sdb', 'sdc']);
    machine.directories.set('/sys/block/dm-1/slaves', ['dm-0']);
    machine.directories.set('/sys/block/dm-0/slaves', ['sdb', 'sdc']);
    machine.files.set('/sys/block/dm-1/dm/name', 'mpatha\n');
    return { disk, machine };
  }

  it.each(['/dev/dm-0', '/dev/dm-1', '/dev/mapper/mpatha'])('%s is registered on each path', (device) => {
    const { disk, machine } = multipath();
    expect(run(machine, ['fence_scsi', '-o', 'on', '-k', '1', '-d', device])).toMatchObject({ status: 0, errors: '' });
    expect([...disk.registrations]).toEqual([
      ['/dev/sdb', 1n],
      ['/dev/sdc', 1n],
    ]);
    expect(machine.files.get(DEVICE_FILE)).toBe(`${device}\n`);
  });

  it('without a list of its paths ends as perl does', () => {
    const { machine } = multipath();
    machine.directories.delete('/sys/block/dm-0/slaves');
    expect(run(machine, ['fence_scsi', '-o', 'on', '-k', '1', '-d', '/dev/dm-0'])).toMatchObject({ status: 2 });
  });
});

describe('usage', () => {
  const machine = node(1, new ReservationModel());
  it.each([
    ['without node and key', 'fence_scsi', 'action=on\n', ''],
    ['with -h', 'fence_scsi -h', '', ''],
    ['after an unknown option', 'fence_scsi -x', '', 'Unknown option: x\n'],
  ])('is printed %s', (_, line, input, errors) => {
    const result = run(machine, line, input);
    expect(result).toMatchObject({ status: 0, errors });
    expect(result.output).toMatch(/^Usage:\n\nfence_scsi \[options\]\n\nOptions:\n {2}-a {15}Use APTPL flag\n/);
    expect(result.output).toMatch(/\n {2}-q {15}Quiet mode\n {2}-V {15}Version\n$/);
  });

  it('-V names the release', () => {
    expect(run(machine, 'fence_scsi -V')).toEqual({ status: 0, output: 'fence_scsi 3.1.5\n', errors: '' });
  });

  it('metadata names the parameters and the actions; unfencing is on the target', () => {
    const { output } = run(machine, 'fence_scsi', 'action=metadata\n');
    expect(output).toContain(
      '<resource-agent name="fence_scsi" shortdesc="fence agent for SCSI-3 persistent reservations">',
    );
    expect(output.match(/parameter name="\w+"/g)?.map((each) => each.slice(16, -1))).toEqual(
      'aptpl devices logfile delay key action nodename'.split(' '),
    );
    expect(output).toContain('\t<action name="on" on_target="1"/>\n\t<action name="off"/>\n');
    expect(output).toContain('\t\t<content type="string" default="off"/>\n');
    expect(output).not.toContain('reboot');
  });
});
