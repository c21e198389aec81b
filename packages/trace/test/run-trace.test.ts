import { concatBytes, fromHex, type Stamped } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { RunTrace, TraceFile, type TraceRecord, TraceRing, writeRing } from '../src/index.js';

const NOTHING = new Uint8Array(0);
const HEADER = {
  seed: '0000000000000001',
  scenario: 'two machines',
  nodes: [
    { id: 1, name: 'node1' },
    { id: 2, name: 'node2' },
  ],
};

/** UDP from port 5404 to 5405 with an ORF token of corosync, in the sender's little-endian byte order. */
const TOKEN = fromHex(
  `${'01005e000001'}${'020000000001'}0800${'4500002900000000ff110000'}${'0a000001'}${'e0000001'}${'151c151d00150000'}70c00300000100000000000000`,
);

/** Records of what `run` told, each without the zeros of absent payloads. */
function traced(run: (trace: RunTrace) => void, payloads = false): readonly TraceRecord[] {
  const parts: Uint8Array[] = [];
  const trace = new RunTrace(HEADER, (bytes) => parts.push(bytes.slice()), { payloads });
  run(trace);
  trace.end('a49912c61528d96c');
  return [...new TraceFile(concatBytes(...parts)).records()];
}

function fact(at: number, kind: string, fields: object, node = 0): Stamped {
  return { kind, now: at, node, life: node === 0 ? 0 : 1, seq: 1, at, ...fields } as Stamped;
}

function linesOf(records: readonly TraceRecord[]): readonly string[] {
  return records.map(({ time, seq, node, kind, fields }) => {
    const values = Object.values(fields).filter((value) => !(value instanceof Uint8Array));
    return `${time} #${seq} ${node} ${kind} ${values.join(' ')}`.trimEnd();
  });
}

describe('what an event was caused by', () => {
  it('a frame arrives because of the event in which it was sent, each copy by itself', () => {
    const records = traced((trace) => {
      trace.event(100, 7, 17, 1, 0, 0, NOTHING, NOTHING);
      trace.sends(TOKEN);
      trace.fact(fact(100, 'network.sent', { id: 1, from: 1, to: 2, sizeBytes: TOKEN.length }));
      trace.fact(fact(100, 'network.sent', { id: 2, from: 1, to: 3, sizeBytes: TOKEN.length }));
      trace.event(150, 8, 17, 2, 0, 0, NOTHING, NOTHING);
      trace.fact(fact(160, 'network.dropped', { id: 2, from: 1, to: 3, reason: 'loss' }));
      trace.fact(fact(180, 'network.delivered', { id: 1, from: 1, to: 2 }));
      trace.event(180, 9, 9, 2, 1, TOKEN.length, TOKEN, NOTHING);
    });
    expect(linesOf(records)).toEqual([
      '100 #7 1 timer.fire',
      '100 #7 1 net.send 1 2 55 orf_token',
      '100 #7 1 net.send 2 3 55 orf_token',
      '150 #8 2 timer.fire',
      '160 #8 1 net.drop 2 3 loss',
      '180 #9 2 net.recv 1 55 7',
    ]);
  });

  it('a command ends because it arrived, and arrived because it was submitted', () => {
    const sense = fromHex('700006000000000a00000000290000000000');
    const read10 = fromHex('28000000083f0000020000');
    const write16 = fromHex('8a000000000100000002000000080000');
    const records = traced((trace) => {
      trace.event(100, 5, 17, 1, 0, 0, NOTHING, NOTHING);
      trace.submits(100, 1, 0, 1, read10);
      trace.submits(100, 1, 0, 2, write16);
      trace.submits(100, 1, 0, 3, fromHex('5e000000000000000800'));
      trace.event(105, 6, 20, 1, 1, 0x28, NOTHING, NOTHING);
      trace.event(150, 7, 22, 1, 1, 2, NOTHING, sense);
      trace.fact(fact(160, 'scsi.command-aborted', { lun: 0, nexus: 1, tag: 2, opcode: 0x8a, reason: 'preempt' }));
    });
    expect(linesOf(records).slice(1)).toEqual([
      `100 #5 1 io.submit 1 0 ${0x28} ${0x83f} 2`,
      `100 #5 1 io.submit 2 0 ${0x8a} ${0x1_0000_0002} 8`,
      `100 #5 1 io.submit 3 0 ${0x5e} 0 0`,
      `105 #6 1 io.arrive 1 ${0x28} 5`,
      '150 #7 1 io.done 1 2 6/29/00 0 6',
      '160 #7 1 io.fault 2 0 preempt',
    ]);
  });
});

