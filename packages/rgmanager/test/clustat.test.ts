import { describe, expect, it } from 'vitest';
import { type ClustatView, formatClustat, parseClustat, type ServiceRecord } from '../src/index.js';
import { vector } from './vectors.js';

interface Situation {
  readonly columns: number | null;
  readonly quorate: number;
  readonly local: number;
  readonly up: string;
  readonly rgmanager: string;
  readonly rgmanager_reachable: number;
  readonly master: number;
  readonly services: string;
  readonly args: string;
  readonly exit: number;
}

const situations = JSON.parse(vector('clustat/cases.json')) as Readonly<Record<string, Situation>>;

function records(text: string): readonly ServiceRecord[] {
  return text.split(';').map((each) => {
    const [name = '', ...numbers] = each.split(',');
    const [state = 0, owner = 0, lastOwner = 0, flags = 0] = numbers.map(Number);
    return { name, state, owner, lastOwner, flags, restarts: 1, transition: 1446155900 };
  });
}

function view(situation: Situation): ClustatView {
  const nodes = [1, 2, 3, 4, 5].map((id) => ({
    id,
    name: `my-vm${id}`,
    isOnline: situation.up.includes(String(id)),
    isLocal: id === situation.local,
    hasRgmanager: situation.rgmanager.includes(String(id)),
    isMaster: id === situation.master,
    isQuorumDisk: false,
  }));
  const disk = { isOnline: true, isLocal: false, hasRgmanager: false, isQuorumDisk: true };
  return {
    clusterName: 'my-cluster',
    clusterId: 12345,
    generation: 32,
    wall: 1446155980,
    isQuorate: situation.quorate === 1,
    // cman gives the quorum disk first.
    members: [{ id: 0, name: '/dev/block/8:33', ...disk }, ...nodes],
    services: situation.rgmanager_reachable === 1 ? records(situation.services) : undefined,
  };
}

function run(args: string, changes: Partial<ClustatView> = {}, columns?: number) {
  const whole = view({ ...situations['plain-80-notty']!, services: 'service:a,112,2,1,0;vm:b,110,0,1,0' });
  return formatClustat(parseClustat(['clustat', ...args.split(' ')]), { ...whole, ...changes }, columns);
}

describe('what the original clustat prints', () => {
  it.each(Object.keys(situations))('%s', (name) => {
    const situation = situations[name]!;
    const args = situation.args === '' ? [] : situation.args.split(' ');
    const command = parseClustat(['clustat', ...args]);
    const result = formatClustat(command, view(situation), situation.columns ?? undefined);
    expect(result.output).toBe(vector(`clustat/${name}.expected`));
    expect(result.status).toBe(situation.exit);
  });
});

describe('beside the recordings', () => {
  it('a narrow terminal cuts names, and a last owner within its parentheses', () => {
    const lines = run('', { services: records('service:my_service_group,119,0,3,0') }, 34).output.split('\n');
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
    const { members } = view(situations['plain-80-notty']!);
    const stranger = { ...members[1]!, id: 3, name: 'stranger', isEstranged: true };
    const at = (isOnline: boolean) => run('', { members: [{ ...stranger, isOnline }, ...members] }).output;
    expect(at(true)).toMatch(/my-vm5 .*\n stranger .* 3 Online, Estranged\n .dev/);
    expect(at(false)).not.toContain('stranger');
  });

  it('tells why rgmanager gives no states', () => {
    const { output } = run('', { services: undefined, refusal: -6 });
    expect(output).toMatch(/^Service states unavailable: Temporary failure; try again\nCluster Status/);
  });

  it.each([
    ['-z', "clustat: invalid option -- 'z'\n"],
    ['-m', "clustat: option requires an argument -- 'm'\n"],
  ])('clustat %s is wrong', (args, errors) => {
    expect(run(args)).toEqual({ status: 1, output: vector('clustat/help.expected'), errors });
  });

  it('options stand together, and -i asks for repetition', () => {
    expect(parseClustat(['clustat', '-fli0'])).toMatchObject({ isFast: true, format: 'long', intervalSec: 1 });
  });
});
