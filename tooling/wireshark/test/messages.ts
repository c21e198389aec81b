import { asciiBytes, ByteWriter } from '@quorate/kernel';

/** Filter names without `totem31.`, and the values that they have, in their order. */
type Expected = Readonly<Record<string, readonly (string | number)[]>>;

export interface Sample {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** How the line of the packet ends. */
  readonly title: string;
  readonly expected: Expected;
}

const ORIGINATOR = 7;

/** Datagrams of every kind in one byte order, byte by byte as the tables of corosync's structures have them. */
export function samples(littleEndian: boolean): readonly Sample[] {
  /** Running count of the originator's packets. */
  let count = 0;
  const write = (body: (to: ByteWriter) => void): Uint8Array => {
    const to = new ByteWriter(littleEndian);
    body(to);
    return to.bytes().slice();
  };
  const header = (to: ByteWriter, type: number, encapsulated = 0, nodeid = ORIGINATOR): ByteWriter =>
    to.u16(0xc070).u8(3).u8(type).u8(encapsulated).u32(nodeid).u32(0);
  const ring = (to: ByteWriter, rep: number, seq: number): ByteWriter => to.u32(rep).u64(seq);
  const text = (to: ByteWriter, value: string, size: number): ByteWriter => to.raw(asciiBytes(value), size);
  const name = (to: ByteWriter, group: string): ByteWriter => text(to.u32(group.length).u32(0), group, 128);

  const mcast = (encapsulated: number, body: Uint8Array): Uint8Array =>
    write((to) => {
      count += 1;
      header(to, 1, encapsulated)
        .u32(ORIGINATOR)
        .u32(100 + count)
        .u32(count);
      ring(to, 1, 0x1f).u32(0).u32(0).raw(body);
    });
  const packed = (pieces: readonly Uint8Array[], fragmented = 0, continuation = 0): Uint8Array =>
    mcast(
      2,
      write((to) => {
        to.u16(0).u16(0).u8(fragmented).u8(continuation).u16(pieces.length);
        for (const piece of pieces) to.u16(piece.length);
        for (const piece of pieces) to.raw(piece);
      }),
    );
  const grouped = (group: string, payload: Uint8Array): Uint8Array =>
    write((to) => text(to.u16(1).u16(group.length), group, group.length).raw(payload));
  const request = (id: number, body: (to: ByteWriter) => void = () => {}): Uint8Array => {
    const content = write(body);
    return write((to) =>
      to
        .u32(id)
        .u32(0)
        .u32(16 + content.length)
        .u32(0)
        .raw(content),
    );
  };
  const service = (id: number, body?: (to: ByteWriter) => void): Uint8Array => grouped('a', request(id, body));
  const sync = (id: number, body: (to: ByteWriter) => void): Uint8Array => grouped('sync', request(id, body));
  const source = (to: ByteWriter): ByteWriter => to.u32(ORIGINATOR).u32(0).u64(0x5500_1234_5678);

  const list: Sample[] = [];
  const add = (what: string, bytes: Uint8Array, title: string, expected: Expected): void => {
    list.push({ name: what, bytes, title, expected });
  };
  /** One message in a packet of its own. */
  const addMessage = (what: string, message: Uint8Array, title: string, expected: Expected): void =>
    add(what, packed([message]), `: ${title}`, expected);

  add(
    'ORF token with requests',
    write((to) => {
      header(to, 0).u32(900).u32(4000).u32(895).u32(3);
      ring(to, 1, 0x1f).u32(12).u32(34).u32(1).u32(2);
      ring(to, 1, 0x1f).u32(896);
      ring(to, 1, 0x1f).u32(897);
    }),
    'ORF token: ring 1.1f, seq 900, aru 895, hop 4000, missing 896 897',
    {
      'token.seq': [900],
      'token.token_seq': [4000],
      'token.aru': [895],
      'token.aru_addr': [3],
      'token.ring': ['1.1f'],
      'token.ring.rep': [1],
      'token.ring.seq': [31],
      'token.backlog': [12],
      'token.fcc': [34],
      'token.retrans_flg': [1],
      'token.rtr_list_entries': [2],
      'token.rtr.ring': ['1.1f', '1.1f'],
      'token.rtr.seq': [896, 897],
    },
  );
  add(
    'merge detect',
    write((to) => ring(header(to, 2).u32(ORIGINATOR), 7, 0xabcdef)),
    'Merge detect: ring 7.abcdef',
    { 'merge.system_from': [7], 'merge.ring': ['7.abcdef'] },
  );
  add(
    'join',
    write((to) => header(to, 3).u32(7).u32(3).u32(1).u64(0x1b).u32(1).u32(2).u32(7).u32(2)),
    'Join: by 7, ring sequence 1b, present {1 2 7}, failed {2}',
    { 'join.ring_seq': ['0x000000000000001b'], 'join.proc': [1, 2, 7], 'join.failed': [2] },
  );
  add(
    'leave',
    write((to) => header(to, 3, 0, 0).u32(7).u32(1).u32(1).u64(0x1b).u32(1).u32(7)),
    'Join: leave of 7, ring sequence 1b, present {1}, failed {7}',
    { nodeid: [0], 'join.proc': [1], 'join.failed': [7] },
  );
  add(
    'commit token',
    write((to) => {
      ring(header(to, 4).u32(2), 1, 0x23).u32(0).u32(1).u32(2).u32(1).u32(7);
      ring(to, 1, 0x1f).u32(8).u32(7).u32(1);
      to.zeros(24);
    }),
    'Commit token: ring 1.23, hop 2, members {1 7}, 1 filled in',
    {
      'commit.addr': [1, 7],
      'commit.memb_index': [1],
      'commit.memb.ring': ['1.1f', '0.0'],
      'commit.memb.aru': [8, 0],
      'commit.memb.high_delivered': [7, 0],
      'commit.memb.received_flg': [1, 0],
    },
  );
  add(
    'hold cancel',
    write((to) => ring(header(to, 5), 1, 0x1f)),
    'Hold cancel: ring 1.1f',
    {
      'hold_cancel.ring': ['1.1f'],
    },
  );

  addMessage(
    'sync barrier',
    sync(0, (to) => ring(to, 1, 0x1f).u32(0)),
    'Sync barrier ring 1.1f',
    {
      'sync.ring': ['1.1f'],
      'pg.group': ['sync'],
    },
  );
  addMessage(
    'sync services',
    sync(1, (to) =>
      ring(to, 1, 0x1f)
        .u32(0)
        .u32(4)
        .u32(0)
        .u32(0)
        .u32(2)
        .u32(3)
        .u32(5)
        .zeros(4 * 124),
    ),
    'Sync services ring 1.1f, services {0 2 3 5}',
    { 'sync.service_list_entries': [4], 'sync.service': [0, 2, 3, 5] },
  );

  for (const [id, what, reason] of [
    [0x20000, 'joins', 1],
    [0x20001, 'leaves', 5],
  ] as const) {
    addMessage(
      `process ${what}`,
      service(id, (to) => name(to, 'bench').u32(4711).u32(0).u32(reason).u32(0)),
      `cpg process ${what} group bench, process 4711`,
      { 'cpg.name': ['bench'], 'cpg.pid': [4711], 'cpg.reason': [reason] },
    );
  }
  addMessage(
    'joinlist',
    service(0x20002, (to) => {
      to.u32(0).u32(0);
      name(to.u32(11).u32(0), 'one');
      name(to.u32(12).u32(0), 'two');
    }),
    'cpg joinlist one:11 two:12',
    { 'cpg.error': [0], 'cpg.pid': [11, 12], 'cpg.name': ['one', 'two'] },
  );
  addMessage(
    'cpg multicast',
    service(0x20003, (to) => source(name(to, 'bench').u32(5).u32(0).u32(4711).u32(0)).raw(asciiBytes('hello'))),
    'cpg multicast group bench, 5 bytes',
    {
      'cpg.msglen': [5],
      'cpg.source.nodeid': [7],
      'cpg.source.conn': ['0x0000550012345678'],
      'cpg.message': ['68:65:6c:6c:6f'],
    },
  );
  addMessage(
    'old downlist',
    service(0x20004, (to) => to.u32(1).u32(2)),
    'cpg old downlist',
    {
      'request.function': [4],
    },
  );
  addMessage(
    'downlist',
    service(0x20005, (to) =>
      to
        .u32(3)
        .u32(0)
        .u32(2)
        .u32(0)
        .u32(4)
        .u32(5)
        .zeros(4 * 382),
    ),
    'cpg downlist left {4 5}',
    { 'cpg.old_members': [3], 'cpg.left_nodes': [2], 'cpg.left_node': [4, 5] },
  );
  addMessage(
    'partial multicast',
    service(0x20006, (to) => {
      name(to, 'bench').u32(2_000_000).u32(0).u32(3).u32(0).u32(4711).u32(0).u32(2).u32(0);
      source(to).raw(asciiBytes('abc'));
    }),
    'cpg partial multicast group bench, 3 of 2000000 bytes',
    { 'cpg.fraglen': [3], 'cpg.fragment_type': [2], 'cpg.message': ['61:62:63'] },
  );

  addMessage(
    'votes of a node',
    service(0x50000, (to) => to.u32(7).u32(1).u32(5).u32(0b10001001)),
    'votequorum node node 7, votes 1, expected 5',
    {
      'votequorum.nodeid': [7],
      'votequorum.votes': [1],
      'votequorum.expected_votes': [5],
      'votequorum.flags': ['0x00000089'],
      'votequorum.flags.quorate': [1],
      'votequorum.flags.leaving': [0],
      'votequorum.flags.wait_for_all': [0],
      'votequorum.flags.first': [1],
      'votequorum.flags.qdevice_registered': [0],
      'votequorum.flags.qdevice_alive': [0],
      'votequorum.flags.qdevice_cast_vote': [0],
      'votequorum.flags.qdevice_master_wins': [1],
    },
  );
  addMessage(
    'other votes',
    service(0x50001, (to) => to.u32(7).u32(4).u8(1).zeros(7)),
    'votequorum reconfigure node 7, value 4',
    { 'votequorum.value': [4], 'votequorum.param': [1] },
  );
  addMessage(
    'a quorum device',
    service(0x50002, (to) => text(to.u32(1), 'QDisk', 255).zeros(5)),
    'votequorum device QDisk',
    { 'votequorum.qdevice.operation': [1], 'votequorum.qdevice.name': ['QDisk'] },
  );
  addMessage(
    'a quorum device with another name',
    service(0x50003, (to) => text(text(to, 'QDisk', 255), 'QDevice', 255).zeros(2)),
    'votequorum device renamed QDevice',
    { 'votequorum.qdevice.old_name': ['QDisk'], 'votequorum.qdevice.new_name': ['QDevice'] },
  );

  addMessage(
    'values of cmap',
    service(0, (to) => {
      to.u8(0).zeros(7).u8(2).zeros(7).zeros(16);
      text(to.u16(20).zeros(6), 'totem.config_version', 256).u8(8).zeros(7).u64(8).u64(3);
      text(to.u16(4).zeros(6), 'some', 256).u8(11).zeros(7).u64(3).raw(asciiBytes('abc'), 8);
    }),
    'cmap values totem.config_version some',
    {
      'cmap.items': [2],
      'cmap.key': ['totem.config_version', 'some'],
      'cmap.value_type': [8, 11],
      'cmap.value_len': [8, 3],
      'cmap.value': [littleEndian ? '03:00:00:00:00:00:00:00' : '00:00:00:00:00:00:00:03', '61:62:63'],
    },
  );
  addMessage('re-enabling a ring', service(0x10000, source), 'cfg ring re-enable', { 'cfg.source.nodeid': [7] });
  addMessage(
    'a kill',
    service(0x10001, (to) => text(to.u32(3).u32(0).u16(4).zeros(6), 'why?', 256)),
    'cfg kill node 3: why?',
    { 'cfg.nodeid': [3], 'cfg.reason': ['why?'] },
  );
  addMessage('a shutdown', service(0x10002), 'cfg shutdown', { 'request.service': [1], 'request.function': [2] });
  addMessage('a reload', service(0x10003, source), 'cfg reload', { 'cfg.source.conn': ['0x0000550012345678'] });
  addMessage(
    'new keys',
    service(0x10004, (to) => to.u32(1).u32(0)),
    'cfg crypto phase 1',
    { 'cfg.crypto_phase': [1] },
  );
  addMessage(
    'a message of nobody',
    service(0x70003, (to) => to.u32(1)),
    'message 0x70003',
    {
      'request.service': [7],
      'request.body': [littleEndian ? '01:00:00:00' : '00:00:00:01'],
    },
  );
  addMessage('a message for another group', grouped('other', asciiBytes('xyz')), 'message for other', {
    'pg.group': ['other'],
    'pg.message': ['78:79:7a'],
  });

  const barrier = sync(0, (to) => ring(to, 1, 0x1f).u32(0));
  const long = service(0x20003, (to) =>
    source(name(to, 'bench').u32(1500).u32(0).u32(4711).u32(0)).raw(new Uint8Array(1500).fill(0x78)),
  );
  add(
    'two messages and the begin of a third',
    packed([barrier, barrier, long.subarray(0, 700)], 1),
    'begin of a message',
    {
      'pg.msg_count': [3],
      'pg.msg_len': [barrier.length, barrier.length, 700],
      'pg.fragmented': [1],
    },
  );
  add('its middle', packed([long.subarray(700, 1600)], 2, 1), ': middle of a message', { 'pg.continuation': [1] });
  add(
    'a packet of the old ring, in recovery',
    mcast(1, packed([service(0x50000, (to) => to.u32(7).u32(1).u32(5).u32(1))])),
    'votequorum node node 7, votes 1, expected 5',
    { encapsulated: [1, 2], 'mcast.system_from': [7, 7], 'votequorum.nodeid': [7] },
  );
  add(
    'its end and another message',
    packed([long.subarray(1600), barrier], 0, 2),
    'cpg multicast group bench, 1500 bytes; Sync barrier ring 1.1f',
    { 'pg.reassembled.length': [long.length], 'cpg.msglen': [1500] },
  );
  return list;
}
