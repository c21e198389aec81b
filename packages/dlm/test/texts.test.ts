import {
  debugText,
  type LockspaceView,
  type LockView,
  lockdebugText,
  lockdumpText,
  lockspacesText,
  PLOCK_EOF,
  plocksText,
  type ResourceView,
  statusText,
} from '@quorate/dlm';
import { SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { Daemons } from './daemons.js';

const LOCK: LockView = {
  lkid: 1,
  handle: 1,
  process: 0,
  xid: 0,
  isMasterCopy: false,
  nodeid: 0,
  remid: 0,
  exflags: 0,
  flags: 1,
  status: 'granted',
  grmode: 'EX',
  rqmode: 'IV',
  highbast: 0,
  lastBast: 0,
  waitType: 0,
  lvbseq: 0,
};
const MASTER_COPY = { isMasterCopy: true, process: 1, flags: 0x10001 };
const RESOURCE: ResourceView = {
  name: 'RF',
  master: 1,
  dir: 1,
  firstLkid: 0,
  flags: 0,
  isActive: true,
  recoverLocksCount: 0,
  tossTime: 0,
  granted: [],
  converting: [],
  waiting: [],
  lookup: [],
};

/** As it was dumped on a machine with Linux 6.1. */
const RF: ResourceView = {
  ...RESOURCE,
  granted: [{ ...LOCK, lkid: 4 }],
  waiting: [
    { ...LOCK, ...MASTER_COPY, lkid: 6, nodeid: 2, remid: 3, status: 'waiting', grmode: 'IV', rqmode: 'PR' },
    { ...LOCK, lkid: 7, status: 'waiting', grmode: 'IV', rqmode: 'PR' },
    { ...LOCK, ...MASTER_COPY, lkid: 8, nodeid: 2, remid: 4, status: 'waiting', grmode: 'IV', rqmode: 'EX' },
  ],
};

const R9: ResourceView = {
  ...RESOURCE,
  name: 'R9',
  flags: 2,
  lvb: { seq: 1, bytes: `78${'00'.repeat(31)}` },
  granted: [{ ...LOCK, lkid: 0x351, process: 1, exflags: 8, grmode: 'PR', lvbseq: 1 }],
};

function lockspace(...resources: ResourceView[]): LockspaceView {
  return {
    name: 't',
    nodeid: 1,
    globalId: 0,
    isRunning: true,
    recoverSeq: 1,
    recoverStatus: 0,
    generation: 1,
    slot: 1,
    members: [1, 2],
    blockedCalls: 0,
    requestqueue: 0,
    waiters: [],
    resources,
  };
}

/** What differs between any two runs. */
function plain(text: string): string {
  return text.replace(/^(rsb|Resource) [0-9a-f]{16}/gm, '$1 <ptr>').trimEnd();
}

describe('debugfs', () => {
  it('dlm/<ls>: as recorded', () => {
    expect(plain(debugText(lockspace(RF)))).toBe(`
Resource <ptr> Name (len=2) "RF"
Master Copy
Granted Queue
00000004 EX
Conversion Queue
Waiting Queue
00000006 -- (PR) Remote:   2 00000003
00000007 -- (PR)
00000008 -- (EX) Remote:   2 00000004`);
  });

  it('dlm/<ls> in a recovery says how far a resource is', () => {
    const text = debugText({
      ...lockspace({ ...RF, flags: 0x18, recoverLocksCount: 2 }),
      isRunning: false,
      recoverStatus: 5,
    });
    expect(text).toContain('Master Copy\nRecovery: root 1 recover 1 flags 18 count 2\nGranted Queue\n');
  });

  it('dlm/<ls>_locks: the recorded line, but for its time', () => {
    const [header, , second] = debugText(lockspace(RF), 'locks').split('\n');
    expect(header).toBe('id nodeid remid pid xid exflags flags sts grmode rqmode time_ms r_nodeid r_len r_name');
    expect(second).toBe('6 2 3 1 0 0 10001 1 -1 3 0 0 2 "RF"');
  });

  it('dlm/<ls>_all: the recorded lines, but for their times', () => {
    expect(plain(debugText(lockspace(R9), 'all'))).toBe(
      [
        'version rsb 1.1 lvb 1.1 lkb 1.1',
        'rsb <ptr> 0 0 2 0 0 0 2 str R9',
        `lvb 1 32 78${' 00'.repeat(31)}`,
        'lkb 351 0 0 1 0 8 1 2 3 -1 0 0 0 1 0 0',
      ].join('\n'),
    );
  });

  it('a name that cannot be printed is hexadecimal there', () => {
    expect(plain(debugText(lockspace({ ...RF, name: 'a\x01' }), 'all'))).toContain(
      'rsb <ptr> 0 0 0 0 0 0 2 hex 61 01\n',
    );
  });

  it('dlm/<ls>_toss: resources without locks', () => {
    const cached = { ...RESOURCE, isActive: false, name: 'R1', master: 2, tossTime: 12 * SECOND };
    expect(plain(debugText(lockspace(RF, cached), 'toss'))).toBe('version 4 rsb 2\nrsb <ptr> 2 2 1 1 12 0 2 str R1');
  });

  it('dlm/<ls>_waiters: who awaits a reply', () => {
    const waiter = { ...LOCK, lkid: 0x1a, nodeid: 2, waitType: 1, resource: 'R1', waitNodeid: 2 };
    expect(debugText({ ...lockspace(), waiters: [waiter] }, 'waiters')).toBe('1a 1 2 R1\n');
  });
});

describe('dlm_tool', () => {
  const BLANKS = ' '.repeat(20);

  it('lockdebug: queues, value block, who the master is', () => {
    expect(lockdebugText(lockspace(RF, R9))).toBe(`
Resource len  2  "RF"
Master           
Granted
00000004 EX      ${BLANKS}          
Waiting
00000006 -- (PR) Remote:   2 00000003          
00000007 -- (PR) ${BLANKS}          
00000008 -- (EX) Remote:   2 00000004          

Resource len  2  "R9"
Master           flags 00000002 first_lkid 0 root 0 recover 0 locks 0
LVB len 32 seq 1
78${' 00'.repeat(15)} 
00${' 00'.repeat(15)}
Granted
00000351 PR      ${BLANKS}          

`);
  });

  it('lockdebug: a process copy, a lookup, a resource without locks, awaited replies', () => {
    const remote = {
      ...LOCK,
      nodeid: 2,
      remid: 5,
      status: 'convert',
      grmode: 'PR',
      rqmode: 'EX',
      waitType: 2,
    } as const;
    const copy = { ...RESOURCE, name: 'R1', master: 2, converting: [remote] };
    const unknown = {
      ...RESOURCE,
      name: 'R2',
      master: 0,
      firstLkid: 3,
      lookup: [{ ...LOCK, lkid: 4, status: 'none', grmode: 'IV', rqmode: 'PR' }],
    } as const;
    const cached = { ...RESOURCE, isActive: false, name: 'R3', master: 1, dir: 2 };
    const waiters = [{ ...remote, resource: 'R1', waitNodeid: 2 }];
    expect(lockdebugText({ ...lockspace(copy, unknown, cached), waiters })).toBe(`
Resource len  2  "R1"
Master:2         
Convert
00000001 PR (EX) Master:   2 00000005  wait 02 

Resource len  2  "R2"
Lookup           flags 00000000 first_lkid 3 root 0 recover 0 locks 0
Lookup
00000004 -- (PR) ${BLANKS}          

Resource len  2  "R3"
Master Dir:2


Expecting reply
nodeid  2 msg convert lkid 00000001 resource "R1"
`);
  });

  it('lockdebug -v -w: value block and what is verbose on one line; -s: numbers', () => {
    const lines = lockdebugText(lockspace(R9), { isVerbose: true, isWide: true, isSummarized: true }).split('\n');
    expect(lines).toContain(`78${' 00'.repeat(31)}`);
    expect(lines).toContain(
      `00000351 PR      ${BLANKS}          time 0000000000000000 flags 00000008 00000001 bast 0 0 pid 1`,
    );
    expect(lines.slice(lines.indexOf('rsb'))).toEqual([
      'rsb',
      '  active        1',
      '  master        1',
      '  remote master 0',
      '  lookup master 0',
      '  with lvb      1',
      '  with no locks 0',
      '  nodeid error  0',
      '  inactive      0',
      '',
      'lkb',
      '  total         1',
      '  granted       1',
      '  convert       0',
      '  waiting       0',
      '  local copy    1',
      '  master copy   0',
      '  process copy  0',
      '  rsb lookup    0',
      '  wait message  0',
      '  expect reply  0',
      '',
    ]);
  });

  it('lockdump, with -M the locks of other nodes', () => {
    const own = 'id 00000004 gr EX rq IV pid 0 master 0 "RF"\nid 00000007 gr IV rq PR pid 0 master 0 "RF"\n';
    expect(lockdumpText(lockspace(RF))).toBe(own);
    expect(lockdumpText(lockspace(RF), true)).toContain('id 00000006 gr IV rq PR pid 1 MSTCPY 2 "RF"\n');
  });

  it('plocks: held, waiting, pending, unused', () => {
    const lock = { start: '0', end: PLOCK_EOF.toString(), nodeid: 2, pid: 17, owner: '4294901760', isExclusive: true };
    const range = {
      number: '7',
      owner: 0,
      unusedFor: 0,
      locks: [lock],
      waiters: [{ ...lock, isExclusive: false }],
      pending: [lock],
    };
    const unused = { number: '8', owner: -1, unusedFor: 2.5 * SECOND, locks: [], waiters: [], pending: [] };
    const text = (mode: string) => `7 ${mode} 0-9223372036854775807 nodeid 2 pid 17 owner ffff0000 rown 0`;
    expect(plocksText([range, unused])).toBe(
      `${text('WR')}\n${text('RD')} WAITING\n${text('WR')} PENDING\n8 rown -1 unused_ms 2500\n`,
    );
  });

  it('ls of dlm 4: what is waited for in a word, and how many STARTs are missing', () => {
    const daemons = new Daemons([1, 2, 3]);
    for (const node of [1, 2, 3]) daemons.online(node, 'ls');
    daemons.now = 5 * SECOND;
    daemons.crash(3);
    daemons.newRing();
    daemons.victims([3]);
    const text = (): string => lockspacesText(daemons.daemons.get(1)!.controld.inspect().lockspaces, true, 'modern');
    expect(text()).toContain('new status    wait fencing\nnew members   1 2 \n');
    expect(text()).toContain('nodeid 3 member 0 failed 3 start 0 seq_add 3 seq_rem 4 check fence 5\n');
    daemons.input(1, { kind: 'fenced', node: 3, at: daemons.now });
    daemons.input(1, { kind: 'victims', nodes: [] });
    daemons.drain();
    expect(text()).toContain('new status    wait messages 1\n');
  });

  it('status of dlm 4: the ring, who is to be fenced, members and their times', () => {
    const daemons = new Daemons([1, 2, 3]);
    for (const node of [1, 2, 3]) daemons.online(node, 'ls');
    daemons.now = 5 * SECOND;
    daemons.crash(3);
    daemons.newRing();
    daemons.victims([3]);
    expect(statusText(daemons.daemons.get(1)!.controld.inspect())).toBe(`cluster nodeid 1 quorate 1 ring seq 8 8
daemon now 5 fence_pid 0 
fence 3 nodedown pid 0 actor 0 fail 5 fence 0 now 5
node 1 M add 0 rem 0 fail 0 fence 0 at 0 0
node 2 M add 0 rem 0 fail 0 fence 0 at 0 0
node 3 X add 0 rem 5 fail 5 fence 0 at 0 0
`);
  });
});
