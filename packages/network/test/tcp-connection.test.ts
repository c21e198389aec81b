import { Prng } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { RetransmissionTimeout, TIMEOUT_LIMITS } from '../src/retransmission-timeout.js';
import { FIRST_ACCEPTED_ID, Tcp } from '../src/tcp.js';
import { TCP_SETTINGS, type TcpOutput, type TcpSettings } from '../src/tcp-connection.js';
import { ACK, decodeTcp, encodeTcp, FIN, PSH, RST, SYN, type TcpSegment } from '../src/tcp-segment.js';

const US = 1;
const PEER = 2;
const MS = 1_000_000;
const FLAG_NAMES = [FIN, SYN, RST, PSH, ACK];

/** One end under test and a peer whose every segment the test writes itself. Sequence numbers of both begin at 0. */
class Dialogue {
  now = 0;
  readonly tcp: Tcp;
  readonly heard: string[] = [];
  #iss = 0;
  #port = 0;
  readonly #turn = { now: 0, emit: (output: TcpOutput) => this.#onOutput(output) };

  constructor(settings: Partial<TcpSettings> = {}) {
    const payload = new Uint8Array(2000);
    this.tcp = new Tcp(
      {
        turn: this.#turn,
        settings: { ...TCP_SETTINGS, ...settings },
        payload,
        send: (source, destination, _, length) => {
          this.#onSegment(decodeTcp(payload, 0, length, source, destination) as TcpSegment, payload);
          return undefined;
        },
        sourceFor: () => US,
        addressText: (address) => `host${address}`,
      },
      new Prng(1, 2, 3, 4),
    );
  }

  /** What happened since the last call. */
  take(): readonly string[] {
    return this.heard.splice(0);
  }

  connect(): void {
    this.tcp.connect(1, PEER, 80);
  }

  /** An open connection, opened by us. */
  static open(settings: Partial<TcpSettings> = {}): Dialogue {
    const dialogue = new Dialogue(settings);
    dialogue.connect();
    dialogue.peer(SYN | ACK, 0, 1, { mss: 1000 });
    dialogue.take();
    return dialogue;
  }

