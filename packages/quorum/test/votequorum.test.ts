import { ByteWriter, fromHex, hex } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeVotequorumMessage,
  encodeVotequorumMessage,
  type NodeInfo,
  NodeInfoFlag,
  type Reconfigure,
  Votequorum,
  type VotequorumConfig,
  type VotequorumInput,
} from '../src/votequorum/index.js';

const encode = (message: NodeInfo | Reconfigure): Uint8Array =>
  encodeVotequorumMessage(new ByteWriter(true, 64), message);

/** Nodes whose casts come to all members of their ring, in one order. */
class Nodes {
  readonly said: string[] = [];
  readonly #nodes = new Map<number, Votequorum>();
  #seq = 4;

  constructor(count: number, options: Partial<VotequorumConfig> = {}) {
    for (let nodeId = 1; nodeId <= count; nodeId++) this.boot(nodeId, { expectedVotes: count, ...options });
  }

  boot(nodeId: number, options: Partial<VotequorumConfig> & { readonly expectedVotes: number }): void {
    this.#nodes.set(nodeId, new Votequorum({ nodeId, votes: 1, ...options }));
  }

  node(id: number): Votequorum {
    return this.#nodes.get(id)!;
  }

  /** A new ring and its synchronisation. */
  ring(...members: readonly number[]): void {
    this.#seq += 4;
    const ring = { representative: members[0]!, seq: this.#seq };
    for (const kind of ['configuration', 'sync-process', 'sync-activate'] as const) {
      const input = kind === 'configuration' ? { kind, ring, members } : { kind };
      for (const member of members) this.step(member, input, members);
    }
  }

  step(id: number, input: VotequorumInput, members: readonly number[]): void {
    const casts: Uint8Array[] = [];
    this.node(id).step(0, input, (output) => {
      if (output.kind === 'cast') casts.push(output.payload.slice());
      else
        this.said.push(`${id}: ${output.total} of ${output.expected}, ${output.isQuorate ? 'quorate' : 'inquorate'}`);
    });
    for (const payload of casts) {
      for (const member of members) this.step(member, { kind: 'deliver', from: id, payload }, members);
    }
  }

  /** What they say by that. */
  heard(act: () => void): string[] {
    this.said.length = 0;
    act();
    return [...this.said];
  }
}

describe('messages of votequorum', () => {
  it.each<[string, string, NodeInfo | Reconfigure]>([
    [
      'a node that starts, as corosync 3.1.7 sent it',
      '0000050000000000200000000000000003000000010000000300000008000000',
      { kind: 'node-info', node: 3, votes: 1, expectedVotes: 3, flags: NodeInfoFlag.first },
    ],
    [
      'a quorate node, as corosync 3.1.7 sent it',
      '0000050000000000200000000000000002000000010000000300000001000000',
      { kind: 'node-info', node: 2, votes: 1, expectedVotes: 3, flags: NodeInfoFlag.quorate },
    ],
    [
      'an administrator lowers what is expected',
      '0100050000000000200000000000000002000000010000000100000000000000',
      { kind: 'reconfigure', param: 'expected-votes', node: 2, value: 1 },
    ],
  ])('%s', (_, bytes, message) => {
    expect(decodeVotequorumMessage(fromHex(bytes))).toEqual(message);
    expect(hex(encode(message))).toBe(bytes);
  });

  it('of a big-endian node read the same', () => {
    const bytes = fromHex('0005000000000000000000200000000000000003000000010000000300000008');
    expect(decodeVotequorumMessage(bytes)).toMatchObject({ node: 3, votes: 1, expectedVotes: 3, flags: 8 });
  });

  it('of others, and what is none, are passed over', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const message = decodeVotequorumMessage(bytes);
        expect(message === undefined || bytes.length === 32).toBe(true);
      }),
    );
  });
});

