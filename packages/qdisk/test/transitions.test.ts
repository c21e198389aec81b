import { describe, expect, it } from 'vitest';
import { checkVotes, doVote, masterExists } from '../src/election.js';
import { countHeartbeat, type Peer, unknownPeer } from '../src/peer.js';
import { DiskState, Message, type StatusBlock } from '../src/status-block.js';
import { transitionOf } from '../src/transitions.js';

const { NONE, EVICT, INIT, RUN, MASTER, EXIT } = DiskState;
const TKO = 4;
const TKO_UP = 2;

interface Sketch {
  readonly id?: number;
  readonly state?: number;
  readonly disk?: Partial<StatusBlock>;
  readonly misses?: number;
  readonly seen?: number;
  readonly incarnation?: string;
  readonly evil?: string;
}

function peer({ id = 2, state = NONE, disk = {}, misses = 0, seen = 0, incarnation = '', evil = '' }: Sketch): Peer {
  const blank = unknownPeer(id, 100);
  const status = { ...blank.status, updateNode: id, incarnation: 'aa', ...disk };
  return { ...blank, state, status, misses, seen, incarnation, evilIncarnation: evil };
}

describe('transitions, the first case that matches wins', () => {
  it.each([
    ['0: it said that it leaves', { state: EXIT, disk: { state: EVICT }, misses: 9 }, 'leaving'],
    ['1: up, and its block says evicted', { state: RUN, disk: { state: EVICT }, incarnation: 'aa' }, 'gone'],
    ['1: up, and its block says off', { state: MASTER, disk: { state: NONE }, incarnation: 'aa' }, 'gone'],
    ['1: dead to us, and now evicted', { state: EVICT, disk: { state: EVICT }, misses: 9 }, 'gone'],
    ['1: another incarnation', { state: RUN, disk: { state: INIT }, incarnation: 'bb' }, 'gone'],
    ['2: tko misses are not enough', { state: RUN, disk: { state: RUN }, incarnation: 'aa', misses: TKO }, 'alive'],
    ['2: one more is', { state: RUN, disk: { state: RUN }, incarnation: 'aa', misses: TKO + 1 }, 'silent'],
    [
      '2: also for one that initialises',
      { state: INIT, disk: { state: INIT }, incarnation: 'aa', misses: 5 },
      'silent',
    ],
    ['3: evil, and it wrote itself', { disk: { state: RUN }, evil: 'aa' }, 'undead'],
    ['3: evil, but it was the evictor who wrote', { disk: { state: EVICT, updateNode: 1 }, evil: 'aa' }, 'none'],
    ['4: tko_up heartbeats are not enough', { disk: { state: RUN }, seen: TKO_UP }, 'none'],
    ['4: one more is', { disk: { state: INIT }, seen: TKO_UP + 1 }, 'up'],
    ['5: a new master', { state: RUN, disk: { state: MASTER }, incarnation: 'aa', seen: 9 }, 'master'],
    ['6: up without an incarnation', { state: RUN, disk: { state: RUN }, seen: 9 }, 'restarted'],
    ['7: nothing new', { state: MASTER, disk: { state: MASTER }, incarnation: 'aa' }, 'alive'],
    ['not up', { disk: { state: NONE } }, 'none'],
  ] as const)('%s', (_, sketch, transition) => {
    expect(transitionOf(peer(sketch), TKO, TKO_UP)).toBe(transition);
  });
});

describe('heartbeats', () => {
  const read = (state: number, disk: Partial<StatusBlock>) => {
    const node = peer({ state, seen: 3, misses: 2 });
    const isMissed = countHeartbeat(node, { ...node.status, ...disk });
    return [isMissed, node.misses, node.seen];
  };
  it.each([
    ['a new time stamp', RUN, { state: RUN, timestamp: 101 }, [false, 0, 4]],
    ['an older one is new too', RUN, { state: RUN, timestamp: 99 }, [false, 0, 4]],
    ['the same', RUN, { state: RUN, timestamp: 100 }, [true, 3, 3]],
    ['the same of a node that is not up', NONE, { state: RUN, timestamp: 100 }, [false, 2, 3]],
    ['of a node that is off', RUN, { state: NONE, timestamp: 101 }, [false, 2, 3]],
    ['of a node that leaves', EXIT, { state: EXIT, timestamp: 100 }, [false, 0, 4]],
  ] as const)('%s', (_, state, disk, expected) => {
    expect(read(state, disk)).toEqual(expected);
  });
});

describe('who is master', () => {
  it.each([
    ['nobody', [], [0, 0, 3, 0]],
    ['a lower node runs', [{ id: 2, state: RUN, disk: { state: RUN } }], [0, 0, 2, 0]],
    ['a lower node initialises', [{ id: 2, state: INIT, disk: { state: INIT } }], [0, 0, 3, 0]],
    ['we, as our block says', [{ id: 3, disk: { state: MASTER } }], [3, 1, 3, 0]],
    [
      'two: the lower slot counts',
      [
        { id: 3, disk: { state: MASTER } },
        { id: 5, state: RUN, disk: { state: MASTER } },
      ],
      [3, 2, 3, 0],
    ],
    ['a dead one does not', [{ id: 1, state: NONE, disk: { state: MASTER } }], [0, 0, 3, 1]],
  ] as const)('%s', (_, sketches, [master, masters, lowId, deadMaster]) => {
    expect(masterExists(sketches.map(peer), 3)).toEqual({ master, masters, lowId, deadMaster });
  });
});

describe('votes', () => {
  const bid = { state: RUN, message: Message.BID, sequence: 7 };
  const ack = { state: RUN, message: Message.ACK, argument: 1 };
  it('goes to the lowest bidder below us that runs', () => {
    const bidders = [peer({ id: 1, state: INIT, disk: bid }), peer({ id: 2, state: RUN, disk: bid })];
    expect(doVote(bidders, 3)).toEqual({ bidder: 2, sequence: 7 });
    expect(doVote(bidders, 2)).toBeUndefined();
    expect(doVote([peer({ id: 5, state: RUN, disk: bid })], 3)).toBeUndefined();
  });

  it.each([
    ['alone', [], { result: 'all-acked' }],
    [
      'all acked',
      [
        { id: 2, state: RUN, disk: ack },
        { id: 3, state: MASTER, disk: ack },
      ],
      { result: 'all-acked' },
    ],
    ['a stale ACK counts', [{ id: 2, state: RUN, disk: { ...ack, sequence: 99 } }], { result: 'all-acked' }],
    [
      'one initialises',
      [
        { id: 2, state: RUN, disk: ack },
        { id: 3, state: INIT },
      ],
      { result: 'waiting' },
    ],
    [
      'one is dead',
      [
        { id: 2, state: RUN, disk: ack },
        { id: 3, state: EVICT },
      ],
      { result: 'all-acked' },
    ],
    ['ACK for another', [{ id: 2, state: RUN, disk: { ...ack, argument: 9 } }], { result: 'waiting' }],
    ['NACK', [{ id: 2, state: RUN, disk: { ...ack, message: Message.NACK } }], { result: 'nacked' }],
  ] as const)('counted: %s', (_, sketches, expected) => {
    expect(checkVotes(sketches.map(peer), 1)).toEqual(expected);
  });

  it('a lower bidder ends our bid and gets our vote', () => {
    const peers = [peer({ id: 2, state: RUN, disk: bid }), peer({ id: 3, state: RUN, disk: { ...bid, sequence: 9 } })];
    expect(checkVotes(peers, 4)).toEqual({ result: 'lower-bidder', ack: { bidder: 2, sequence: 7 } });
  });
});
