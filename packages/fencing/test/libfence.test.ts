import { describe, expect, it } from 'vitest';
import { agentInput, type DeviceUse, type FenceConf, parseAgentInput } from '../src/index.js';
import { type AgentRun, fenceNode, fenceNodeStatus, logEntryText, unfenceNode } from '../src/libfence.js';

const use = (name: string, values: Record<string, string> = {}): DeviceUse => ({
  name,
  arguments: new Map(Object.entries(values)),
});
const device = (name: string, agent: string, values: Record<string, string> = {}) => ({
  name,
  agent,
  arguments: new Map(Object.entries({ agent, ...values })),
});

describe('what an agent is told', () => {
  it.each([
    [
      'the device of the node, the victim, the fence device',
      use('pr'),
      device('pr', 'fence_scsi', { devices: '/dev/sdb' }),
      'nodename=my-vm5\nagent=fence_scsi\ndevices=/dev/sdb\n',
    ],
    [
      'the attributes keep their order',
      use('hv', { port: 'my-vm5', action: 'off' }),
      device('hv', 'fence_power', { ipaddr: '10.0.0.1' }),
      'port=my-vm5\naction=off\nnodename=my-vm5\nagent=fence_power\nipaddr=10.0.0.1\n',
    ],
    [
      'a nodename of the configuration stays',
      use('pr', { nodename: 'other' }),
      device('pr', 'fence_scsi'),
      'nodename=other\nagent=fence_scsi\n',
    ],
    [
      'anything that ends in nodename counts as one',
      use('pr', { vmnodename: 'x' }),
      device('pr', 'fence_scsi'),
      'vmnodename=x\nagent=fence_scsi\n',
    ],
  ] as const)('%s', (_, deviceUse, fenceDevice, text) => {
    expect(agentInput('my-vm5', deviceUse, fenceDevice, 'fence')).toBe(text);
  });

  it('a status query replaces the action', () => {
    expect(agentInput('my-vm5', use('hv', { action: 'off', port: 'p' }), device('hv', 'fence_power'), 'status')).toBe(
      'port=p\nnodename=my-vm5\naction=status\nagent=fence_power\n',
    );
  });

  it('is at most 4095 bytes long', () => {
    expect(agentInput('n', use('pr', { key: 'x'.repeat(4080) }), device('pr', 'a'), 'fence')).toBeUndefined();
  });

  it('is read with comments and blanks, the last value of a key counts', () => {
    const options = parseAgentInput('# port=none\n action = off \nport=a\n\nport=b=c\nnothing\n=x\n');
    expect([...options]).toEqual([
      ['action', 'off'],
      ['port', 'b=c'],
    ]);
  });
});

const conf: FenceConf = {
  nodes: [
    {
      nodeId: 1,
      name: 'two-methods',
      fenceMethods: [
        { name: 'power', devices: [use('a'), use('b')] },
        { name: 'scsi', devices: [use('c')] },
      ],
      unfenceDevices: [use('c'), use('a')],
    },
    { nodeId: 2, name: 'nothing', fenceMethods: [], unfenceDevices: [] },
    {
      nodeId: 3,
      name: 'broken',
      fenceMethods: [
        { name: 'empty', devices: [] },
        { name: 'dangling', devices: [use('gone')] },
        { name: 'long', devices: [use('a', { key: 'x'.repeat(5000) })] },
      ],
      unfenceDevices: [],
    },
  ],
  devices: [device('a', 'agent_a'), device('b', 'agent_b'), device('c', 'agent_c')],
};

/** Runs an operation with agents that return these exit statuses, and tells which were run. */
function play<R extends { result: string; log: readonly Parameters<typeof logEntryText>[0][] }>(
  operation: Generator<AgentRun, R, number>,
  statuses: Readonly<Record<string, number>>,
): [string, string[], string[]] {
  const agents: string[] = [];
  let step = operation.next(0);
  while (step.done !== true) {
    agents.push(step.value.agent);
    step = operation.next(statuses[step.value.agent] ?? 0);
  }
  return [step.value.result, agents, step.value.log.map(logEntryText)];
}