describe('votes', () => {
  it('of three nodes: a half of the ring is quorate, one node alone is not', () => {
    const nodes = new Nodes(3);
    expect(nodes.heard(() => nodes.ring(1))).toEqual(['1: 1 of 3, inquorate']);
    expect(nodes.heard(() => nodes.ring(1, 2, 3))).toEqual([
      '1: 3 of 3, quorate',
      '2: 3 of 3, quorate',
      '3: 3 of 3, quorate',
    ]);
    expect(nodes.heard(() => nodes.ring(1, 2))).toEqual(['1: 2 of 3, quorate', '2: 2 of 3, quorate']);
    expect(nodes.heard(() => nodes.ring(3))).toEqual(['3: 1 of 3, inquorate']);
  });

  it('of two nodes: each is enough once both were there', () => {
    const nodes = new Nodes(2, { isTwoNode: true });
    expect(nodes.heard(() => nodes.ring(1))).toEqual(['1: 1 of 2, inquorate']);
    expect(nodes.node(1).inspect().isWaitingForAll).toBe(true);
    expect(nodes.heard(() => nodes.ring(1, 2))).toEqual(['1: 2 of 2, quorate', '2: 2 of 2, quorate']);
    expect(nodes.heard(() => nodes.ring(2))).toEqual(['2: 1 of 2, quorate']);
  });

  it('a node that waits for all need not wait where others are quorate', () => {
    const nodes = new Nodes(3, { isWaitForAll: true });
    nodes.ring(1, 2, 3);
    nodes.ring(1, 2);
    nodes.boot(3, { expectedVotes: 3, isWaitForAll: true });
    nodes.ring(1, 2, 3);
    nodes.ring(2, 3);
    expect(nodes.node(3).inspect()).toMatchObject({ isQuorate: true, isWaitingForAll: false });
  });

  it('a node whose votes nobody expected raises what is expected', () => {
    const nodes = new Nodes(2);
    nodes.ring(1, 2);
    nodes.boot(3, { expectedVotes: 2, votes: 3 });
    nodes.ring(1, 2, 3);
    expect(nodes.node(1).inspect()).toMatchObject({ total: 5, expected: 5, quorum: 3 });
  });

  it('an administrator lowers what is expected, on all nodes', () => {
    const nodes = new Nodes(5);
    nodes.ring(1, 2, 3, 4, 5);
    nodes.ring(1, 2);
    const lower: VotequorumInput = { kind: 'reconfigure', param: 'expected-votes', node: 1, value: 2 };
    expect(nodes.heard(() => nodes.step(1, lower, [1, 2]))).toEqual(['1: 2 of 2, quorate', '2: 2 of 2, quorate']);
  });

  it('an administrator takes the votes of a node away', () => {
    const nodes = new Nodes(3);
    nodes.ring(1, 2, 3);
    nodes.step(1, { kind: 'reconfigure', param: 'node-votes', node: 3, value: 0 }, [1, 2, 3]);
    expect(nodes.node(2).inspect()).toMatchObject({ total: 2, isQuorate: true });
  });

  it('an administrator ends the wait for all', () => {
    const nodes = new Nodes(3, { isWaitForAll: true });
    nodes.ring(1, 2);
    const cancel: VotequorumInput = { kind: 'reconfigure', param: 'cancel-wait-for-all', node: 1, value: 0 };
    expect(nodes.heard(() => nodes.step(1, cancel, [1, 2]))).toEqual(['1: 2 of 3, quorate', '2: 2 of 3, quorate']);
  });

  it("the votes of other nodes' quorum device are expected, but are not this node's", () => {
    const nodes = new Nodes(2);
    nodes.ring(1, 2);
    const payload = encode({ kind: 'node-info', node: 0, votes: 1, expectedVotes: 0, flags: 0 });
    nodes.step(1, { kind: 'deliver', from: 2, payload }, [1, 2]);
    expect(nodes.node(1).inspect()).toMatchObject({ total: 2, expected: 3, quorum: 2 });
  });

  it.each([
    [{ votes: 256, expectedVotes: 1 }, 'votes: found "256", expected 0 to 255'],
    [{ votes: 1, expectedVotes: 0 }, 'expectedVotes: found "0", expected at least 1'],
  ])('of %j are refused', (config, message) => {
    expect(() => new Votequorum({ nodeId: 1, ...config })).toThrow(message);
  });
});