it('facts become records of their kinds, and others keep their fields as JSON', () => {
  const records = traced((trace) => {
    trace.fact(fact(1, 'node.state', { state: 'up' }, 1));
    trace.fact(fact(2, 'totem.state', { state: 'gather', reason: 15 }, 1));
    trace.fact(fact(3, 'totem.state', { state: 'commit', reason: null }, 1));
    trace.fact(
      fact(4, 'totem.configuration', { type: 'regular', ring: '1.5', members: [1, 2], joined: [2], left: [] }, 1),
    );
    trace.fact(fact(5, 'quorum.changed', { cause: 'member-up', isQuorate: true, quorum: 2, total: 2, expected: 2 }, 1));
    trace.fact(fact(6, 'dlm.lock-granted', { lockspace: 'a', resource: 'r', lkid: 4, mode: 'EX', master: 2 }, 1));
    trace.fact(fact(7, 'dlm.unlocked', { lockspace: 'a', resource: 'r', lkid: 4 }, 1));
    trace.fact(fact(8, 'fenced.fenced', { victim: 2, how: 'agent', master: 1 }, 1));
    trace.fact(fact(9, 'rg.service', { service: 'service:web', state: 112, owner: 1, lastOwner: 2 }, 1));
    trace.fact(fact(10, 'network.partition', { from: 1, to: 2, isClosed: true, cutsInFlight: true }));
    trace.fact(fact(11, 'client.request', { number: 3, isAnswered: false, outcome: 'given up', body: '', sentAt: 10 }));
    trace.fact(fact(12, 'qdisk.master', { master: 1 }, 2));
    trace.fact(fact(13, 'node.state', { state: 'off' }, 1));
    trace.fact(fact(14, 'totem.state', { state: 'gather', reason: 15 }, 1));
    trace.log(15, 'node2', 'notice', 'rgmanager', 'Service started');
    trace.phase(16, 'boot', 'begins', 'all nodes are switched on');
  });
  expect(linesOf(records)).toEqual([
    '1 #0 1 node.state up 1',
    '2 #0 1 state.change totem   gather',
    '3 #0 1 state.change totem  gather commit',
    '4 #0 1 membership ring 1.5 regular 1 2 2',
    '5 #0 1 quorum 1 2 2 2 member-up',
    '6 #0 1 lock a r 4 EX granted',
    '7 #0 1 lock a r 4  released',
    '8 #0 1 fence 2 fenced agent',
    '9 #0 1 service service:web started 1',
    '10 #0 0 net.link 1 2 cut',
    '11 #0 0 op.fail F5 3 get given up 10',
    '12 #0 2 fact qdisk.master {"master":1}',
    '13 #0 1 node.state off 1',
    // A new life: there is nothing that it comes from.
    '14 #0 1 state.change totem   gather',
    '15 #0 2 log notice rgmanager Service started',
    '16 #0 255 phase boot begins all nodes are switched on',
  ]);
});

it('what rules were broken stands at the end', () => {
  const parts: Uint8Array[] = [];
  const trace = new RunTrace(HEADER, (bytes) => parts.push(bytes.slice()));
  trace.event(900, 5, 17, 1, 0, 0, NOTHING, NOTHING);
  trace.end('', [{ invariant: 'S1', at: 400, nodes: [2], message: 'two masters' }]);
  const [, violation] = new TraceFile(concatBytes(...parts)).records();
  expect(violation).toMatchObject({ kind: 'violation', node: 2, time: 900 });
  expect(violation!.fields).toEqual({ id: 'S1', message: 'two masters (at 400 ns)' });
});

it('a frame is kept once where it is sent and once for each copy that arrives, when payloads are asked for', () => {
  const tell = (trace: RunTrace): void => {
    trace.sends(TOKEN);
    trace.fact(fact(1, 'network.sent', { id: 1, from: 1, to: 2, sizeBytes: TOKEN.length }));
    trace.fact(fact(1, 'network.sent', { id: 2, from: 1, to: 3, sizeBytes: TOKEN.length }));
    trace.event(2, 1, 9, 2, 1, TOKEN.length, TOKEN, NOTHING);
  };
  const bytesOf = (records: readonly TraceRecord[]): readonly number[] =>
    records.map(({ fields }) => (fields.payload as Uint8Array).length);
  expect(bytesOf(traced(tell, true))).toEqual([TOKEN.length, 0, TOKEN.length]);
  expect(bytesOf(traced(tell))).toEqual([0, 0, 0]);
});

it('a ring makes a trace of the last events, without causes', () => {
  const ring = new TraceRing(3);
  ring.add(10, 1, 17, 1, 4, 0, 0, 0);
  ring.add(20, 2, 17, 0, 0, 0, 0, 0);
  ring.add(30, 3, 20, 2, 2, 5, 0x28, 0);
  ring.add(40, 4, 22, 2, 2, 5, 0, 512);
  ring.add(50, 5, 9, 1, 3, 77, 98, 98);
  const parts: Uint8Array[] = [];
  writeRing(ring, HEADER, 'a49912c61528d96c', (bytes) => parts.push(bytes.slice()));
  const file = new TraceFile(concatBytes(...parts));
  expect(file.hash).toBe('a49912c61528d96c');
  expect(linesOf([...file.records()])).toEqual([
    '30 #3 2 io.arrive 5 40 0',
    '40 #4 2 io.done 5 0  512 0',
    '50 #5 1 net.recv 77 98 0',
  ]);
});
