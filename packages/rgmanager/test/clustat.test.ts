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
  ])('clustat %s exits %i', (args, status) => {
    expect(run(args).status).toBe(status);
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
  ])('clustat %s is wrong', (args, errors) => {
    expect(run(args)).toEqual({ status: 1, output: vectors.text('clustat/help.expected'), errors });
  });

  it('options stand together, and -i asks for repetition', () => {
    expect(parseClustat(['clustat', '-fli0'])).toMatchObject({ isFast: true, format: 'long', intervalSec: 1 });
  });
});
