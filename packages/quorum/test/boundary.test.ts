import { ByteWriter, ConfigError, fromHex, SECOND } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Cman,
  type CmanConfig,
  type CmanInput,
  type CmanOutput,
  type TransitionMessage,
  writeHeader,
  writeMessage,
} from '../src/index.js';

const config: CmanConfig = {
  nodeId: 1,
  clusterName: 'my-cluster',
  clusterId: 25554,
  configVersion: 34,
  nodes: [
    { nodeId: 1, name: 'my-vm1' },
    { nodeId: 2, name: 'my-vm2' },
  ],
  quorumDevPoll: 10 * SECOND,
};

const ring = { representative: 1, seq: 4 };
const regular: CmanInput = { kind: 'configuration', type: 'regular', ring, members: [1, 2], joined: [], left: [] };

function outputsOf(cman: Cman, input: CmanInput): CmanOutput[] {
  const outputs: CmanOutput[] = [];
  cman.step(0, input, (output) => {
    if (output.kind !== 'cast') outputs.push(output);
  });
  return outputs;
}

const hello: TransitionMessage = {
  kind: 'transition',
  isFirst: true,
  clusterId: 25554,
  votes: 1,
  expectedVotes: 2,
  majorVersion: 6,
  minorVersion: 2,
  patchVersion: 0,
  configVersion: 34,
  flags: 0,
  fencedAt: 0,
  startedAt: 0,
  clusterName: 'my-cluster',
  fenceAgent: '',
};

function transitionFrom(from: number, rest: Partial<TransitionMessage>): CmanInput {
  const writer = writeHeader(new ByteWriter(true), { toPort: 0, fromPort: 0, from, to: 0 });
  return {
    kind: 'deliver',
    from,
    payload: writeMessage(writer, { ...hello, ...rest })
      .bytes()
      .slice(),
  };
}

describe('what arrives from outside', () => {
  it.each([
    ['00', 'truncated'],
    ['0000 0000 00000000 02000000 00000000', 'truncated'],
    ['0000 0000 00000000 02000000 00000000 05', 'truncated'],
    ['0000 0000 00000000 03000000 00000000 09', 'bad-source'],
    ['0000 0000 00000000 02000000 00000000 01', 'unknown-message'],
  ])('%s from node 2 is rejected as %s', (bytes, reason) => {
    const cman = new Cman(config);
    outputsOf(cman, regular);
    const outputs = outputsOf(cman, { kind: 'deliver', from: 2, payload: fromHex(bytes) });
    expect(outputs.filter(({ kind }) => kind !== 'log')).toEqual([{ kind: 'reject', from: 2, reason }]);
    expect(cman.inspect().rejected).toEqual({ [reason]: 1 });
  });

  it('for another node, or a port that is not open here, is passed over', () => {
    const cman = new Cman(config);
    outputsOf(cman, regular);
    for (const bytes of ['0000 0000 00000000 02000000 03000000 01', 'b1b1 0000 00000000 02000000 01000000 aa']) {
      expect(outputsOf(cman, { kind: 'deliver', from: 2, payload: fromHex(bytes) })).toEqual([]);
    }
  });

  it.each<[Partial<TransitionMessage>, string]>([
    [{ clusterName: 'other' }, "Node 2 conflict, remote cluster name='other', local='my-cluster'"],
    [{ clusterId: 1 }, 'Node 2 conflict, remote cluster id=1, local=25554'],
    [{ majorVersion: 5 }, 'Node 2 conflict, remote version id=5, local=6'],
  ])('a TRANSITION with %j makes no member', (rest, text) => {
    const cman = new Cman(config);
    outputsOf(cman, regular);
    expect(outputsOf(cman, transitionFrom(2, rest))).toEqual([
      { kind: 'log', priority: 'err', text },
      { kind: 'reject', from: 2, reason: 'conflict' },
    ]);
    expect(cman.nodes().map(({ state }) => state)).toEqual(['dead', 'dead']);
  });

  it('a node that is not in the file is a member with one vote and a name made up', () => {
    const cman = new Cman(config);
    outputsOf(cman, { ...regular, members: [1, 2, 7] });
    const outputs = outputsOf(cman, transitionFrom(7, {}));
    expect(outputs[0]).toEqual({ kind: 'log', priority: 'err', text: 'Got node from AIS id 7 with no config entry' });
    expect(cman.nodes().at(-1)).toMatchObject({ nodeId: 7, name: 'Node7', votes: 1, state: 'member' });
  });

  it('never throws', () => {
    const cman = new Cman({ ...config, isDisallowedEnabled: true });
    outputsOf(cman, regular);
    const prefix = fromHex('0000 0000 00000000 02000000 00000000');
    fc.assert(
      fc.property(fc.nat(12), fc.uint8Array({ maxLength: 80 }), fc.boolean(), (command, rest, hasHeader) => {
        const payload = hasHeader ? Uint8Array.of(...prefix, command, ...rest) : rest;
        cman.step(0, { kind: 'deliver', from: 2, payload }, () => {});
      }),
    );
  });
});