describe('fencing a node', () => {
  it('one method is enough, all its devices have to succeed', () => {
    expect(play(fenceNode(conf, 'two-methods'), {})).toEqual([
      'success',
      ['agent_a', 'agent_b'],
      ['dev 0.0 agent agent_a result: success', 'dev 0.1 agent agent_b result: success'],
    ]);
  });

  it('a device that fails ends its method', () => {
    expect(play(fenceNode(conf, 'two-methods'), { agent_a: 1 })).toEqual([
      'success',
      ['agent_a', 'agent_c'],
      ['dev 0.0 agent agent_a result: error from agent', 'dev 1.0 agent agent_c result: success'],
    ]);
    expect(play(fenceNode(conf, 'two-methods'), { agent_b: 137, agent_c: 2 })).toEqual([
      'failed',
      ['agent_a', 'agent_b', 'agent_c'],
      [
        'dev 0.0 agent agent_a result: success',
        'dev 0.1 agent agent_b result: error from agent',
        'dev 1.0 agent agent_c result: error from agent',
      ],
    ]);
  });

  it.each([
    ['nothing', 'undefined', ['dev 0.0 agent none result: error no method']],
    ['unknown', 'undefined', ['dev 0.0 agent none result: error no method']],
    [
      'broken',
      'failed',
      [
        'dev 0.0 agent none result: error no device',
        'dev 1.0 agent none result: error config agent',
        'dev 2.0 agent agent_a result: error config args',
      ],
    ],
  ])('%s: %s', (name, result, log) => {
    expect(play(fenceNode(conf, name), {})).toEqual([result, [], log]);
  });
});

describe('the name of a node', () => {
  const named = (...names: string[]): FenceConf => ({
    nodes: names.map((name, i) => ({
      nodeId: i + 1,
      name,
      fenceMethods: [{ name: 'm', devices: [use('a')] }],
      unfenceDevices: [use('a')],
    })),
    devices: [device('a', 'agent_a')],
  });
  it.each([
    ['itself', 'my-vm1.lab', ['my-vm1', 'my-vm1.lab'], 'my-vm1.lab'],
    ['its host part', 'my-vm1.lab', ['MY-VM1', 'my-vm1'], 'my-vm1'],
    ['the host part of a node', 'my-vm1', ['my-vm1.lab'], 'my-vm1.lab'],
    ['in another case', 'My-VM1.else', ['my-vm1.lab'], 'my-vm1.lab'],
  ])('%s', (_, asked, names, found) => {
    const conf = named(...names);
    for (const operation of [fenceNode(conf, asked), unfenceNode(conf, asked), fenceNodeStatus(conf, asked)]) {
      expect(operation.next(0)).toMatchObject({ value: { input: expect.stringContaining(`nodename=${found}\n`) } });
    }
  });
});

describe('unfencing a node', () => {
  it('uses all devices, also after a failure', () => {
    expect(play(unfenceNode(conf, 'two-methods'), { agent_c: 1 })).toEqual([
      'failed',
      ['agent_c', 'agent_a'],
      ['dev 0.0 agent agent_c result: error from agent', 'dev 0.1 agent agent_a result: success'],
    ]);
    expect(play(unfenceNode(conf, 'two-methods'), {})[0]).toBe('success');
  });

  it('without an unfence section is undefined', () => {
    expect(play(unfenceNode(conf, 'nothing'), {})).toEqual([
      'undefined',
      [],
      ['dev 0.0 agent none result: error no device'],
    ]);
  });
});

describe('status of a node', () => {
  const status = (statuses: Record<string, number>, method = 0) => {
    const operation = fenceNodeStatus(conf, 'two-methods', method);
    let step = operation.next(0);
    while (step.done !== true) step = operation.next(statuses[step.value.agent] ?? 0);
    return [step.value.result, step.value.isOn, step.value.log.length];
  };
  it.each([
    [{}, 0, ['success', true, 3]],
    [{ agent_a: 2, agent_b: 2, agent_c: 2 }, 0, ['success', false, 3]],
    [{ agent_a: 2, agent_b: 2 }, 0, ['success', true, 3]],
    [{ agent_b: 1 }, 0, ['failed', false, 2]],
    [{ agent_a: 1, agent_c: 2 }, 2, ['success', false, 1]],
    [{}, 3, ['undefined', false, 1]],
  ] as const)('%j, method %i', (statuses, method, expected) => {
    expect(status(statuses, method)).toEqual(expected);
  });

  it('is not known when no device was asked', () => {
    const step = fenceNodeStatus(conf, 'broken', 1).next(0);
    expect(step.value).toEqual({
      result: 'failed',
      log: [expect.objectContaining({ error: 'no-device' })],
      isOn: false,
    });
  });
});
