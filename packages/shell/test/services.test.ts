import { SECOND } from '@quorate/kernel';
import type { CmanCall } from '@quorate/node';
import type { CmanNodeStatus, CmanStatus } from '@quorate/quorum';
import { Result, type RgReply, type RgRequest, type ServiceRecord, ServiceState } from '@quorate/rgmanager';
import { describe, expect, it } from 'vitest';
import { administratorsPrograms } from '../src/index.js';
import { run } from './fake-os.js';

function cmanNode(nodeId: number, name: string, changes: Partial<CmanNodeStatus> = {}): CmanNodeStatus {
  return { nodeId, name, state: 'member', isUs: false, ...changes } as CmanNodeStatus;
}

const NODES = [
  cmanNode(1, 'my-vm1', { state: 'dead' }),
  cmanNode(2, 'my-vm2', { isUs: true }),
  cmanNode(3, 'my-vm3'),
  cmanNode(0, '/dev/block/8:33'),
];
const STATUS: Partial<CmanStatus> = { clusterName: 'my-cluster', clusterId: 25554, generation: 6604, isQuorate: true };
const SERVICE: ServiceRecord = {
  name: 'service:my_service_group',
  owner: 2,
  lastOwner: 1,
  state: ServiceState.STARTED,
  restarts: 0,
  transition: 1_446_155_900,
  flags: 0,
};

interface Cluster {
  readonly status?: Partial<CmanStatus> | string | undefined;
  /** What rgmanager answers, and what it was asked. */
  readonly rgmanager?: RgReply | string;
  readonly asked?: RgRequest[];
}

/** The daemons of my-vm2. */
function daemons({ rgmanager = 'ECONNREFUSED', asked = [], ...rest }: Cluster) {
  const status = 'status' in rest ? rest.status : STATUS;
  return (daemon: string, request: unknown): unknown => {
    if (daemon === 'rgmanager') {
      asked.push(request as RgRequest);
      return rgmanager;
    }
    if (typeof status === 'string') return status;
    switch ((request as CmanCall).kind) {
      case 'status':
        return status;
      case 'nodes':
        return NODES;
      default:
        return [2];
    }
  };
}

function type(line: string, cluster: Cluster = {}, timeout = Infinity) {
  return run(administratorsPrograms.get(line.split(' ')[0]!)!, line, { call: daemons(cluster), timeout });
}

const MEMBERS = `Cluster Status for my-cluster @ Thu Oct 29 21:59:40 2015
Member Status: Quorate

 Member Name                             ID   Status
 ------ ----                             ---- ------
 my-vm1                                      1 Offline
 my-vm2                                      2 Online, Local, rgmanager
 my-vm3                                      3 Online
 /dev/block/8:33                             0 Online, Quorum Disk

`;
const SERVICES = ` Service Name                   Owner (Last)                   State         
 ------- ----                   ----- ------                   -----         
 service:my_service_group       my-vm2                         started       
`;

describe('clustat', () => {
  const services: RgReply = { kind: 'status', services: [SERVICE], members: [2] };

  it('shows members, and services where rgmanager runs', () => {
    expect(type('clustat', { rgmanager: services })).toEqual({ status: 0, output: MEMBERS + SERVICES, errors: '' });
    expect(type('clustat').output).toBe(MEMBERS.replace(', rgmanager', ''));
  });

  it('says which node decides for all', () => {
    const { output } = type('clustat', { rgmanager: { ...services, master: 2 } });
    expect(output).toBe(MEMBERS.replace('rgmanager', 'RG-Master') + SERVICES);
  });

  it.each([
    ['cman does not run', 'ECONNREFUSED'],
    ['cman has had no configuration yet', undefined],
  ])('says so when %s', (_, status) => {
    const errors = 'Could not connect to CMAN: Connection refused\n';
    expect(type('clustat', { status })).toEqual({ status: 1, output: '', errors });
  });

  it('says which nodes are in standby', () => {
    const { output } = type('clustat', { rgmanager: { ...services, standby: [2, 3] } });
    expect(output).toContain('2 Online, Local, rgmanager, Standby\n');
    expect(output).toContain('3 Online, Standby\n');
  });

  it('asks rgmanager fast or slowly as it is told, and not at all for a member', () => {
    const asked: RgRequest[] = [];
    for (const line of ['clustat', 'clustat -f', 'clustat -m my-vm2']) type(line, { rgmanager: services, asked });
    expect(asked).toEqual([
      { kind: 'status', isFast: false },
      { kind: 'status', isFast: true },
    ]);
  });

  it('-i shows it again and again until it is killed', () => {
    const { status, output } = type('clustat -i 5', { rgmanager: services }, 12 * SECOND);
    const shown = [...output.matchAll(/@ Thu Oct 29 (\S+)/g)].map(([, clock]) => clock);
    expect([status, shown]).toEqual([137, ['21:59:40', '21:59:45', '21:59:50']]);
  });

  it.each([
    ['-Q', 0],
    ['-v', 0],
    ['-z', 0],
  ])('clustat %s ends with %i', (argument, status) => {
    expect(type(`clustat ${argument}`, { rgmanager: services }).status).toBe(status);
  });
});

describe('clusvcadm', () => {
  const done: RgReply = { kind: 'result', code: Result.SUCCESS, owner: 3 };

  it('asks rgmanager, and says before and after what is done', () => {
    const asked: RgRequest[] = [];
    const { status, output } = type('clusvcadm -r my_service_group -m my-vm3', { rgmanager: done, asked });
    expect(asked).toEqual([{ kind: 'relocate', service: 'service:my_service_group', target: 3 }]);
    expect([status, output]).toEqual([
      0,
      'Trying to relocate service:my_service_group to my-vm3...Success\nservice:my_service_group is now running on my-vm3\n',
    ]);
  });

  it.each<[string, Cluster]>([
    ['rgmanager does not run', {}],
    ['rgmanager does not listen', { rgmanager: { kind: 'unreachable' } }],
    ['rgmanager refuses', { rgmanager: { kind: 'result', code: Result.NOSERVICE, owner: 0 } }],
    ['nothing runs', { status: 'ECONNREFUSED' }],
  ])('fails when %s', (_, cluster) => {
    expect(type('clusvcadm -d web', cluster).status).not.toBe(0);
  });

  it('asks nothing for a command line that means nothing', () => {
    const asked: RgRequest[] = [];
    expect(type('clusvcadm', { rgmanager: done, asked }).status).not.toBe(0);
    expect(asked).toEqual([]);
  });
});

describe('ps', () => {
  const WALL_SEC = 1_446_155_980;
  const httpd = ['/usr/sbin/httpd', '-Dmy_apache', '-d', '/etc/httpd', '-k', 'start'];

  it.each([
    ['the time of what was started today', WALL_SEC - 1300, '21:38'],
    ['the day of what was started a day ago', WALL_SEC - 86_400, 'Oct28'],
    ['a day with one digit', WALL_SEC - 20 * 86_400, 'Oct09'],
  ])('shows %s', (_, startedAt, start) => {
    const processes = [{ pid: 13_539, parent: 1, argv: httpd, startedAt }];
    const { output } = run(administratorsPrograms.get('ps')!, 'ps aux', { processes, wallSec: WALL_SEC });
    expect(output.split('\n')[1]).toBe(
      `root     13539  0.0  0.0      0     0 ?        S<s  ${start}   0:00 ${httpd.join(' ')}`,
    );
  });
});
