import { describe, expect, it } from 'vitest';
import { type CmanNodeStatus, type CmanStatus, formatNodes, formatStatus, type NodeState } from '../src/index.js';

const status: CmanStatus = {
  version: '6.2.0',
  configVersion: 34,
  clusterName: 'my-cluster',
  clusterId: 25554,
  generation: 6604,
  state: 'member',
  nodes: 5,
  expectedVotes: 9,
  deviceVotes: 4,
  totalVotes: 9,
  nodeVotes: 1,
  quorum: 5,
  isQuorate: true,
  activeSubsystems: 11,
  isTwoNode: false,
  isShuttingDown: false,
  hasConfigError: false,
  isDisallowedEnabled: false,
  isDirty: false,
  ports: [0, 11, 177, 178],
  nodeName: 'my-vm1',
  nodeId: 1,
  multicastAddresses: ['239.192.99.54'],
  nodeAddresses: ['10.156.76.74'],
  disallowed: [],
};

describe('cman_tool status', () => {
  it('is that of the walk-through, with its trailing blanks', () => {
    expect(formatStatus(status)).toBe(
      [
        'Version: 6.2.0',
        'Config Version: 34',
        'Cluster Name: my-cluster',
        'Cluster Id: 25554',
        'Cluster Member: Yes',
        'Cluster Generation: 6604',
        'Membership state: Cluster-Member',
        'Nodes: 5',
        'Expected votes: 9',
        'Quorum device votes: 4',
        'Total votes: 9',
        'Node votes: 1',
        'Quorum: 5  ',
        'Active subsystems: 11',
        'Flags: ',
        'Ports Bound: 0 11 177 178  ',
        'Node name: my-vm1',
        'Node ID: 1',
        'Multicast addresses: 239.192.99.54 ',
        'Node addresses: 10.156.76.74 ',
        '',
      ].join('\n'),
    );
  });

  it('has no line for a device that is down, and says when activity is blocked', () => {
    const text = formatStatus({ ...status, deviceVotes: undefined, totalVotes: 1, isQuorate: false });
    expect(text).not.toContain('device');
    expect(text).toContain('\nQuorum: 5 Activity blocked\n');
  });

  it('has all flags in this order', () => {
    const text = formatStatus({
      ...status,
      isTwoNode: true,
      isShuttingDown: true,
      hasConfigError: true,
      isDisallowedEnabled: true,
      isDirty: true,
      disallowed: ['a', 'b'],
    });
    expect(text).toContain('\nFlags: 2node Shutdown Error DisallowedNodes DisallowedEnabled HaveState \n');
    expect(text.endsWith('\nDisallowed nodes: a b \n')).toBe(true);
  });

  it.each<[NodeState, string]>([
    ['joining', 'Joining'],
    ['member', 'Cluster-Member'],
    ['dead', 'Not-in-Cluster'],
    ['leaving', 'Leaving'],
    ['disallowed', 'Unknown: code=5'],
  ])('calls a node that is %s "%s"', (state, text) => {
    expect(formatStatus({ ...status, state })).toContain(`\nMembership state: ${text}\n`);
  });
});

function nodeOf(nodeId: number, name: string, incarnation: number, joinedAt: number, state: NodeState): CmanNodeStatus {
  return {
    nodeId,
    name,
    state,
    votes: 1,
    expectedVotes: 9,
    incarnation,
    joinedAt,
    leaveReason: 0,
    addresses: [`10.156.76.${73 + nodeId}`, `10.0.0.${nodeId}`],
    isUs: false,
    isFenced: false,
    fencedAt: 0,
    fenceAgent: '',
  };
}

const nodes = [
  nodeOf(5, 'my-vm5', 6604, 1_446_127_600, 'dead'),
  nodeOf(1, 'my-vm1', 6588, 1_446_127_541, 'member'),
  nodeOf(2, 'my-vm2', 6592, 1_446_127_544, 'member'),
  nodeOf(0, '/dev/block/8:33', 0, 1_446_127_862, 'member'),
];

describe('cman_tool nodes', () => {
  it('is a table by id, the quorum device first', () => {
    expect(formatNodes(nodes)).toBe(
      [
        'Node  Sts   Inc   Joined               Name',
        '   0   M      0   2015-10-29 14:11:02  /dev/block/8:33',
        '   1   M   6588   2015-10-29 14:05:41  my-vm1',
        '   2   M   6592   2015-10-29 14:05:44  my-vm2',
        '   5   X   6604                        my-vm5',
        '',
      ].join('\n'),
    );
  });

  it('-a has the addresses of members', () => {
    const text = formatNodes(nodes, { isAddressShown: true, names: ['my-vm1', 'my-vm5'] });
    expect(text.split('\n').slice(1)).toEqual([
      '   1   M   6588   2015-10-29 14:05:41  my-vm1',
      '       Addresses: 10.156.76.74 10.0.0.1 ',
      '   5   X   6604                        my-vm5',
      '',
    ]);
  });

  it('-n NAME -F id is what fence_scsi asks for', () => {
    expect(formatNodes(nodes, { names: ['my-vm2'], columns: ['id'] })).toBe('2 \n');
    expect(formatNodes(nodes, { names: ['nobody'], columns: ['id'] })).toBe('');
  });

  it('-F has the columns in the order asked for, and passes over what is none', () => {
    const columns = ['name', 'state', 'colour', 'type', 'addr', 'votes', 'exp'];
    expect(formatNodes(nodes, { names: ['my-vm1'], columns })).toBe('my-vm1 Member M 10.156.76.74,10.0.0.1 1 9 \n');
  });

  it('begins with a note when there are disallowed nodes', () => {
    const text = formatNodes([nodeOf(3, 'my-vm3', 8, 1_446_127_544, 'disallowed')]);
    expect(text.split('\n')).toEqual([
      'NOTE: There are 1 disallowed nodes,',
      '      members list may seem inconsistent across the cluster',
      'Node  Sts   Inc   Joined               Name',
      '   3   d      8   2015-10-29 14:05:44  my-vm3',
      '',
    ]);
  });
});