describe('before the first regular configuration', () => {
  const cman = new Cman(config);

  it('there is no status, no member, no quorum and no wake-up', () => {
    expect(cman.status()).toBeUndefined();
    expect(cman.isQuorate).toBe(false);
    expect(cman.nodes().map(({ state }) => state)).toEqual(['dead', 'dead']);
    expect(cman.listeners(0)).toEqual([]);
    expect(cman.deadline()).toBe(Infinity);
  });
});

describe('time', () => {
  it('is the wall clock that was told, carried forward and stepped', () => {
    const cman = new Cman(config);
    const steps: [number, CmanInput][] = [
      [3 * SECOND, { kind: 'start', wall: { sec: 1000, nsec: 900_000_000 } }],
      [3 * SECOND, { kind: 'clock-step', offset: -500 * SECOND }],
      [3 * SECOND, regular],
      [4 * SECOND, transitionFrom(2, {})],
    ];
    for (const [now, input] of steps) cman.step(now, input, () => {});
    expect(cman.nodes()[1]?.joinedAt).toBe(501);
  });
});

describe('after the last output', () => {
  it('nothing is heard, said or waited for any more', () => {
    const cman = new Cman(config);
    expect(outputsOf(cman, { kind: 'leave', isRemoved: false })).toEqual([{ kind: 'left' }]);
    expect(outputsOf(cman, regular)).toEqual([]);
    expect(cman.deadline()).toBe(Infinity);
    expect(cman.isQuorate).toBe(false);
  });
});

describe('a configuration that cman refuses', () => {
  const [first] = config.nodes;

  it.each<[Partial<CmanConfig>, string]>([
    [{ clusterName: '' }, 'clusterName: found nothing, expected 1 to 15 characters'],
    [{ clusterName: 'sixteen-letters-' }, 'clusterName: found "sixteen-letters-", expected 1 to 15 characters'],
    [{ clusterId: 65_536 }, 'clusterId: found "65536", expected 0 to 65535'],
    [{ quorumDevPoll: 0 }, 'quorumDevPoll: found "0", expected more than 0 ns'],
    [{ nodeId: 3 }, 'nodeId: found "3", expected the id of one of the nodes'],
    [{ configVersion: 0 }, 'configVersion: found "0", expected a positive 32-bit integer'],
    [{ expectedVotes: 0 }, 'expectedVotes: found "0", expected a positive 31-bit integer'],
    [{ nodes: [first!, first!] }, 'nodes[1].nodeId: found "1", expected a positive 31-bit integer of its own'],
    [{ nodes: [first!, { nodeId: 2, name: 'my-vm1' }] }, 'nodes[1].name: found "my-vm1", expected a name of its own'],
    [{ nodes: [{ ...first!, votes: 256 }] }, 'nodes[0].votes: found "256", expected 0 to 255'],
    [{ isTwoNode: true, nodes: [first!] }, 'isTwoNode: found "true", expected exactly two nodes with one vote each'],
  ])('%j', (rest, message) => {
    expect(() => new Cman({ ...config, ...rest })).toThrow(ConfigError);
    expect(() => new Cman({ ...config, ...rest })).toThrow(message);
  });
});
