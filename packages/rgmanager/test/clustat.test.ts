import { describe, expect, it } from 'vitest';
import { clustatView } from '../src/conformance/clustat-cases.js';
import { type ClustatView, formatClustat, parseClustat } from '../src/index.js';
import { vectors } from './vectors.js';

/** The recordings' cluster, with these services. */
function view(services: string): ClustatView {
  const nodes = { local: 2, up: '2345', rgmanager: '2345', rgmanager_reachable: 1, master: 0 };
  return clustatView({ quorate: 1, qdisk: 1, ...nodes, services });
}

const whole = view('service:a,112,2,1,0;vm:b,110,0,1,0');

function run(args: string, changes: Partial<ClustatView> = {}, columns?: number) {
  return formatClustat(parseClustat(['clustat', ...args.split(' ')]), { ...whole, ...changes }, columns);
}

describe('beside the recordings', () => {
  it('a narrow terminal cuts names, and a last owner within its parentheses', () => {
    const lines = run('', { services: view('service:my_service_group,119,0,3,0').services }, 34).output.split('\n');
    expect(lines.slice(3, 6)).toEqual([
      ' Member Name      ID   Status',
      ' ------ ----      ---- ------',
      ' my-vm1               1 Offline',
    ]);
    expect(lines.slice(12, 15)).toEqual([
      ' Service Owner ( State         ',
      ' ------- ----- - -----         ',
      ' service (my-vm) disabled      ',
    ]);
  });

  it.each([
    ['-s a', 0],
    ['-s vm:b', 110],
    ['-m my-vm3', 0],
    ['-m my-vm9', 255],
    ['-x -m my-vm9', 0],
    ['-s c', 255],
    ['-x -s c', 0],
    ['-m my-vm1 -s a', 1],
    ['-m my-vm2 -s c', 0],
    ['-x -m my-vm2 -s a', 255],
  ])('clustat %s exits %i', (args, status) => {
    expect(run(args).status).toBe(status);
  });

  it.each([
    ['-s a', 0],
    ['-x -s a', 255],
  ])('clustat %s exits %i while rgmanager does not answer', (args, status) => {
    expect(run(args, { services: undefined }).status).toBe(status);
  });

  it('nothing is printed of a member that is not there', () => {
    expect(run('-m my-vm9').output).toBe('');
  });

  it('a member and a service give the member', () => {
    expect(run('-m my-vm2 -s a').output).toBe(run('-m my-vm2').output);
    expect(run('-x -m my-vm2 -s a').output).toBe(run('-x -m my-vm2').output);
  });

  it('where there is no service nobody runs rgmanager', () => {
    expect(run('', { services: [] }).output).not.toContain('rgmanager');
    expect(run('-x', { services: [] }).output).not.toMatch(/groupmember="1"|rgmanager="1"|<groups>/);
  });

  it('-l -s prints the head of the table before the paragraph', () => {
    expect(run('-l -s a').output).toMatch(
      /^Service Information\n------- -----------\n\n Service Name .*\n ------- ---- .*\nService Name {6}: service:a\n/,
    );
    expect(run('-l -s c').output).toBe('Service Information\n------- -----------\n\n');
  });

  it('-x counts more than -l, and of -v, -I and -Q the last one', () => {
    expect(run('-x -l').output).toBe(run('-x').output);
    expect(run('-v -I').output).toBe('0x00000002\n');
    expect(run('-I -h').output).toBe(vectors.text('clustat/help.expected'));
  });

  it('-f knows no quorum disk, and shows nodes in the order of cman', () => {
    expect(run('-f').output).toMatch(/\n \/dev\/block\/8:33 +0 Online\n my-vm1/);
  });

  it('without quorum nobody is a member of the group', () => {
    expect(run('-x', { isQuorate: false }).output).toContain('<quorum quorate="0"\n groupmember="0"/>');
  });

  it('flags that nobody knows are told so', () => {
    const services = whole.services!.map((each) => ({ ...each, flags: 4 }));
    expect(run('-s a', { services }).output).toContain(' start[Unknown]\n');
    expect(run('-l -s a', { services }).output).toContain('Flags           : Unknown (4)\n');
  });

  it('-x -s prints that service only', () => {
    expect(run('-x -s a').output).toBe(
      [
        '<?xml version="1.0"?>',
        '<clustat version="4.1.1">',
        '  <groups>',
        '    <group name="service:a" state="112" state_str="started" flags="0" flags_str="" owner="my-vm2" last_owner="my-vm1" restarts="1" last_transition="1446155900" last_transition_str="Thu Oct 29 21:58:20 2015"/>',
        '  </groups>',
        '</clustat>',
        '',
      ].join('\n'),
    );
  });

  it('without quorum the XML has a line break', () => {
    expect(run('-x', { isQuorate: false, services: undefined }).output).toContain(
      '<quorum quorate="0"\n groupmember="0"/>',
    );
  });

  it('a node that is not in the configuration comes behind the others, and only while it is up', () => {
    const { members } = whole;
    const stranger = { ...members[1]!, id: 3, name: 'stranger', isEstranged: true };
    const at = (isOnline: boolean) => run('', { members: [{ ...stranger, isOnline }, ...members] }).output;
    expect(at(true)).toMatch(/my-vm5 .*\n stranger .* 3 Online, Estranged\n .dev/);
    expect(at(false)).not.toContain('stranger');
  });

  it('shows who is in standby', () => {
    const members = whole.members.map((each) => (each.id === 3 ? { ...each, isStandby: true } : each));
    expect(run('', { members }).output).toMatch(/my-vm3 +3 Online, rgmanager, Standby\n/);
    expect(run('-x', { members }).output).toContain('qdisk="0" nodeid="0x00000003" standby="1"/>');
    expect(run('-x').output).not.toContain('standby');
  });

  it('tells why rgmanager gives no states', () => {
    const { output } = run('', { services: undefined, refusal: -6 });
    expect(output).toMatch(/^Service states unavailable: Temporary failure; try again\nCluster Status/);
  });

  it.each([
    ['-z', "clustat: invalid option -- 'z'\n"],
    ['-m', "clustat: option requires an argument -- 'm'\n"],
  ])('clustat %s is wrong, and ends well', (args, errors) => {
    expect(run(args)).toEqual({ status: 0, output: vectors.text('clustat/help.expected'), errors });
  });

  it('options stand together, and -i asks for repetition', () => {
    expect(parseClustat(['clustat', '-fli0'])).toMatchObject({ isFast: true, format: 'long', intervalSec: 1 });
  });
});
