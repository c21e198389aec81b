import { parseClusterConf } from '@quorate/cluster-conf';
import { ConfigError, MILLISECOND, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { ringAddresses, type StackConfig, stackConfigOf } from '../src/stack-config.js';

const ADDRESSES = new Map([
  ['my-vm1', '10.156.76.74'],
  ['my-vm2', '10.156.76.92'],
  ['my-vm3', '10.156.76.48'],
]);

function config(body: string, attributes = 'name="my-cluster"', node = 'my-vm2'): StackConfig {
  const nodes = [...ADDRESSES.keys()].map((name, i) => `<clusternode name="${name}" nodeid="${i + 1}"/>`);
  const text = `<cluster ${attributes} config_version="34"><clusternodes>${nodes.join('')}</clusternodes>${body}</cluster>`;
  return stackConfigOf(parseClusterConf(text).conf, node, (name) => ADDRESSES.get(name));
}

describe('every daemon has its part of cluster.conf', () => {
  it('this node, and the ring addresses of all', () => {
    const { nodeId, totemNodes, cman } = config('');
    expect(nodeId).toBe(2);
    expect(totemNodes).toEqual([...ADDRESSES.values()].map((address, i) => ({ id: i + 1, address })));
    expect(cman.nodes?.map(({ name, votes, addresses }) => [name, votes, addresses])).toEqual(
      [...ADDRESSES].map(([name, address]) => [name, 1, [address]]),
    );
    expect([...ringAddresses(config(''))]).toEqual(totemNodes.map(({ id, address }) => [id, address]));
  });

  it.each([
    // The walk-through's values.
    ['hashed', '<cman hash_cluster_id="yes"/>', 25554, '239.192.99.54'],
    ['of the file', '<cman cluster_id="777"/>', 777, '239.192.3.12'],
    ['and address of the file', '<cman cluster_id="777"><multicast addr="239.1.2.3"/></cman>', 777, '239.1.2.3'],
  ])('cluster id %s', (_, body, clusterId, address) => {
    const { cman, multicastAddress } = config(body);
    expect([cman.clusterId, cman.multicastAddresses, multicastAddress]).toEqual([clusterId, [address], address]);
  });

  it.each([
    ['without a value the device is polled within a token', '<totem token="21000"/>', 21 * SECOND],
    ['with one', '<totem token="21000"/><cman quorum_dev_poll="50000"/>', 50 * SECOND],
  ])('quorum_dev_poll: %s', (_, body, expected) => {
    expect(config(body).cman.quorumDevPoll).toBe(expected);
  });

  it.each([
    ['', { token: 10 * SECOND, consensus: 12 * SECOND, join: 60 * MILLISECOND }],
    ['<totem token="5000" join="100"/>', { token: 5 * SECOND, consensus: 7 * SECOND, join: 100 * MILLISECOND }],
    [
      '<totem send_join="80" merge="300" downcheck="2000"/>',
      { sendJoin: 80 * MILLISECOND, merge: 300 * MILLISECOND, downcheck: 2 * SECOND },
    ],
    ['', { heartbeat: Infinity, sendJoin: 0 }],
    ['', { tokenRetransmit: 2380 * MILLISECOND, hold: 1894 * MILLISECOND }],
    ['<totem token_retransmit="500"/>', { tokenRetransmit: 500 * MILLISECOND, hold: 390 * MILLISECOND }],
    ['<totem hold="200"/>', { tokenRetransmit: 2380 * MILLISECOND, hold: 200 * MILLISECOND }],
    ['<totem token="10500" heartbeat_failures_allowed="2"/>', { heartbeat: 5050 * MILLISECOND }],
    [
      '<totem token="10500" heartbeat_failures_allowed="2" max_network_delay="100"/>',
      { heartbeat: 5100 * MILLISECOND },
    ],
    ['<totem consensus="20000"/>', { token: 10 * SECOND, consensus: 20 * SECOND, join: 60 * MILLISECOND }],
    [
      '<totem window_size="300" max_messages="20" miss_count_const="9" fail_recv_const="100" seqno_unchanged_const="5"/>',
      { windowSize: 300, maxMessages: 20, missCountConst: 9, failRecvConst: 100, seqnoUnchangedConst: 5 },
    ],
  ])('totem %s', (body, expected) => {
    expect(config(body).totemTimings).toMatchObject(expected);
  });

  it('no quorum disk without a quorumd section', () => {
    expect(config('').quorumd).toBeUndefined();
  });

  it('what quorumd leaves out stays out, for qdiskd to derive', () => {
    const quorumd = config(
      '<quorumd label="myqdisk" min_score="1"><heuristic program="true" score="2" tko="10"/></quorumd>',
    ).quorumd!;
    expect(quorumd).toMatchObject({
      label: 'myqdisk',
      minScore: 1,
      heuristics: [{ program: 'true', score: 2, tko: 10 }],
    });
    for (const name of ['tko', 'tkoUp', 'votes', 'masterWait']) expect(quorumd).not.toHaveProperty(name);
    expect(quorumd.heuristics?.[0]).not.toHaveProperty('intervalSec');
  });

  it.each([
    ['tko', '23', { tko: 23 }],
    ['votes', '3', { votes: 3 }],
    ['reboot', '0', { reboot: false }],
    ['allow_kill', '0', { allowKill: false }],
    ['master_wins', '1', { masterWins: true }],
    ['stop_cman', '1', { stopCman: true }],
  ])('quorumd %s="%s"', (name, value, expected) => {
    expect(config(`<quorumd label="myqdisk" ${name}="${value}"/>`).quorumd).toMatchObject(expected);
  });

  it('fenced has nodes, devices and delays', () => {
    const { fenceConf, fenceDaemon } = config(
      '<fencedevices><fencedevice name="scsi" agent="fence_scsi"/></fencedevices><fence_daemon post_join_delay="6"/>',
    );
    expect(fenceConf.devices.map(({ name, agent }) => [name, agent])).toEqual([['scsi', 'fence_scsi']]);
    expect(fenceConf.nodes.map(({ name }) => name)).toEqual([...ADDRESSES.keys()]);
    expect(fenceDaemon).toMatchObject({ postJoinDelaySec: 6 });
  });
});

it.each([
  ['of which it is no node', 'my-vm9', (name: string) => ADDRESSES.get(name), '/cluster/clusternodes: found "my-vm9"'],
  [
    'with a name that has no address',
    'my-vm1',
    () => undefined,
    '/etc/hosts: found nothing, expected an address for my-vm1',
  ],
])('a node does not start with a file %s', (_, node, addressOf, message) => {
  const { conf } = parseClusterConf(
    '<cluster name="my-cluster" config_version="1"><clusternodes><clusternode name="my-vm1" nodeid="1"/></clusternodes></cluster>',
  );
  expect(() => stackConfigOf(conf, node, addressOf)).toThrow(ConfigError);
  expect(() => stackConfigOf(conf, node, addressOf)).toThrow(message);
});
