import { describe, expect, it } from 'vitest';
import { DEVICE_FILE, fenceScsiCheck, KEY_FILE } from '../src/index.js';
import { type Machine, newMachine, run } from './fake-os.js';
import { ReservationModel } from './reservation-model.js';

const CHECK = '/etc/watchdog.d/fence_scsi_check';
const HARD = '/etc/watchdog.d/fence_scsi_check_hardreboot';

/** A node that has registered its key with both disks. */
function registered(): { disks: ReservationModel[]; machine: Machine } {
  const disks = [new ReservationModel(), new ReservationModel()];
  const machine = newMachine('my-vm1');
  for (const path of [CHECK, HARD]) machine.programs.set(path, fenceScsiCheck);
  machine.scsi = (device, cdb, data) =>
    disks[['/dev/sdb', '/dev/sdc'].indexOf(device)]?.command('my-vm1', cdb, data) ?? 'ENOENT';
  for (const disk of disks) disk.registrations.set('my-vm1', 0xabcn);
  machine.files.set(KEY_FILE, 'ABC\n');
  machine.files.set(DEVICE_FILE, '/dev/sdb\n/dev/sdc\n');
  machine.files.set('/etc/sysconfig/watchdog', '# what the init script reads\nVERBOSE=yes\n');
  return { disks, machine };
}

/** Runs the check and gives its status and what it said, without times and names. */
function check(machine: Machine): [number, string[], string] {
  const { status, output, errors } = run(machine, `${CHECK} test`);
  const bare = (text: string): string => text.replaceAll(`Oct 29 14:05:00 [${CHECK}] `, '');
  return [status, bare(output).trimEnd().split('\n'), bare(errors)];
}

describe('a node that was not fenced', () => {
  it('has its key on one of its devices at least', () => {
    const { disks, machine } = registered();
    expect(check(machine)).toEqual([0, ['debug: key ABC registered with device /dev/sdb'], '']);
    disks[0]!.registrations.clear();
    expect(check(machine)).toEqual([
      0,
      ['debug: key ABC not registered with device /dev/sdb', 'debug: key ABC registered with device /dev/sdc'],
      '',
    ]);
  });

  it.each([
    ['no devices yet', DEVICE_FILE, undefined, `debug: ${DEVICE_FILE} does not exit`],
    ['an empty list of devices', DEVICE_FILE, '', `debug: ${DEVICE_FILE} is empty`],
    ['no key yet', KEY_FILE, undefined, `debug: ${KEY_FILE} does not exist`],
    ['an empty key file', KEY_FILE, '', `debug: ${KEY_FILE} is empty`],
  ])('may have %s', (_, file, content, said) => {
    const { disks, machine } = registered();
    for (const disk of disks) disk.registrations.clear();
    if (content === undefined) machine.files.delete(file);
    else machine.files.set(file, content);
    expect(check(machine)).toEqual([0, [said], '']);
  });

  it('may have a disk that does not answer: that is no proof', () => {
    const { disks, machine } = registered();
    disks[0]!.registrations.clear();
    disks[1]!.failing.add('READ KEYS');
    expect(check(machine)).toEqual([
      0,
      ['debug: key ABC not registered with device /dev/sdb'],
      'error: sg_persist -n -i -k -d /dev/sdc\n',
    ]);
  });

  it('may have a unit attention pending, even the one that tells of the preemption', () => {
    const { disks, machine } = registered();
    disks[0]!.attentions.set('my-vm1', 1);
    expect(check(machine)[0]).toBe(0);
    disks[0]!.attentions.set('my-vm1', 2);
    expect(check(machine)).toEqual([0, [''], 'error: sg_persist -n -i -k -d /dev/sdb\n']);
  });
});

describe('a node that was fenced', () => {
  it('fails the test, and says nothing unless it is verbose', () => {
    const { disks, machine } = registered();
    for (const disk of disks) disk.registrations.clear();
    expect(check(machine)).toEqual([
      2,
      [
        'debug: key ABC not registered with device /dev/sdb',
        'debug: key ABC not registered with device /dev/sdc',
        'debug: key ABC not registered with any devices',
      ],
      '',
    ]);
    machine.files.set('/etc/sysconfig/watchdog', '#verbose=yes\n');
    expect(check(machine)).toEqual([2, [''], '']);
  });

  it.each([
    ['gives the failure back, so that the watchdog reboots', CHECK, 2, []],
    ['reboots at once under another name', HARD, 2, ['halt reboot']],
  ])('its repair %s', (_, path, status, log) => {
    const { machine } = registered();
    expect(run(machine, `${path} repair 2`)).toEqual({ status, output: '', errors: '' });
    expect(machine.log).toEqual(log);
  });
});