  peer(flags: number, seq: number, ack: number, more: { data?: string; window?: number; mss?: number } = {}): void {
    const { data = '', window = 4000, mss = 0 } = more;
    const headerBytes = mss > 0 ? 24 : 20;
    const bytes = new Uint8Array(headerBytes + data.length);
    bytes.set(Buffer.from(data), headerBytes);
    const ackSeq = (flags & ACK) !== 0 ? (this.#iss + ack) >>> 0 : 0;
    const fields = { sourcePort: 80, destinationPort: this.#port, seq: seq >>> 0, ack: ackSeq, flags, window, mss };
    encodeTcp(bytes, 0, fields, data.length, PEER, US);
    expect(this.tcp.receive(PEER, US, bytes, 0, bytes.length)).toBeUndefined();
  }

  send(text: string): void {
    this.tcp.send(1, Buffer.from(text));
  }

  /** Lets time pass until `ms`, waking at every deadline. */
  until(ms: number): void {
    while (this.tcp.deadline() <= ms * MS) {
      this.#turn.now = this.tcp.deadline();
      this.tcp.wake();
    }
    this.#turn.now = ms * MS;
  }

  #onSegment(segment: TcpSegment, payload: Uint8Array): void {
    if ((segment.flags & (SYN | ACK)) === SYN) {
      this.#iss = segment.seq;
      this.#port = segment.sourcePort;
    }
    const flags = FLAG_NAMES.map((flag, i) => ((segment.flags & flag) !== 0 ? 'FSRP.'[i] : '')).join('');
    const isFromUs = segment.sourcePort === this.#port;
    const seq = isFromUs ? (segment.seq - this.#iss) | 0 : segment.seq;
    const ack = (segment.flags & ACK) !== 0 ? ` ack ${segment.ack}` : '';
    const text = Buffer.from(payload.subarray(segment.dataAt, segment.dataAt + segment.dataBytes)).toString();
    this.heard.push(`${this.#turn.now / MS} [${flags}] ${seq}${ack}${text === '' ? '' : ` ${text}`}`);
  }

  #onOutput(output: TcpOutput): void {
    if (output.kind === 'tcp-received') this.heard.push(`received ${Buffer.from(output.bytes).toString()}`);
    else if (output.kind === 'tcp-failed') this.heard.push(`failed ${output.errno}`);
    else this.heard.push(output.kind.slice(4));
  }
}

describe('a TCP connection', () => {
  it('opens with a handshake', () => {
    const dialogue = new Dialogue();
    dialogue.connect();
    dialogue.peer(SYN | ACK, 0, 1);
    expect(dialogue.take()).toEqual(['0 [S] 0', 'connected', '0 [.] 1 ack 1']);
  });

  it('opens when both sides open at once', () => {
    const dialogue = new Dialogue();
    dialogue.connect();
    dialogue.peer(SYN, 0, 0);
    dialogue.peer(SYN | ACK, 0, 1);
    dialogue.peer(ACK, 1, 1);
    expect(dialogue.take()).toEqual(['0 [S] 0', '0 [S.] 0 ack 1', '0 [.] 1 ack 1', 'connected']);
  });

  it('while opening, answers an acknowledgment of something else by a reset and goes on', () => {
    const dialogue = new Dialogue();
    dialogue.connect();
    dialogue.peer(ACK, 77, 50);
    dialogue.peer(RST, 0, 0);
    dialogue.peer(SYN | ACK, 0, 1);
    expect(dialogue.take()).toEqual(['0 [S] 0', '0 [R] 50', 'connected', '0 [.] 1 ack 1']);
  });

  it('hands up each byte once and in order, whatever comes early, late or twice', () => {
    const dialogue = Dialogue.open();
    dialogue.peer(ACK, 4, 1, { data: 'def' });
    dialogue.peer(ACK, 6, 1, { data: 'fgh' });
    dialogue.peer(ACK, 4, 1, { data: 'de' });
    dialogue.peer(ACK, 1, 1, { data: 'abcd' });
    dialogue.peer(ACK, 1, 1, { data: 'abc' });
    expect(dialogue.take()).toEqual([
      '0 [.] 1 ack 1',
      '0 [.] 1 ack 1',
      '0 [.] 1 ack 1',
      'received abcd',
      'received ef',
      'received gh',
      '0 [.] 1 ack 9',
      '0 [.] 1 ack 9',
    ]);
  });

  it('acknowledges every second segment at once, a single one after 40 ms', () => {
    const dialogue = Dialogue.open();
    dialogue.peer(ACK, 1, 1, { data: 'a' });
    dialogue.peer(ACK, 2, 1, { data: 'b' });
    dialogue.peer(ACK, 3, 1, { data: 'c' });
    dialogue.until(100);
    expect(dialogue.take()).toEqual(['received a', 'received b', '0 [.] 1 ack 3', 'received c', '40 [.] 1 ack 4']);
  });

  it('repeats after 200 ms, then after twice as long each time, and gives up', () => {
    const dialogue = Dialogue.open({ retries: 2 });
    dialogue.send('hello');
    dialogue.until(5000);
    expect(dialogue.take()).toEqual([
      '0 [P.] 1 ack 1 hello',
      '200 [P.] 1 ack 1 hello',
      '600 [P.] 1 ack 1 hello',
      'failed ETIMEDOUT',
    ]);
  });

  it('repeats at the third duplicate acknowledgment, and the next hole at the partial one', () => {
    const dialogue = Dialogue.open({ mss: 2 });
    dialogue.send('aabbccddee');
    expect(dialogue.take()).toHaveLength(5);
    for (let i = 0; i < 4; i++) dialogue.peer(ACK, 1, 1);
    expect(dialogue.take()).toEqual(['0 [P.] 1 ack 1 aa']);
    dialogue.peer(ACK, 1, 5);
    expect(dialogue.take()).toEqual(['0 [P.] 5 ack 1 cc']);
    dialogue.peer(ACK, 1, 11);
    expect(dialogue.take()).toEqual([]);
  });

  it('probes a closed window with one byte, for ever while the peer answers, and goes on when it opens', () => {
    const dialogue = Dialogue.open({ retries: 2 });
    dialogue.peer(ACK, 1, 1, { window: 0 });
    dialogue.send('hello');
    expect(dialogue.take()).toEqual([]);
    for (const ms of [200, 600, 1400, 3000, 6200]) {
      dialogue.until(ms);
      expect(dialogue.take()).toEqual([`${ms} [P.] 1 ack 1 h`]);
      dialogue.peer(ACK, 1, 1, { window: 0 });
    }
    dialogue.peer(ACK, 1, 1, { window: 10 });
    expect(dialogue.take()).toEqual(['6200 [P.] 1 ack 1 h', '6200 [P.] 2 ack 1 ello']);
  });

  it('sends no more than the window, and no sliver of it', () => {
    const dialogue = Dialogue.open({ mss: 4 });
    dialogue.peer(ACK, 1, 1, { window: 6 });
    dialogue.send('aaaabbbbcccc');
    expect(dialogue.take()).toEqual(['0 [.] 1 ack 1 aaaa']);
    dialogue.peer(ACK, 1, 5, { window: 6 });
    expect(dialogue.take()).toEqual(['0 [.] 5 ack 1 bbbb']);
  });

  it('believes a reset only with exactly the next sequence number', () => {
    const dialogue = Dialogue.open();
    dialogue.peer(RST, 5, 0);
    dialogue.peer(RST, 70_000, 0);
    dialogue.peer(RST, 1, 0);
    expect(dialogue.take()).toEqual(['0 [.] 1 ack 1', 'failed ECONNRESET']);
  });

  it('answers a SYN in the middle, and an acknowledgment of what was never sent', () => {
    const dialogue = Dialogue.open();
    dialogue.peer(SYN, 9, 0);
    dialogue.peer(ACK, 1, 999);
    expect(dialogue.take()).toEqual(['0 [.] 1 ack 1', '0 [.] 1 ack 1']);
  });

  it('ends in order when the peer closes first', () => {
    const dialogue = Dialogue.open();
    dialogue.peer(ACK | FIN, 1, 1, { data: 'bye' });
    dialogue.send('you too');
    dialogue.tcp.close(1);
    dialogue.peer(ACK, 5, 9);
    expect(dialogue.take()).toEqual([
      'received bye',
      '0 [.] 1 ack 5',
      'closed',
      '0 [P.] 1 ack 5 you too',
      '0 [F.] 8 ack 5',
    ]);
    expect(dialogue.tcp.inspect()).toMatchObject({ connections: [] });
  });

  it('a FIN that comes before the data in front of it waits', () => {
    const dialogue = Dialogue.open();
    dialogue.peer(ACK | FIN, 4, 1, { data: 'def' });
    dialogue.peer(ACK, 1, 1, { data: 'abc' });
    expect(dialogue.take().filter((line) => !line.includes('['))).toEqual(['received abc', 'received def', 'closed']);
  });

  it('goes through CLOSING when both sides close at once, and stays in TIME-WAIT for a second', () => {
    const dialogue = Dialogue.open();
    dialogue.tcp.close(1);
    dialogue.peer(ACK | FIN, 1, 1);
    dialogue.peer(ACK, 2, 2);
    expect(dialogue.take()).toEqual(['0 [F.] 1 ack 1', '0 [.] 2 ack 2', 'closed']);
    dialogue.until(500);
    dialogue.peer(ACK | FIN, 1, 1);
    expect(dialogue.take()).toEqual(['500 [.] 2 ack 2']);
    dialogue.until(1499);
    expect(dialogue.tcp.inspect()).toMatchObject({ connections: [{ state: 'time-wait' }] });
    dialogue.until(1500);
    expect(dialogue.tcp.inspect()).toMatchObject({ connections: [] });
  });

  it('repeats a lost FIN, with the data in front of it', () => {
    const dialogue = Dialogue.open();
    dialogue.send('bye');
    dialogue.tcp.close(1);
    dialogue.until(300);
    expect(dialogue.take()).toEqual(['0 [P.] 1 ack 1 bye', '0 [F.] 4 ack 1', '200 [FP.] 1 ack 1 bye']);
  });

  it('hears the rest of the peer after its own end, but not for ever', () => {
    const dialogue = Dialogue.open({ finWait: 100 * MS });
    dialogue.tcp.close(1);
    dialogue.peer(ACK, 1, 2);
    dialogue.peer(ACK, 1, 2, { data: 'more' });
    dialogue.until(200);
    expect(dialogue.take()).toEqual(['0 [F.] 1 ack 1', 'received more', '40 [.] 2 ack 5', 'failed ETIMEDOUT']);
  });

  it('a new connection may take the place of one in TIME-WAIT', () => {
    const dialogue = new Dialogue();
    dialogue.tcp.listen(0);
    dialogue.peer(SYN, 0, 0);
    const ourIss = Number(/\] (\d+)/.exec(dialogue.take()[0] ?? '')?.[1]);
    dialogue.peer(ACK, 1, ourIss + 1);
    dialogue.tcp.close(FIRST_ACCEPTED_ID);
    dialogue.peer(ACK | FIN, 1, ourIss + 2);
    expect(dialogue.tcp.inspect()).toMatchObject({ connections: [{ state: 'time-wait' }] });
    dialogue.peer(SYN, 100, 0);
    expect(dialogue.tcp.inspect()).toMatchObject({
      connections: [{ id: FIRST_ACCEPTED_ID + 1, state: 'syn-received' }],
    });
  });

  it('a segment of no connection is answered by a reset', () => {
    const dialogue = new Dialogue();
    dialogue.peer(ACK, 5, 9);
    dialogue.peer(SYN, 5, 0);
    dialogue.peer(RST, 5, 0);
    expect(dialogue.take()).toEqual(['0 [R] 9', '0 [R.] 0 ack 6']);
  });

  it('an ICMP error ends an attempt, and is the reason when an open connection gives up', () => {
    const dialogue = Dialogue.open({ retries: 0 });
    dialogue.send('x');
    const [connection] = (dialogue.tcp.inspect() as { connections: { local: string; sndUna: number }[] }).connections;
    const ends = { local: US, localPort: Number(connection?.local.split(':')[1]), remote: PEER, remotePort: 80 };
    dialogue.tcp.onError(ends, (connection?.sndUna ?? 0) - 5, 'EACCES');
    dialogue.tcp.onError(ends, connection?.sndUna ?? 0, 'EHOSTUNREACH');
    dialogue.until(1000);
    expect(dialogue.take()).toEqual(['0 [P.] 1 ack 1 x', 'failed EHOSTUNREACH']);
  });

  it('refuses an id that is in use or in the range of accepted ones', () => {
    const dialogue = Dialogue.open();
    for (const id of [1, FIRST_ACCEPTED_ID, -1]) expect(() => dialogue.tcp.connect(id, PEER, 80)).toThrow(RangeError);
  });

  it('sequence numbers may wrap', () => {
    const dialogue = new Dialogue();
    dialogue.connect();
    dialogue.peer(SYN | ACK, -3, 1);
    dialogue.peer(ACK, -2, 1, { data: 'abcdef' });
    dialogue.peer(ACK, 4, 1, { data: 'gh' });
    expect(dialogue.take().slice(3)).toEqual(['received abcdef', 'received gh', '0 [.] 1 ack 6']);
  });
});

describe('the retransmission timeout', () => {
  it('follows RFC 6298 with a floor of 200 ms and a ceiling of 60 s', () => {
    const rto = new RetransmissionTimeout({ initial: 1000 * MS, least: 200 * MS, most: 60_000 * MS });
    const values = [rto.value / MS];
    rto.measured(100 * MS);
    values.push(rto.value / MS);
    rto.measured(200 * MS);
    values.push(rto.value / MS);
    rto.measured(MS);
    for (let i = 0; i < 50; i++) rto.measured(MS);
    values.push(rto.value / MS);
    for (let i = 0; i < 10; i++) rto.backOff();
    values.push(rto.value / MS);
    rto.restore();
    values.push(rto.value / MS);
    expect(values).toEqual([1000, 300, 362.5, 200, 60_000, 200]);
  });

  it('begins at a second', () => {
    expect(new RetransmissionTimeout(TIMEOUT_LIMITS).value).toBe(1000 * MS);
  });
});
